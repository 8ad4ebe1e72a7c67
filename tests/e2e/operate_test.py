"""What an operator does: configure, start on a broken Redis, stop, script the command line."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from muster_fixture import BINARY, ROOT, Muster, wait_until  # noqa: E402


def run(*words, stdin=None, env=None, timeout=60):
    return subprocess.run([BINARY, *words], input=stdin, capture_output=True, text=True,
                          timeout=timeout, env={**os.environ, **(env or {})})


def ticket(player, skill, queue="1v1_duel"):
    return json.dumps({"queues": [queue], "players": [
        {"playerId": player, "attributes": {"skill": skill}, "latenciesMs": {"eu-west": 40}}]})


def blocked(pid, number):
    """Whether the main thread of a process holds a signal back."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        mask = next(line for line in f if line.startswith("SigBlk:"))
    return int(mask.split()[1], 16) >> (number - 1) & 1


class Redis:
    """A redis-server of the test's own, on a unix socket."""

    def __init__(self, *options):
        self.folder = tempfile.mkdtemp(prefix="muster-redis-")
        self.socket = os.path.join(self.folder, "redis.sock")
        self.options = options
        self.start()

    def start(self):
        self.child = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder,
             "--appendonly", "yes", "--appendfsync", "always", "--save", "", *self.options],
            stdout=subprocess.DEVNULL)
        wait_until("redis-server answers", lambda: self.command("PING")[:4] in (b"+PON", b"-NOA"), 10)

    def command(self, *words):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            try:
                s.connect(self.socket)
                s.sendall(b"*%d\r\n" % len(words) +
                          b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
                return s.recv(65536)
            except OSError:
                return b""

    def close(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.kill()
        self.child.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


class Configuration(unittest.TestCase):
    def test_print_config_shows_every_value_and_where_it_came_from(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "muster.conf")
            with open(path, "w", encoding="utf-8") as f:
                f.write("# a comment\nrealm = filed\nlease-ms = 700\n")
            done = run("serve", "--config", path, "--lease-ms", "900", "--print-config",
                       env={"MUSTER_LOG_LEVEL": "debug"})
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("realm = filed", "lease-ms = 900", "log-level = debug"):
            self.assertIn(word, done.stdout)

    def test_a_client_command_reads_its_options_from_the_servers_file_too(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            f.write("realm = filed\nlease-ms = 700\napi = tcp://127.0.0.1:1\ntimeout-ms = 200\n")
            f.flush()
            done = run("status", "--config", f.name)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("127.0.0.1:1", done.stderr)
            f.write("laese-ms = 1\n")
            f.flush()
            done = run("status", env={"MUSTER_CONFIG": f.name})
        self.assertEqual(done.returncode, 2)
        self.assertIn("laese-ms", done.stderr)

    def test_unknown_option_names_the_nearest(self):
        done = run("serve", "--api-lisen", "tcp://127.0.0.1:0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("api-listen", done.stderr)
        done = run("serve", "--check-config", env={"MUSTER_LOG_LEVL": "info"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("MUSTER_LOG_LEVEL", done.stderr)

    def test_a_value_out_of_range_says_what_is_allowed(self):
        done = run("serve", "--lease-ms", "5", "--check-config")
        self.assertEqual(done.returncode, 2)
        self.assertIn("500", done.stderr)
        self.assertIn("60000", done.stderr)

    def test_what_is_wrong_without_a_server_is_found_without_one(self):
        for option, value in (("--roles", "api,bridges"), ("--roles", ""), ("--realm", "a b"),
                              ("--realm", ""), ("--api-listen", "127.0.0.1:0"),
                              ("--bridge-events", "tcp://127.0.0.1:1,http://x")):
            for more in (["--check-config"], []):
                done = run("serve", option, value, *more)
                self.assertEqual(done.returncode, 2, (option, value, done.stderr))
                self.assertIn(option[2:], done.stderr)

    def test_only_a_role_that_uses_redis_wants_one_with_a_replica(self):
        options = ("serve", "--durability", "replicated", "--check-config", "--roles")
        for roles in ("matcher", "events", "api,matcher"):
            done = run(*options, roles)
            self.assertEqual(done.returncode, 2, roles)
            self.assertIn("--redis", done.stderr)
        self.assertEqual(run(*options, "api,bridge").returncode, 0)

    def test_every_command_accepts_the_environment_of_every_other(self):
        variables = set()
        for command in ("serve", "queue", "ticket", "match", "backfill", "events", "status", "demo",
                        "bench", "sim"):
            variables |= set(re.findall(r"\bMUSTER_[A-Z_]+\b", run(command, "--help").stdout))
        self.assertGreater(len(variables), 40)
        env = dict.fromkeys(variables, "1")  # a text, a number in range and true at once
        env["MUSTER_CONFIG"] = os.path.join(ROOT, "deploy", "muster.conf")
        path = os.path.join(ROOT, "deploy", "queues", "default.json")
        self.assertEqual(run("queue", "check", path, env=env).returncode, 0)
        done = run("ticket", "get", "x", "--api", "tcp://127.0.0.1:1", "--timeout-ms", "50", env=env)
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_operands_where_none_are_taken_are_named(self):
        for command in ("serve", "events", "status", "demo"):
            done = run(command, "surplus")
            self.assertEqual(done.returncode, 2)
            self.assertIn("surplus", done.stderr)

    def test_queue_explain_judges_tickets_without_a_server(self):
        rules = os.path.join(ROOT, "deploy", "queues", "ranked_5v5.json")
        tickets = [{"players": [{"playerId": "p%d" % i, "attributes": {"skill": 900 + 9 * i},
                                 "latenciesMs": {"eu": 30 + i}}]} for i in range(10)]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump(tickets, f)
            f.flush()
            done = run("queue", "explain", rules, "--tickets", f.name)
            self.assertIn(" legal match at the age of 0 s", done.stdout, done.stderr)
            self.assertRegex(done.stdout, r'rule ".*" \(latency\): measured 39, bound 80: holds')
            self.assertEqual(done.returncode, 0 if "a legal match" in done.stdout else 1)
            told = json.loads(run("queue", "explain", rules, "--tickets", f.name, "--json").stdout)
        self.assertEqual((told["queue"], told["legal"]), ("ranked_5v5", done.returncode == 0))
        latency = next(rule for rule in told["rules"] if rule["type"] == "latency")
        self.assertEqual((latency["outcome"], latency["measured"], latency["bound"]),
                         ("holds", 39, 80))
        self.assertEqual(sum(team["players"] for team in told["teams"]), 10)
        self.assertEqual(run("queue", "explain", rules).returncode, 2)

    def test_check_config_reads_the_queue_file(self):
        good = os.path.join(ROOT, "deploy", "queues", "default.json")
        self.assertEqual(run("serve", "--check-config", "--queues", good).returncode, 0)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            f.write('{"1v1": {"teamSize": 0, "numTeams": 2, "skillTolerance": 5}}')
            f.flush()
            done = run("serve", "--check-config", "--queues", f.name)
        self.assertEqual(done.returncode, 1)
        self.assertIn("teamSize", done.stderr)

    def test_the_sample_configuration_is_valid(self):
        done = run("serve", "--config", os.path.join(ROOT, "deploy", "muster.conf"),
                   "--check-config")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_sample_configuration_has_every_option_with_its_default(self):
        with open(os.path.join(ROOT, "deploy", "muster.conf"), encoding="utf-8") as f:
            sample = [line.strip() for line in f if line.strip() and not line.startswith("#")]
        printed = [line.split("  #")[0].strip()
                   for line in run("serve", "--print-config").stdout.splitlines()]
        printed.remove("config =")
        self.assertEqual(sample, printed)

    def test_every_command_explains_itself(self):
        for command in ("serve", "queue", "ticket", "match", "backfill", "events", "status", "demo",
                        "bench", "sim"):
            done = run(command, "--help")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("usage: muster " + command, done.stdout)
        self.assertEqual(run("version").returncode, 0)
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("qeue").returncode, 2)


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.m = Muster()

    @classmethod
    def tearDownClass(cls):
        cls.m.close()

    def test_a_ticket_is_created_read_cancelled(self):
        created = self.m.cli("ticket", "create", "-", stdin=ticket("cli-ann", 5000))
        self.assertEqual(created.returncode, 0, created.stderr)
        t = json.loads(created.stdout)
        self.assertEqual(t["state"], "QUEUED")
        got = json.loads(self.m.cli("ticket", "get", "cli-ann", "--player").stdout)
        self.assertEqual(got["ticket"]["ticketId"], t["ticketId"])
        again = self.m.cli("ticket", "create", "-", stdin=ticket("cli-ann", 1))
        self.assertEqual(again.returncode, 1)
        self.assertIn("ALREADY_EXISTS", again.stderr)
        self.assertIn(t["ticketId"], again.stderr)
        cancelled = self.m.cli("ticket", "cancel", t["ticketId"])
        self.assertEqual(json.loads(cancelled.stdout)["state"], "CANCELLED")
        self.assertEqual(self.m.cli("ticket", "cancel", t["ticketId"]).returncode, 0)

    def test_two_players_are_matched_and_watch_ends(self):
        first = json.loads(self.m.cli("ticket", "create", "-", stdin=ticket("cli-bob", 90)).stdout)
        watch = subprocess.Popen([BINARY, "ticket", "watch", first["ticketId"], "--api", self.m.api],
                                 stdout=subprocess.PIPE, text=True)
        self.m.cli("ticket", "create", "-", stdin=ticket("cli-cid", 95), check=True)
        out, _ = watch.communicate(timeout=30)
        last = json.loads(out.splitlines()[-1])
        self.assertEqual(last["ticket"]["state"], "MATCHED")
        match = last["match"]
        self.assertEqual(sorted(p["playerId"] for t in match["teams"] for p in t["players"]),
                         ["cli-bob", "cli-cid"])
        self.assertIn(first["ticketId"], match["ticketIds"])
        got = json.loads(self.m.cli("match", "get", match["matchId"]).stdout)
        self.assertEqual(got, match)
        listed = self.m.cli("match", "list", "--queue", "1v1_duel").stdout
        self.assertIn(match["matchId"], listed)

    def test_refusals_have_codes_and_words(self):
        unknown = self.m.cli("ticket", "get", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        self.assertEqual((unknown.returncode, unknown.stderr.split(":")[1].strip()),
                         (1, "NOT_FOUND"))
        wrong = self.m.cli("ticket", "create", "-",
                           stdin='{"queues":["1v1_duel"],"players":[{"playrId":"x"}]}')
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("playerId", wrong.stderr)
        nowhere = run("status", "--api", "tcp://127.0.0.1:1", "--timeout-ms", "300")
        self.assertEqual(nowhere.returncode, 3, nowhere.stderr)

    def test_queues_are_listed_checked_and_versioned(self):
        self.assertIn("1v1_duel version 1", self.m.cli("queue", "list").stdout)
        path = os.path.join(ROOT, "deploy", "queues", "ranked_5v5.json")
        self.assertEqual(self.m.cli("queue", "check", path).returncode, 0)
        self.assertEqual(self.m.cli("queue", "put", path).returncode, 0)
        self.assertIn("unchanged", self.m.cli("queue", "put", path).stdout)

    def test_events_follow_as_json_lines(self):
        path = os.path.join(self.m.folder, "events")

        def printed(word):
            with open(path, encoding="utf-8") as f:
                return word in f.read()
        with open(path, "wb") as out:
            follow = subprocess.Popen([BINARY, "events", "--api", self.m.api, "--events",
                                       self.m.events, "--after", "1-0"], stdout=out)
        try:
            # Position 1-0 never was: first comes the resync, and nothing after it is left out.
            wait_until("the resync is printed", lambda: printed('{"reason":'), 20)
            self.m.cli("ticket", "create", "-", stdin=ticket("cli-eve", 9000), check=True)
            wait_until("the event is printed", lambda: printed("cli-eve"), 20)
        finally:
            follow.terminate()
            follow.wait(10)
        with open(path, encoding="utf-8") as f:
            for line in f:
                json.loads(line)

    def test_queue_validate_asks_a_server_what_check_says(self):
        good = os.path.join(ROOT, "deploy", "queues", "ranked_5v5.json")
        done = self.m.cli("queue", "validate", good)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, run("queue", "check", good).stdout)
        told = json.loads(self.m.cli("queue", "validate", good, "--json").stdout)
        self.assertEqual((told["ok"], told["queue"]), (True, "ranked_5v5"))
        self.assertNotIn("ranked_5v5", self.m.cli("queue", "list").stdout)  # it is put nowhere
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            f.write('{"name": "a",\n "tickMs": 0, "ruleset": {"teams": []}}')
            f.flush()
            done, local = self.m.cli("queue", "validate", f.name), run("queue", "check", f.name)
            told = json.loads(self.m.cli("queue", "validate", f.name, "--json").stdout)
        self.assertEqual((done.returncode, done.stderr), (1, local.stderr))
        self.assertIn(f"{f.name}:2:12: tickMs is 0", done.stderr)
        self.assertFalse(told.get("ok", False))
        self.assertEqual(told["problems"][0]["line"], 2)

    def test_a_demo_in_an_unknown_queue_says_so_and_ends(self):
        done = run("demo", "--queue", "nope", "--players", "4", "--api", self.m.api, "--events",
                   self.m.events, "--bridge", self.m.bridge, timeout=30)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("refused   4 players", done.stdout)
        self.assertIn("no queue", done.stdout)

    def test_a_port_in_use_is_named(self):
        for option, address in (("--api-listen", self.m.api), ("--events-listen", self.m.events),
                                ("--bridge-listen", self.m.bridge[len("http://"):]),
                                ("--metrics-listen", self.m.metrics[len("http://"):])):
            other = Muster(option, address, start=False)
            self.addCleanup(other.close)
            process = other.start(ready=False)
            self.assertEqual(process.child.wait(20), 1, process.log())
            self.assertRegex(process.log(), address + ".* in use by another process")

    def test_health_pages_answer(self):
        with urllib.request.urlopen(self.m.bridge + "/healthz", timeout=10) as r:
            self.assertEqual((r.status, r.read()), (200, b"ok\n"))

        def ready():
            try:
                with urllib.request.urlopen(self.m.bridge + "/readyz", timeout=10) as r:
                    return r.status == 200
            except OSError:
                return False
        wait_until("readyz says 200", ready, 15)


class Metrics(unittest.TestCase):
    def setUp(self):
        self.m = Muster()
        self.addCleanup(self.m.close)

    def page(self):
        with urllib.request.urlopen(self.m.metrics + "/metrics", timeout=10) as r:
            return r.read().decode()

    def test_prometheus_accepts_the_page_and_it_counts_calls_and_tickets(self):
        self.m.cli("ticket", "create", "-", stdin=ticket("counted", 5), check=True)
        page = self.page()
        done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        self.assertIn("\nmuster_tickets_queued 1\n", page)
        self.assertIn('\nmuster_rpc_calls_total{method="muster.v1.Tickets/CreateTicket",code="OK"} 1\n',
                      page)
        self.assertRegex(page, r"\nmuster_journal_append_seconds_count [1-9]")

    def test_operators_page_says_whether_it_can_serve(self):
        for path, text in (("/healthz", b"ok\n"), ("/readyz", b"ready\n")):
            with urllib.request.urlopen(self.m.metrics + path, timeout=10) as r:
                self.assertEqual((r.status, r.read()), (200, text))


class Stopping(unittest.TestCase):
    def test_sigterm_ends_in_order_within_ten_seconds_and_loses_nothing(self):
        with Muster() as m:
            t = json.loads(m.cli("ticket", "create", "-", stdin=ticket("stop-ann", 5)).stdout)
            began = time.monotonic()
            self.assertEqual(m.process.stop(), 0)
            self.assertLess(time.monotonic() - began, 10)
            began = time.monotonic()
            m.start()
            # The lease was handed back: nobody waits for it to run out.
            got = json.loads(m.cli("ticket", "get", t["ticketId"]).stdout)
            self.assertEqual(got["ticket"]["state"], "QUEUED")

    def test_a_repeated_sigterm_changes_nothing_and_a_second_sigint_ends_it_at_once(self):
        for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 70)):
            with Muster() as m:
                os.kill(m.redis_pid(), signal.SIGSTOP)  # the stop takes a while
                m.process.signal(number)
                wait_until("it is stopping", lambda: "id=stopping" in m.process.log(), 10)
                wait_until("the signal is not blocked", lambda: not blocked(m.process.pid, number))
                m.process.signal(number)
                self.assertEqual(m.process.child.wait(15), code, m.process.log())

    def test_sigterm_ends_in_order_though_the_embedded_redis_hangs(self):
        with Muster() as m:
            os.kill(m.redis_pid(), signal.SIGSTOP)
            waiting = [subprocess.Popen([BINARY, "ticket", "create", "-", "--api", m.api,
                                         "--timeout-ms", "20000"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                       for _ in range(3)]
            for i, child in enumerate(waiting):
                child.stdin.write(ticket(f"hang-{i}", 5))
                child.stdin.close()
            wait_until("the creates wait for the disk",
                       lambda: "store-unavailable" in m.process.log(), 20)
            began = time.monotonic()
            self.assertEqual(m.process.stop(), 0)  # 70 is the alarm's
            self.assertLess(time.monotonic() - began, 10)
            for child in waiting:
                child.kill()
                child.wait(20)
                child.stdout.close()
                child.stderr.close()

    def test_a_second_server_on_the_same_state_folder_is_refused(self):
        with Muster() as m:
            second = Muster(start=False)
            self.addCleanup(second.close)
            done = run("serve", "--state", m.state, "--api-listen", "tcp://127.0.0.1:0",
                       "--events-listen", "tcp://127.0.0.1:0", "--bridge-listen", "127.0.0.1:0",
                       "--metrics-listen", "127.0.0.1:0")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(m.state, done.stderr)
            self.assertEqual(m.cli("status").returncode, 0)


class BrokenRedis(unittest.TestCase):
    def setUp(self):
        self.m = Muster(start=False, queues=None)
        self.addCleanup(self.m.close)

    def start_on(self, address):
        self.m.options = ["--redis", address]
        return self.m.start(ready=False)

    def assert_says(self, process, *words):
        wait_until("the log says " + " and ".join(words),
                   lambda: all(w in process.log() for w in words), 15)
        self.assertEqual(process.stop(), 0)

    def test_an_unreachable_redis_is_named(self):
        self.assert_says(self.start_on("unix:/nonexistent/redis.sock"), "/nonexistent/redis.sock")

    def test_a_malformed_address_ends_at_once(self):
        process = self.start_on("http://localhost")
        self.assertEqual(process.child.wait(10), 1)
        self.assertIn("redis://", process.log())

    def test_a_read_only_replica_is_named(self):
        redis = Redis("--replicaof", "127.0.0.1 1")
        self.addCleanup(redis.close)
        self.assert_says(self.start_on("unix:" + redis.socket), "read")

    def test_a_foreign_key_is_not_touched(self):
        redis = Redis()
        self.addCleanup(redis.close)
        redis.command("SET", "muster:{default}:journal", "mine")
        self.assert_says(self.start_on("unix:" + redis.socket), "muster:{default}:journal")
        self.assertIn(b"mine", redis.command("GET", "muster:{default}:journal"))

    def test_an_empty_redis_is_started_on(self):
        redis = Redis()
        self.addCleanup(redis.close)
        self.start_on("unix:" + redis.socket).wait_ready()
        self.assertEqual(self.m.process.stop(), 0)

    def test_a_password_is_asked_for(self):
        redis = Redis("--requirepass", "secret")
        self.addCleanup(redis.close)
        self.assert_says(self.start_on("unix:" + redis.socket), "password")


class RedisAway(unittest.TestCase):
    def test_a_paused_redis_means_unavailable_in_time_and_service_resumes(self):
        redis = Redis()
        self.addCleanup(redis.close)
        with Muster("--redis", "unix:" + redis.socket) as m:
            redis.child.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            done = m.cli("ticket", "create", "-", "--timeout-ms", "1500", "--request-id", "once",
                         stdin=ticket("away-ann", 5))
            self.assertIn(done.returncode, (3, 4), done.stdout)
            self.assertLess(time.monotonic() - began, 10)
            redis.child.send_signal(signal.SIGCONT)

            def created():
                again = m.cli("ticket", "create", "-", "--request-id", "once",
                              stdin=ticket("away-ann", 5))
                return again.returncode == 0 and json.loads(again.stdout)
            first = wait_until("service resumes", created, 30)
            again = created()
            self.assertEqual(first["ticketId"], again["ticketId"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
