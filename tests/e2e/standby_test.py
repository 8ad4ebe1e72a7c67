"""Several matchers, one leads: it is killed, paused, stopped, its clock is wrong; all is restarted.

What back ends see is measured: the longest time without an acknowledged ticket around the fault.
"""
import json
import os
import signal
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Cluster, wait_until  # noqa: E402
from kill_test import Load, check, create  # noqa: E402

LONG_S = 3600
SHORT_LIVED = {"name": "short", "ticketTimeoutSeconds": 600, "ruleset": {
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [{"name": "skill", "type": "number"}],
    "teams": [{"name": "team", "quantity": 2, "minPlayers": 1, "maxPlayers": 1}],
    "rules": [{"name": "near", "type": "batchDistance", "batchAttribute": "skill",
               "maxDistance": 1}]}}


class TimedLoad(Load):
    """One ticket per call, without end; when each acknowledgement came."""

    def __init__(self, api, prefix, queue="1v1_duel"):
        self.times = []
        super().__init__(api, queue, prefix, 10000000, 1, 0, 1000)

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(line)
            self.times.append(time.monotonic())

    def stop(self):
        self.child.terminate()
        self.child.wait(30)
        self.reader.join()
        self.child.stdout.close()
        self.child.stderr.close()

    def flows(self):
        before = self.acknowledged()
        wait_until("tickets are acknowledged", lambda: self.acknowledged() > before + 20, 30)

    def longest_gap(self):
        return max(b - a for a, b in zip(self.times, self.times[1:]))


class Standby(unittest.TestCase):
    def all_there(self, c, lines, state="queued"):
        counts, errors = check(c.api, lines)
        self.assertEqual(counts["missing"] + counts["wrong"], 0, errors)
        self.assertEqual(counts[state], len(lines), counts)
        tickets = [line.split()[1] for line in lines]
        self.assertEqual(len(tickets), len(set(tickets)), "one ticket twice")

    def fault_under_load(self, name, fault, limit_s):
        """Runs `fault(cluster, leader)` under load; nothing acknowledged is lost, and what comes
        is served again within the limit."""
        with Cluster() as c:
            leader = c.leader()
            load = TimedLoad(c.api, "lone")
            self.addCleanup(load.close)
            load.flows()
            fault(c, leader)
            load.flows()
            load.stop()
            gap = load.longest_gap()
            print(f"figure: {name}: {gap * 1000:.0f} ms without an acknowledgement, "
                  f"{load.acknowledged()} tickets", flush=True)
            self.assertLess(gap, limit_s)
            self.assertNotEqual(c.leader(), leader)
            self.assertEqual(len(c.leaders()), 1)
            self.all_there(c, load.lines)

    def test_killed_leader_is_replaced(self):
        self.fault_under_load("kill -9 of the leader", lambda c, m: c.processes[m].kill(), 3)

    def test_paused_leader_is_replaced_and_stands_by_when_it_wakes(self):
        def pause(c, leader):
            c.processes[leader].signal(signal.SIGSTOP)
            wait_until("another leads",
                       lambda: any((c.status(m) or {}).get("leading")
                                   for m in c.matchers if m != leader), 20)
            c.processes[leader].signal(signal.SIGCONT)
            wait_until("the one that woke stands by",
                       lambda: not (c.status(leader) or {"leading": 1}).get("leading"), 20)
        self.fault_under_load("pause of the leader", pause, 4)

    def test_stopped_leader_hands_over_at_once(self):
        self.fault_under_load("SIGTERM of the leader", lambda c, m: c.processes[m].stop(), 1.5)

    def test_standbys_say_so_and_follow(self):
        with Cluster(matchers=2) as c:
            leader = c.leader()
            standby = next(m for m in c.matchers if m != leader)
            create(c.api, "lone", 500, 0, 1000)
            there = c.status(leader)
            wait_until("the standby has it all",
                       lambda: (c.status(standby).get("epoch"), c.status(standby).get("seq")) ==
                       (there.get("epoch"), there.get("seq")))
            said = c.status(standby)
            self.assertLess(int(said["lagMs"]), 1000)
            self.assertLess(int(said["leaseAgeMs"]), 1000)
            self.assertIn("leads this realm; this one stands by", said["trouble"])
            text = c.cli("status", api=c.door(standby)).stdout
            self.assertIn("role      standby", text)
            self.assertIn("role      leader", c.cli("status").stdout)

    def test_clock_of_a_matcher_an_hour_off_expires_no_ticket(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f, Cluster(matchers=1) as c:
            json.dump(SHORT_LIVED, f)
            f.flush()
            self.assertEqual(c.cli("queue", "put", f.name).returncode, 0)
            lines = create(c.api, "lone", 200, 0, 1000, queue="short")
            for skill, name, clock_s in ((300, "m2", LONG_S), (600, "m3", -LONG_S)):
                leader = c.leader()
                c.matchers.append(name)
                c.start(name, clock_s=clock_s)
                wait_until("it stands by, and has seen the lease", lambda name=name:
                           "this one stands by" in (c.status(name) or {}).get("trouble", ""))
                c.processes.pop("a1").stop()
                c.start("a1")  # knows of it
                c.processes[leader].kill()
                c.matchers.remove(leader)
                self.assertEqual(c.leader(), name)
                lines += create(c.api, f"late-{name}", 50, skill, 1000, queue="short")
                self.all_there(c, lines)

    def test_rolling_restart_of_every_process_under_load(self):
        with Cluster(matchers=2, apis=2, events=2, bridges=2) as c:
            load = TimedLoad(c.api, "lone")
            self.addCleanup(load.close)
            load.flows()
            for name in c.names:
                begin = time.monotonic()
                self.assertEqual(c.processes[name].stop(), 0, name)
                self.assertLess(time.monotonic() - begin, 10)
                c.start(name)
                load.flows()
            self.assertIsNone(load.child.poll())
            load.child.terminate()
            load.child.wait(30)
            load.reader.join()
            self.assertEqual(load.child.stderr.read(), "")  # no error reached a retrying client
            load.child.stdout.close()
            load.child.stderr.close()
            print(f"figure: rolling restart of {len(c.names)} processes: "
                  f"{load.longest_gap() * 1000:.0f} ms longest time without an acknowledgement, "
                  f"{load.acknowledged()} tickets", flush=True)
            self.all_there(c, load.lines)


if __name__ == "__main__":
    unittest.main(verbosity=2)
