"""Every metric is moved by a test: most by the activity here, the others by the test named here."""
import os
import re
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from activity import Activity, definition  # noqa: E402
from muster_fixture import ROOT, Muster, scrape, wait_until  # noqa: E402
from resume_test import Player  # noqa: E402
from wire import Closed, WebSocket  # noqa: E402

# What takes a fault, a crowd or another process to move. The test's file says the metric's name.
MOVED_ELSEWHERE = {
    "muster_bridge_gaps_total": "unit/bridge/bridge_test.c",
    "muster_bridge_resume_failures_total": "e2e/resume_test.py",
    "muster_forms_unshared_total": "unit/model/ticket_home_test.c",
    "muster_inbox_full_total": "unit/rt/inbox_test.c",
    "muster_journal_retries_total": "unit/store/pump_test.c",
    "muster_journal_rollbacks_total": "unit/store/pump_test.c",
    "muster_journal_unreplicated_total": "unit/store/leading_test.c",
    "muster_metric_series_refused_total": "unit/base/metrics_test.c",
    "muster_listeners_reopened_total": "unit/bus/door_test.c",
    "muster_rpc_expired_total": "unit/matcher/matcher_role_test.c",
    "muster_rpc_forward_retries_total": "unit/api/api_role_test.c",
    "muster_rpc_shed_total": "unit/api/api_role_test.c",
    "muster_sockets_slow_total": "e2e/overload_test.py",
    "muster_watchers_refused_total": "unit/matcher/watch_test.c",
}


def table():
    """The names of the table of all metrics, which is made from their definitions."""
    with open(os.path.join(ROOT, "deploy", "REFERENCE.md"), encoding="utf-8") as f:
        return re.findall(r"^\| `(muster_\w+)` \|", f.read(), re.MULTILINE)


class Watcher(threading.Thread):
    """Reads /metrics over and over; knows every value that it has seen of each series."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.seen, self.done = process, {}, threading.Event()
        self.start()

    def look(self):
        for series, value in scrape(self.process).items():
            self.seen.setdefault(series, set()).add(value)

    def run(self):
        while not self.done.wait(0.02):
            self.look()

    def stop(self):
        self.done.set()
        self.join(60)

    def moved(self):
        """The names of which a series was not 0 at some time: all begin so."""
        names = set()
        for series, values in self.seen.items():
            if values - {0.0}:
                name = series.partition("{")[0]
                names |= {name, re.sub("_(bucket|sum|count)$", "", name)}
        return names


class Metrics(unittest.TestCase):
    def setUp(self):
        self.m = Muster("--lease-ms", "500", "--journal-keep-ms", "1000",
                        "--connections-per-ip-max", "4", "--dashboard", "on",
                        "--admin-token", "of-sixteen-bytes-", queues=None)
        self.addCleanup(self.m.close)
        self.activity = Activity(self.m)

    def players_come_and_go(self, watcher):
        ivy = Player("ivy").connect(self.m.bridge)
        self.addCleanup(ivy.close)
        answer = ivy.ask("join_queue", {"queue": "duel", "attributes": {"skill": 5000}})
        self.assertTrue(answer["ok"], answer)
        ivy.expect("ticket_updated")
        ivy.close()
        self.activity.create("jim", "duel", 5001)
        ivy.connect(self.m.bridge)
        ivy.expect("match_found")
        self.assertTrue(ivy.recovered)
        crowd = []
        for i in range(8):
            try:
                crowd.append(Player(f"crowd{i}").connect(self.m.bridge))
            except (AssertionError, OSError, Closed):
                break                                         # one too many of this address
        self.assertLess(len(crowd), 8)
        watcher.look()                                        # while they are connected
        for player in [*crowd, ivy]:
            player.close()

    def stranger_wants_the_dashboard(self):
        stranger = WebSocket(int(self.m.bridge.rpartition(":")[2]), "EIO=4&transport=websocket")
        self.addCleanup(stranger.close)
        stranger.receive_packet()
        stranger.send('40/admin,{"token":"no"}')
        self.assertTrue(stranger.receive_packet().startswith("44/admin,"))

    def test_every_metric_is_moved_by_a_test(self):
        watcher = Watcher(self.m.process)
        self.addCleanup(watcher.stop)
        self.activity.everything()
        for i in range(22):                                   # more versions than are kept
            self.activity.ok("queue", "put", "-", stdin=definition("changing", tickMs=10 + i))
        self.stranger_wants_the_dashboard()
        self.players_come_and_go(watcher)
        self.m.kill_redis()
        wait_until("Redis is back", lambda: self.m.cli("ticket", "get", self.activity.create(
            "kim", "duel", 20000)).returncode == 0, 30)
        self.activity.ok("events", "--export", os.path.join(self.m.folder, "events.jsonl"))
        expected = set(table()) - MOVED_ELSEWHERE.keys()
        try:
            wait_until("all have moved", lambda: expected <= watcher.moved(), 30)
        except AssertionError:
            self.assertEqual(sorted(expected - watcher.moved()), [], "never moved")

    def test_what_is_moved_elsewhere_is_named_there(self):
        self.assertEqual(MOVED_ELSEWHERE.keys() - set(table()), set())
        for name, test in MOVED_ELSEWHERE.items():
            with open(os.path.join(ROOT, "tests", test), encoding="utf-8") as f:
                self.assertIn(name.removeprefix("muster_"), f.read(), test)


if __name__ == "__main__":
    unittest.main(verbosity=2)
