"""More is offered than can be served, or a client does not read: the others do not notice."""
import json
import os
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from cluster import Cluster, Redis, wait_until  # noqa: E402
from failover_test import Follower  # noqa: E402
from kill_test import create  # noqa: E402
from muster_fixture import metrics  # noqa: E402
from resume_test import Player  # noqa: E402

BENCH = os.environ["TEST_OVERLOAD"]
SLOW_FSYNC = os.environ["TEST_SLOW_FSYNC"]


class SlowRedis(Redis):
    """Each write to its disk takes 100 ms: some 1,000 calls a second are all that can be served."""

    def start(self):
        os.environ.update(LD_PRELOAD=SLOW_FSYNC, SLOW_FSYNC_US="100000")
        try:
            super().start()
        finally:
            del os.environ["LD_PRELOAD"]


class Overload(unittest.TestCase):
    def test_what_cannot_be_served_is_refused_early_and_little_work_is_wasted(self):
        with Cluster(matchers=1, apis=1, redis=SlowRedis) as c:
            words = [BENCH, c.api, "32", "10000", "4", "1500"]
            bench = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
            wait_until("calls are refused",
                       lambda: metrics(c.processes["a1"])["muster_rpc_shed_total"] > 100, 30)
            begin = time.monotonic()
            self.assertEqual(c.cli("status").returncode, 0)  # probes are served all the while
            self.assertLess(time.monotonic() - begin, 5)
            out = bench.communicate(timeout=60)[0].split()
            got = {k: float(v) for k, v in zip(out[::2], out[1::2])}
            # nothing vanishes: every call has one end
            self.assertEqual(got["offered"], got["ok"] + got["refused"] + got["late"])
            self.assertGreater(got["ok"], 0)
            sums = metrics(c.processes["m1"])
            wasted = sums["muster_rpc_errors_total"] / sums["muster_rpc_requests_total"]
            print(f"figure: overload: {got['offered']:.0f} offered, {got['ok']:.0f} OK, "
                  f"{100 * wasted:.1f} % of what the matcher was given came to nothing", flush=True)
            self.assertLess(wasted, 0.3)
            wait_until("all acknowledged tickets are there", lambda: c.queued() >= got["ok"], 30)

    def test_a_subscriber_that_stops_reading_holds_nobody_back_and_catches_up(self):
        with Cluster(matchers=1, events=1) as c:
            slow, quick = Follower(c), Follower(c)
            self.addCleanup(slow.stop)
            self.addCleanup(quick.stop)
            slow.child.send_signal(signal.SIGSTOP)
            lines = create(c.api, "lone", 20000, 0, 1000)
            ids = {line.split()[1] for line in lines}
            wait_until("the quick one has it all", lambda: ids <= set(quick.tickets()), 60)
            slow.child.send_signal(signal.SIGCONT)
            wait_until("the slow one has it all", lambda: ids <= set(slow.tickets()), 60)
            told = slow.tickets()
            self.assertEqual(len(told), len(set(told)))
            self.assertEqual(slow.resyncs(), [])

    def test_a_player_who_does_not_read_is_cut_and_holds_nobody_back(self):
        with Cluster(matchers=1, events=1, bridges=1) as c:
            address = "http://" + c.ports["b1"]
            deaf = Player("deaf", resume=False).connect(address)
            self.addCleanup(deaf.close)
            ann = Player("ann").connect(address)
            self.addCleanup(ann.close)
            deaf.ws.socket.settimeout(60)
            slowest, end, cut = 0.0, time.monotonic() + 60, False
            while not cut:
                try:
                    for i in range(500):  # answers pile up for him
                        deaf.ws.send(f"42{i}" + json.dumps(["get_ticket", {"x" * 300: 1}]))
                except OSError:
                    cut = True
                begin = time.monotonic()
                self.assertTrue(ann.ask("list_queues", {})["ok"])
                slowest = max(slowest, time.monotonic() - begin)
                self.assertLess(begin, end)
            self.assertEqual(metrics(c.processes["b1"])["muster_sockets_slow_total"], 1)
            print(f"figure: a player beside one who does not read waits {slowest * 1000:.0f} ms at "
                  f"most for an answer", flush=True)
            self.assertLess(slowest, 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
