"""Four roles in four processes: each killed in turn under load, nothing acknowledged is lost."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kill_test import Load, check, create  # noqa: E402
from muster_fixture import BINARY, QUEUES, Muster, Process, metrics, wait_until  # noqa: E402

ROLES = ("matcher", "events", "api", "bridge")


class Split:
    """One process per role on one state folder; a killed one comes back with the same addresses."""

    def __init__(self):
        self.base = Muster(start=False)
        self.fixed = {}
        self.processes = {}
        self.starts = 0
        for role in ROLES:
            self.start(role)

    def start(self, role):
        self.starts += 1
        options = [BINARY, "serve", "--roles", role, "--state", self.base.state,
                   "--lease-ms", "500",
                   "--api-listen", self.fixed.get("api", "tcp://127.0.0.1:0"),
                   "--events-listen", self.fixed.get("events", "tcp://127.0.0.1:0"),
                   "--bridge-listen", self.fixed.get("bridge", "127.0.0.1:0"),
                   "--metrics-listen", "127.0.0.1:0"]
        os.makedirs(self.base.folder, exist_ok=True)
        log = os.path.join(self.base.folder, f"{role}-{self.starts}.log")
        process = Process(options, log).wait_ready()
        self.processes[role] = process
        if role == "api":
            self.fixed["api"] = process.doors["api"][0]
        if role == "events":
            self.fixed["events"] = process.doors["events"][0]
        if role == "bridge":
            self.fixed["bridge"] = process.doors["bridge"][0].removeprefix("http://")

    @property
    def api(self):
        return self.fixed["api"]

    def cli(self, *words):
        return subprocess.run([BINARY, *words, "--api", self.api], capture_output=True, text=True,
                              timeout=60)

    def queued(self):
        done = self.cli("status", "--json")
        return int(json.loads(done.stdout).get("ticketsQueued", 0)) if done.returncode == 0 else -1

    def close(self):
        try:
            for role in reversed(ROLES):
                self.processes[role].stop()
        finally:
            for process in self.processes.values():
                if process.child.poll() is None:
                    process.child.send_signal(signal.SIGKILL)
                    process.child.wait(30)
            self.base.close()


class Roles(unittest.TestCase):
    def setUp(self):
        self.s = Split()
        self.addCleanup(self.s.close)
        done = self.s.cli("queue", "put", QUEUES)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_bridge_says_once_that_its_api_is_away_and_that_it_is_back(self):
        bridge = self.s.processes["bridge"]
        self.s.processes["api"].kill()
        wait_until("the bridge says so", lambda: "bridge-api-away" in bridge.log(), 30)
        self.s.start("api")
        wait_until("the bridge says so", lambda: "bridge-api-back" in bridge.log(), 30)
        self.assertEqual(bridge.log().count("id=bridge-api-away"), 1)

    def test_each_role_killed_in_turn_under_load_loses_no_ticket(self):
        load = Load(self.s.api, "1v1_duel", "lone", 8000, 20, 0, 1000)
        self.addCleanup(load.close)
        for step, role in enumerate(ROLES):
            share = 1000 + 1800 * step
            wait_until(f"{share} acknowledged", lambda share=share: load.acknowledged() >= share,
                       90)
            self.s.processes[role].kill()
            self.s.start(role)
        code, errors = load.wait()
        self.assertEqual(code, 0, errors)
        self.assertEqual(load.acknowledged(), 8000)
        wait_until("status counts all", lambda: self.s.queued() == 8000, 30)
        counts, errors = check(self.s.api, load.lines)
        self.assertEqual(counts["queued"], 8000, errors)
        mates = create(self.s.api, "mate", 8000, 1, 1000)
        wait_until("all pairs are matched", lambda: self.s.queued() == 0, 60)
        counts, errors = check(self.s.api, load.lines + mates)
        self.assertEqual(counts["matched"], 16000, errors)

    def test_unix_door_that_fleeing_clients_have_deafened_serves_again(self):
        path = os.path.join(self.s.base.state, "matcher.sock")

        def is_opened_anew():
            for _ in range(50):  # clients who disappear as they are greeted
                with socket.socket(socket.AF_UNIX) as client:
                    client.setblocking(False)
                    with contextlib.suppress(OSError):  # as many wait as may
                        client.connect(path)
            return metrics(self.s.processes["matcher"])["muster_listeners_reopened_total"] > 0

        wait_until("it is opened anew", is_opened_anew, 60, 0.2)
        wait_until("the api reaches the matcher", lambda: self.s.queued() == 0, 30)

    def test_players_are_told_through_four_processes(self):
        done = subprocess.run(
            [BINARY, "demo", "--players", "100", "--api", self.s.api,
             "--events", self.s.fixed["events"], "--bridge", "http://" + self.s.fixed["bridge"]],
            capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("matches   50 of 2 players each", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
