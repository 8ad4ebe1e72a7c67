"""A player loses his bridge and goes on at another: every event once and in order, or `resync`."""
import json
import os
import shutil
import sys
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))
from cluster import Cluster, wait_until  # noqa: E402
from kill_test import create  # noqa: E402
from muster_fixture import metrics  # noqa: E402
import wire  # noqa: E402
from wire import Closed, WebSocket  # noqa: E402

wire.DEADLINE = 30.0  # many processes share two processors


def ready(address):
    try:
        with urllib.request.urlopen(address + "/readyz", timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


class Player:
    """A socket that keeps what it was sent, with the places; comes back as stock clients do."""

    def __init__(self, name, resume=True):
        self.name, self.resume = name, resume
        self.pid = self.offset = self.ws = None
        self.events = []
        self.recovered = False

    def connect(self, address):
        """Reads until CONNECT; what was missed comes before it."""
        self.close()
        port = int(address.rsplit(":", 1)[1])
        self.ws = WebSocket(port, "EIO=4&transport=websocket")
        assert self.ws.receive_packet().startswith("0")
        auth = {"playerId": self.name}
        if self.resume:
            auth["resume"] = self.resume
        if self.pid:
            auth |= {"pid": self.pid} | ({"offset": self.offset} if self.offset else {})
        self.ws.send("40" + json.dumps(auth))
        while True:
            packet = self.ws.receive_packet()
            if packet.startswith("40"):
                break
            self.take(packet)
        pid = json.loads(packet[2:]).get("pid")
        self.recovered = self.pid is not None and pid == self.pid
        self.pid = pid
        return self

    def take(self, packet):
        if not packet.startswith("42"):
            return
        event = json.loads(packet[2:])
        if isinstance(event[-1], str) and len(event) > 2:
            self.offset = event[-1]
        self.events.append(event[:2])

    def expect(self, name, count=1):
        """Reads until so many events of that name have come in all."""
        while sum(e[0] == name for e in self.events) < count:
            self.take(self.ws.receive_packet())

    def ask(self, *event):
        self.ws.send("427" + json.dumps(list(event)))
        while True:
            packet = self.ws.receive_packet()
            if packet.startswith("437"):
                return json.loads(packet[3:])[0]
            self.take(packet)

    def join(self, skill):
        answer = self.ask("join_queue", {"queue": "1v1_duel", "attributes": {"skill": skill}})
        assert answer["ok"], answer

    def names(self):
        return [name for name, _ in self.events]

    def states(self):
        return [body["ticket"]["state"] for name, body in self.events if name == "ticket_updated"]

    def close(self):
        if self.ws:
            self.ws.close()


class Resume(unittest.TestCase):
    def cluster(self, *options, matchers=1, events=1, apis=1):
        c = Cluster(matchers=matchers, events=events, apis=apis, bridges=2,
                    options=("--lease-ms", "500", *options))
        self.addCleanup(c.close)
        for name in c.bridges:  # who connects before the stream has begun is sent resync
            wait_until(f"{name} is ready", lambda name=name: ready(self.bridge(c, name)), 30)
        return c

    def bridge(self, c, name):
        return "http://" + c.ports[name]

    def player(self, *arguments, **more):
        p = Player(*arguments, **more)
        self.addCleanup(p.close)
        return p

    def test_what_was_missed_comes_in_order_at_another_bridge(self):
        c = self.cluster()
        ann = self.player("ann").connect(self.bridge(c, "b1"))
        ann.join(100)
        ann.expect("ticket_updated")
        self.assertTrue(ann.pid and ann.offset)
        c.processes["b1"].kill()
        self.assertRaises(Closed, ann.ws.receive_packet)
        create(c.api, "mate", 1, 101, 1)
        ann.connect(self.bridge(c, "b2"))
        self.assertTrue(ann.recovered)
        ann.expect("match_found")
        self.assertEqual(ann.names(), ["ticket_updated", "match_found"])
        self.assertEqual(ann.states(), ["QUEUED"])
        again = self.player("ann")  # with the same place, once more: the same again
        again.pid, again.offset = ann.pid, ann.offset
        again.connect(self.bridge(c, "b2"))
        self.assertEqual(again.names(), [])  # he had it all
        again.join(100)
        again.expect("ticket_updated")  # and is live

    def test_many_events_missed_come_once_each_and_live_ones_follow(self):
        c = self.cluster()
        ann = self.player("ann").connect(self.bridge(c, "b1"))
        rounds = 30
        for i in range(rounds):
            if i == 3:  # away from here on
                ann.ws.close()
            other = ann if i < 3 else self.player("ann", resume=False).connect(self.bridge(c, "b2"))
            other.join(100 + i)
            self.assertTrue(other.ask("leave_queue", {})["ok"])
            if i < 3:
                ann.expect("ticket_updated", 2 * (i + 1))
            else:
                other.close()
        ann.connect(self.bridge(c, "b2"))
        self.assertTrue(ann.recovered)
        ann.join(7)
        ann.expect("ticket_updated", 2 * rounds + 1)
        self.assertEqual(ann.states(), ["QUEUED", "CANCELLED"] * rounds + ["QUEUED"])

    def test_a_place_that_is_gone_brings_resync_with_the_state(self):
        c = self.cluster("--journal-keep-ms", "1000")
        ann = self.player("ann").connect(self.bridge(c, "b1"))
        ann.join(100)
        ann.expect("ticket_updated")
        ann.close()
        size = len(c.processes["m1"].log())
        n, end = 0, time.monotonic() + 40
        while True:
            n += 1
            create(c.api, f"crowd{n}", 50, 1000000 * n, 1000)
            log = c.processes["m1"].log()[size:]
            if log.count("journal-trimmed") >= 16:  # 8 marks in what is kept: his is gone
                break
            self.assertLess(time.monotonic(), end)
        ann.connect(self.bridge(c, "b2"))
        self.assertFalse(ann.recovered)
        ann.expect("resync")
        body = ann.events[-1][1]
        self.assertEqual(body["ticket"]["state"], "QUEUED")
        self.assertIn("no longer in the journal", body["reason"])
        self.assertGreater(metrics(c.processes["b2"])["muster_bridge_resume_failures_total"], 0)

    def test_a_place_in_auth_does_for_clients_without_recovery(self):
        c = self.cluster()
        ann = self.player("ann").connect(self.bridge(c, "b1"))
        ann.join(100)
        ann.expect("ticket_updated")
        ann.close()
        create(c.api, "mate", 1, 101, 1)
        back = self.player("ann", resume=ann.offset).connect(self.bridge(c, "b2"))
        back.expect("match_found")
        self.assertEqual(back.names(), ["match_found"])

    def test_who_asks_for_no_places_gets_none_and_his_state_on_return(self):
        c = self.cluster()
        ann = self.player("ann", resume=False).connect(self.bridge(c, "b1"))
        ann.join(100)
        ann.expect("ticket_updated")
        self.assertIsNone(ann.pid)
        self.assertIsNone(ann.offset)
        ann.close()
        create(c.api, "mate", 1, 101, 1)
        ann.connect(self.bridge(c, "b2"))
        ann.expect("match_found")

    def test_a_crowd_that_loses_its_bridge_goes_on_at_another(self):
        c = self.cluster()
        crowd = [self.player(f"p{i}").connect(self.bridge(c, "b1")) for i in range(100)]
        for i, p in enumerate(crowd):
            p.join(10000 * i)
        for p in crowd:
            p.expect("ticket_updated")
        c.processes["b1"].kill()
        create(c.api, "mate", 100, 1, 10000)
        begin = time.monotonic()
        for p in crowd:
            p.close()
            p.connect(self.bridge(c, "b2"))
            self.assertTrue(p.recovered)
            p.expect("match_found")
        took = time.monotonic() - begin
        print(f"figure: 100 players of a killed bridge, one after the other, resumed in "
              f"{took * 1000:.0f} ms", flush=True)
        for p in crowd:
            self.assertEqual(p.names(), ["ticket_updated", "match_found"])
        wait_until("nothing went wrong",
                   lambda: "resume-failed" not in c.processes["b2"].log(), 5)

    def test_players_lose_no_event_while_every_process_is_restarted_in_turn(self):
        c = self.cluster(matchers=2, events=2, apis=2)
        serial = 0
        for name in c.names:
            crowd = [self.player(f"p{serial + i}") for i in range(4)]
            for i, p in enumerate(crowd):
                p.connect(self.bridge(c, c.bridges[i % 2]))
                p.join(10000 * (serial + i))
                p.expect("ticket_updated")
            self.assertEqual(c.processes[name].stop(), 0, name)
            create(c.api, f"mate-of-{name}", 4, 10000 * serial + 1, 10000)
            c.start(name)
            for i, p in enumerate(crowd):
                self.until_found(c, p, i)
                # who joins as he connects may be told his state beside the event of it
                self.assertEqual(set(p.states()), {"QUEUED"}, name)
                self.assertEqual(p.names().count("match_found"), 1, name)
                self.assertNotIn("resync", p.names(), name)
                p.close()
            serial += len(crowd)

    def until_found(self, c, player, place):
        """Hears of his match, on whichever bridge is there."""
        def heard():
            try:
                player.expect("match_found")
                return True
            except (Closed, OSError):
                pass
            try:
                player.connect(self.bridge(c, c.bridges[place % 2]))
                self.assertTrue(player.recovered)
            except (Closed, OSError):
                pass
            return False
        wait_until("he hears of his match", heard, 60)

    def test_players_of_a_redis_that_went_back_are_told_resync_and_their_state(self):
        self.redis_goes_back(matchers=2)

    def test_leader_that_had_no_reason_to_look_tells_no_ticket_that_redis_lost(self):
        """Its next renewal is ten seconds away: asked before, it must not answer from memory."""
        self.redis_goes_back("--lease-ms", "30000")

    def redis_goes_back(self, *options, matchers=1):
        c = self.cluster(*options, matchers=matchers)
        kept = self.player("kept").connect(self.bridge(c, "b1"))
        kept.join(100)
        kept.expect("ticket_updated")
        copy = os.path.join(c.folder, "copy")
        data = os.path.join(c.redis.folder, "appendonlydir")
        shutil.copytree(data, copy)
        lost = self.player("lost").connect(self.bridge(c, "b2"))
        lost.join(50000)
        lost.expect("ticket_updated")
        c.redis.kill()
        shutil.rmtree(data)
        shutil.copytree(copy, data)
        c.redis.start()
        for p in (kept, lost):
            p.expect("resync")
        told = {p.name: p.events[-1][1] for p in (kept, lost)}
        self.assertEqual(told["kept"]["ticket"]["state"], "QUEUED")
        self.assertNotIn("ticket", told["lost"])
        lost.join(50000)  # his old ticket does not stand in his way
        create(c.api, "mate", 2, 101, 49900)
        for p in (kept, lost):
            p.expect("match_found")


if __name__ == "__main__":
    unittest.main(verbosity=2)
