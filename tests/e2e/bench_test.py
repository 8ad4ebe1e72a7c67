"""`muster bench`: what it says agrees with the server, through every door, and a stall is seen."""
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from muster_fixture import BINARY, Muster, wait_until  # noqa: E402


def words(m, *options):
    """The command against a running server."""
    return [BINARY, "bench", *options, "--json", "--api", m.api, "--events", m.events,
            "--bridge", m.bridge, "--metrics", m.process.doors["metrics"][0],
            "--redis", f"unix:{m.state}/redis.sock"]


def bench(*options, code=0):
    done = subprocess.run(options, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, f"{done.returncode}: {done.stderr}{done.stdout}"
    return json.loads(done.stdout)


class Bench(unittest.TestCase):
    def check(self, got):
        tickets = got["tickets"]
        self.assertTrue(got["good"])
        self.assertEqual(tickets["offered"], tickets["created"])
        self.assertEqual(tickets["created"], tickets["matched"] + tickets["left"])
        self.assertEqual((tickets["failed"], tickets["toldTwice"]), (0, 0))
        for name, count in (("sentMs", "created"), ("createdMs", "created"),
                            ("matchedMs", "matched")):
            times = got[name]
            self.assertEqual(times["count"], tickets[count])
            order = [times[q] for q in ("p50", "p90", "p99", "max")]
            self.assertEqual(order, sorted(order))
        self.assertEqual(got["counted"]["created"], tickets["created"] + tickets["before"])
        self.assertEqual(got["counted"]["matched"], tickets["matched"])
        self.assertEqual(got["counted"]["matches"], got["matches"]["count"])
        for process in got["processes"]:
            self.assertGreater(process["memoryBytes"], 0)
            self.assertGreaterEqual(process["cpuUsPerTicket"], 0)

    def test_every_door_agrees_with_what_the_server_counts(self):
        with Muster() as m:
            for door in ("rpc", "batch", "socket"):
                got = bench(*words(m, "firstmatch", "--door", door, "--rate", "100",
                                   "--duration", "2", "--keep"))
                self.check(got)
                self.assertGreater(got["tickets"]["matched"], 100)
                self.assertEqual(got["matches"]["players"], 2)
                names = [p["name"] for p in got["processes"]]
                self.assertEqual(names, ["server", "redis", "bench"])
                self.assertGreater(got["journal"]["fileBytesPerTicket"], 50)
                stats = json.loads(m.cli("queue", "stats", got["queue"]).stdout)
                self.assertEqual(int(stats["ticketsCreatedTotal"]), got["tickets"]["created"])
                self.assertEqual(int(stats["ticketsMatchedTotal"]), got["tickets"]["matched"])
                self.assertEqual(int(stats["matchesTotal"]), got["matches"]["count"])

    def test_parties_roles_and_regions_go_through_every_door(self):
        with Muster() as m:
            for workload, door in (("W2", "socket"), ("W3", "batch"), ("teamshooter", "rpc"),
                                   ("crymatch_5k_normal", "batch"), ("nakama_100_4to10", "socket")):
                self.check(bench(*words(m, workload, "--door", door, "--rate", "60",
                                        "--duration", "2", "--drain", "2")))

    def test_the_queue_is_gone_afterwards(self):
        with Muster() as m:
            got = bench(*words(m, "nakama_100"))
            self.check(got)
            self.assertEqual(got["counted"]["waiting"], got["tickets"]["before"])
            self.assertNotIn(got["queue"], m.cli("queue", "list").stdout)
            self.assertEqual(json.loads(m.cli("status", "--json").stdout).get("ticketsQueued", 0), 0)

    def test_a_server_of_its_own_leaves_nothing(self):
        with Muster(start=False) as m:
            environment = dict(os.environ, TMPDIR=m.folder, MUSTER_BATCH="7")
            done = subprocess.run([BINARY, "bench", "firstmatch", "--server", "split", "--rate",
                                   "50", "--duration", "1", "--json"], capture_output=True,
                                  text=True, timeout=120, env=environment, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            got = json.loads(done.stdout)
            self.check(got)
            self.assertEqual([p["name"] for p in got["processes"]],
                             ["matcher", "events", "api", "bridge", "redis", "bench"])
            self.assertEqual([f for f in os.listdir(m.folder) if f.startswith("muster-bench")], [])

    def test_a_stalled_server_shows_in_the_percentiles(self):
        """The server stands still for half of the arrivals. They wait 0 .. S, evenly, so of all
        tickets a quarter waits longer than S / 2: a closed loop would have asked once."""
        with Muster() as m:
            child = subprocess.Popen(words(m, "firstmatch", "--rate", "200", "--duration", "4",
                                           "--timeout-ms", "30000"),
                                     stdout=subprocess.PIPE, text=True)
            wait_until("tickets come", lambda: self.created(m) > 40)
            began = time.monotonic()
            m.process.signal(signal.SIGSTOP)
            wait_until("it has stood for 2 s", lambda: time.monotonic() - began >= 2)
            m.process.signal(signal.SIGCONT)
            stood_ms = (time.monotonic() - began) * 1000
            got = json.loads(child.communicate(timeout=120)[0])
            self.assertEqual(child.returncode, 0)
            self.check(got)
            for name in ("createdMs", "matchedMs"):
                self.assertGreater(got[name]["max"], 0.9 * stood_ms)
                self.assertGreater(got[name]["p90"], 0.5 * stood_ms)

    def test_an_interrupted_run_leaves_nothing(self):
        with Muster() as m:
            child = subprocess.Popen(words(m, "firstmatch", "--rate", "100", "--duration", "60"),
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            wait_until("tickets come", lambda: self.created(m) > 10)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=30)
            self.assertEqual((child.returncode, out), (1, ""))
            self.assertIn("CANCELLED: interrupted", err)
            self.assertNotIn("bench-", m.cli("queue", "list").stdout)

    @staticmethod
    def created(m):
        with urllib.request.urlopen(m.process.doors["metrics"][0] + "/metrics", timeout=5) as page:
            found = re.search(r"^muster_tickets_created_total (\d+)", page.read().decode(), re.M)
        return int(found[1]) if found else 0

    def test_mistakes_are_told(self):
        def fails(code, *options):
            done = subprocess.run([BINARY, "bench", *options], capture_output=True, text=True,
                                  timeout=60, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            return done.stderr
        self.assertIn('did you mean "battleroyal"', fails(2, "battleroyale"))
        self.assertIn("takes one workload", fails(2))
        self.assertIn("one of rpc|batch|socket", fails(2, "W1", "--door", "gate"))
        self.assertIn("rate is", fails(2, "W1", "--rate", "-1"))
        self.assertIn("--metrics=", fails(3, "W1", "--metrics", "http://127.0.0.1:9"))
        self.assertIn("no answer", fails(3, "W1", "--api", "tcp://127.0.0.1:9", "--timeout-ms", "300",
                                         "--metrics="))
        self.assertIn("at most 15000", fails(1, "W1", "--rate", "10000", "--door", "socket",
                                             "--server", "one"))
        listed = subprocess.run([BINARY, "bench", "--list"], capture_output=True, text=True,
                                timeout=60, check=True).stdout
        for name in ("W8_1m", "minimatch", "firstmatch", "battleroyal", "teamshooter",
                     "nakama_100k", "nakama_100k_4to10", "distance_2k", "crymatch_40k"):
            self.assertIn(f"  {name} ", listed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
