"""Redis fails over by Sentinel, or loses what it had acknowledged: nothing is lost, or it is said."""
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import BINARY, Cluster, Sentinel, wait_until  # noqa: E402
from kill_test import check, create  # noqa: E402
from standby_test import TimedLoad  # noqa: E402


class Follower:
    """`muster events`: each event as it came; a resync is one with nothing but a reason."""

    def __init__(self, c):
        now = c.status()
        self.child = subprocess.Popen([BINARY, "events", "--events", c.publishers, "--api", c.api,
                                       "--after", f"{now['epoch']}-{now['seq']}"],
                                      stdout=subprocess.PIPE, text=True)
        self.events = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.events.append(json.loads(line))

    def tickets(self):
        return [e["ticket"]["ticketId"] for e in list(self.events) if "ticket" in e]

    def resyncs(self):
        return [e for e in list(self.events) if set(e) == {"reason"}]

    def stop(self):
        self.child.terminate()
        self.child.wait(30)
        self.reader.join()
        self.child.stdout.close()


class Failover(unittest.TestCase):
    def all_there(self, c, lines):
        counts, errors = check(c.api, lines)
        self.assertEqual(counts["missing"] + counts["wrong"], 0, errors)
        tickets = [line.split()[1] for line in lines]
        self.assertEqual(len(tickets), len(set(tickets)), "one ticket twice")

    def fail_over(self, name, fault, restore, redis=Sentinel):
        with Cluster(matchers=2, events=1, options=("--durability", "replicated"),
                     redis=redis) as c:
            follower = Follower(c)
            self.addCleanup(follower.stop)
            load = TimedLoad(c.api, "lone")
            self.addCleanup(load.close)
            load.flows()
            old = c.redis.primary()
            fault(old)
            wait_until("the Sentinels fail over", lambda: c.redis.primary() is not old, 30)
            load.flows()
            restore(old)  # it may still think that it is the primary
            load.flows()
            load.stop()
            print(f"figure: {name}, replicated: {load.longest_gap() * 1000:.0f} ms without an "
                  f"acknowledgement, {load.acknowledged()} tickets", flush=True)
            self.all_there(c, load.lines)
            self.assertEqual(len(c.leaders()), 1)
            # every ticket acknowledged was told of once, and no other
            ids = {line.split()[1] for line in load.lines}
            wait_until("all events came", lambda: ids <= set(follower.tickets()), 30)
            self.assertEqual(follower.resyncs(), [])
            told = follower.tickets()
            self.assertEqual(len(told), len(set(told)))

    def test_failover_from_a_killed_primary_loses_nothing_acknowledged(self):
        self.fail_over("kill -9 of the primary", lambda node: node.kill(),
                       lambda node: node.start())

    def test_failover_where_redis_and_sentinels_want_a_password_loses_nothing_acknowledged(self):
        self.fail_over("kill -9 of the primary, with a password", lambda node: node.kill(),
                       lambda node: node.start(),
                       redis=lambda folder: Sentinel(folder, password="s3cret"))

    def test_failover_from_a_paused_primary_loses_nothing_acknowledged(self):
        self.fail_over("pause of the primary", lambda node: node.child.send_signal(signal.SIGSTOP),
                       lambda node: node.child.send_signal(signal.SIGCONT))

    def test_redis_that_went_back_is_announced_to_followers(self):
        """A copy of the data from before takes its place: what came since is gone, and said so."""
        with Cluster(matchers=2, events=1) as c:
            follower = Follower(c)
            self.addCleanup(follower.stop)
            before = create(c.api, "kept", 200, 0, 1000)
            copy = os.path.join(c.folder, "copy")
            shutil.copytree(os.path.join(c.redis.folder, "appendonlydir"), copy)
            lost = create(c.api, "lost", 200, 500000, 1000)
            ids = {line.split()[1] for line in lost}
            wait_until("they were told of", lambda: ids <= set(follower.tickets()), 30)
            epoch = int(c.status(c.leader())["epoch"])
            c.redis.kill()
            shutil.rmtree(os.path.join(c.redis.folder, "appendonlydir"))
            shutil.copytree(copy, os.path.join(c.redis.folder, "appendonlydir"))
            c.redis.start()
            wait_until("the follower is told", follower.resyncs, 30)
            wait_until("it is a new epoch",
                       lambda: int((c.status(c.leader()) or {"epoch": 0})["epoch"]) > epoch, 30)
            self.all_there(c, before)
            counts, _ = check(c.api, lost)
            self.assertEqual(counts["missing"], len(lost))
            after = create(c.api, "after", 50, 900000, 1000)
            ids = {line.split()[1] for line in after}
            wait_until("and hears what comes after", lambda: ids <= set(follower.tickets()), 30)


if __name__ == "__main__":
    unittest.main(verbosity=2)
