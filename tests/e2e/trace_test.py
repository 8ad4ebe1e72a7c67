"""One trace, from a player's or a back end's request through all roles to the event."""
import json
import os
import re
import subprocess
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from cluster import Cluster, wait_until  # noqa: E402
from muster_fixture import BINARY  # noqa: E402
from resume_test import Player, ready  # noqa: E402

ANN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
BOB = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
WRONG = "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"


class Trace(unittest.TestCase):
    def cluster(self, *options):
        c = Cluster(matchers=1, events=1, bridges=1, options=("--log-level", "debug", *options))
        self.addCleanup(c.close)
        wait_until("the bridge is ready", lambda: ready("http://" + c.ports["b1"]), 30)
        return c

    def create(self, c, player, skill, traceparent):
        done = subprocess.run(
            [BINARY, "ticket", "create", "-", "--api", c.api, "--traceparent", traceparent],
            input=json.dumps({"queues": ["1v1_duel"], "players": [
                {"playerId": player, "attributes": {"skill": skill}}]}),
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["ticketId"]

    def follow(self, c):
        """The lines of `muster events`, as they come."""
        child = subprocess.Popen([BINARY, "events", "--api", c.api, "--events", c.publishers],
                                 stdout=subprocess.PIPE, text=True)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(map(json.loads, child.stdout)),
                                  daemon=True)
        for cleanup in (child.stdout.close, lambda: reader.join(30), child.wait, child.kill):
            self.addCleanup(cleanup)
        reader.start()

        def heard():
            c.cli("queue", "put", self.probe(c))
            return lines
        wait_until("it hears", heard)
        return lines

    def probe(self, c):
        """A queue's definition that is new each time."""
        self.probes = getattr(self, "probes", 0) + 1
        path = os.path.join(c.folder, "probe.json")
        with open(path, "w", encoding="ascii") as f:
            json.dump({"name": "probe", "tickMs": self.probes, "ruleset": {
                "name": "probe", "ruleLanguageVersion": "1.0",
                "teams": [{"name": "a", "minPlayers": 2, "maxPlayers": 2}]}}, f)
        return path

    def test_one_trace_is_in_the_logs_of_all_roles_and_in_the_events(self):
        c = self.cluster()
        lines = self.follow(c)
        ann = Player("ann").connect("http://" + c.ports["b1"])
        self.addCleanup(ann.close)
        answer = ann.ask("join_queue", {"queue": "1v1_duel", "attributes": {"skill": 100},
                                        "traceparent": ANN})
        self.assertTrue(answer["ok"], answer)
        self.create(c, "bob", 101, BOB)
        ann.expect("match_found")
        told = {name: body.get("traceparent") for name, body, *_ in ann.events}
        self.assertEqual(told, {"ticket_updated": ANN, "match_found": ANN})
        wait_until("the match is told", lambda: any(e["type"] == "MATCH_FOUND" for e in lines))
        queued, found = ([e for e in lines if e["type"] == kind]
                         for kind in ("TICKET_QUEUED", "MATCH_FOUND"))
        self.assertEqual([e["traceparents"] for e in queued], [[ANN], [BOB]])
        self.assertEqual(sorted(found[0]["traceparents"]), sorted([ANN, BOB]))
        ticket, match = answer["ticket"]["ticketId"], found[0]["match"]["matchId"]
        for role, ids in (("b1", ["join-asked-for player=ann", "player-told player=ann "
                                  "event=match_found"]),
                          ("a1", ["rpc-answered method=muster.v1.Tickets/CreateTicket code=OK"]),
                          ("m1", [f"decided record=ticket_created of={ticket}",
                                  f"decided record=match_created of={match}"]),
                          ("e1", [f"event-published event=ticket_queued of={ticket}",
                                  f"event-published event=match_found of={match}"])):
            log = c.processes[role].log()
            for text in ids:
                self.assertRegex(log, f"id={re.escape(text)}.* traceparent={ANN}\n", role)

    def test_player_without_a_trace_is_told_none_and_a_traced_ones_is_his_own(self):
        c = self.cluster()
        ann, dan = (Player(name).connect("http://" + c.ports["b1"]) for name in ("ann", "dan"))
        for player in (ann, dan):
            self.addCleanup(player.close)
        dan.join(101)
        self.assertTrue(ann.ask("join_queue", {"queue": "1v1_duel", "attributes": {"skill": 100},
                                               "traceparent": ANN})["ok"])
        for player, trace in ((ann, ANN), (dan, None)):
            player.expect("match_found")
            found = next(e[1] for e in player.events if e[0] == "match_found")
            self.assertEqual(found.get("traceparent"), trace)

    def test_trace_outlives_a_restart_and_a_wrong_one_is_ignored(self):
        c = self.cluster("--log-format", "json")
        lines = self.follow(c)
        self.create(c, "ann", 100, ANN)
        self.create(c, "cid", 9000, WRONG)
        c.processes["m1"].kill()
        c.start("m1")
        wait_until("it leads", c.leaders, 30)
        self.create(c, "bob", 101, BOB)
        wait_until("the match is told", lambda: any(e["type"] == "MATCH_FOUND" for e in lines), 30)
        found = next(e for e in lines if e["type"] == "MATCH_FOUND")
        self.assertEqual(sorted(found["traceparents"]), sorted([ANN, BOB]))
        logged = [json.loads(line) for line in c.processes["m1"].log().splitlines()
                  if f'"traceparent":"{ANN}"' in line]
        self.assertEqual([(e["id"], e["record"]) for e in logged], [("decided", "match_created")])
        self.assertFalse(any(WRONG in p.log() for p in c.processes.values()))
        # whose is which: of the match's tickets in their order
        by_ticket = dict(zip(found["match"]["ticketIds"], found["traceparents"]))
        mine = {m["playerId"]: by_ticket[m["ticketId"]] for t in found["match"]["teams"]
                for m in t["players"]}
        self.assertEqual(mine, {"ann": ANN, "bob": BOB})
        cid = next(e for e in lines if e["type"] == "TICKET_QUEUED" and
                   e["ticket"]["players"][0]["playerId"] == "cid")
        self.assertEqual(cid["traceparents"], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
