"""The life of tickets and matches through the real doors, also when the server dies in between."""
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from activity import definition  # noqa: E402
from muster_fixture import BINARY, Muster, wait_until  # noqa: E402


class Life(unittest.TestCase):
    def setUp(self):
        self.m = Muster("--lease-ms", "500")
        self.addCleanup(self.m.close)

    def ok(self, *words, stdin=None):
        done = self.m.cli(*words, stdin=stdin)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stderr}")
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    def refused(self, code, *words, stdin=None):
        done = self.m.cli(*words, stdin=stdin)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f"muster: {code}: ", done.stderr)
        return done.stderr

    def put(self, name, **settings):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump(definition(name, **settings), f)
            f.flush()
            self.ok("queue", "put", f.name)

    def create(self, player, *queues):
        return self.ok("ticket", "create", "-", stdin=json.dumps(
            {"queues": queues, "players": [{"playerId": player}]}))["ticketId"]

    def state(self, ticket):
        return self.ok("ticket", "get", ticket)["ticket"]["state"]

    def wait_state(self, ticket, state, timeout=20):
        wait_until(f"{ticket} is {state}", lambda: self.state(ticket) == state, timeout)
        return self.ok("ticket", "get", ticket)

    def restart(self):
        self.m.process.kill()
        self.m.start()

    def propose(self, queue, first="ann", second="bob"):
        """Tickets of two players, and their proposed match."""
        a, b = self.create(first, queue), self.create(second, queue)
        return a, b, self.wait_state(a, "PROPOSED")["match"]["matchId"]

    def test_ticket_of_two_queues_is_matched_in_one(self):
        self.put("east")
        self.put("west")
        a = self.create("ann", "east", "west")
        b = self.create("bob", "west")
        self.assertEqual(self.wait_state(a, "MATCHED")["match"]["queue"], "west")
        self.assertEqual(self.state(b), "MATCHED")
        stats = self.ok("queue", "stats", "east")
        self.assertNotIn("ticketsQueued", stats)

    def test_queue_keeps_its_versions_though_the_server_is_killed(self):
        self.put("duel")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump(definition("duel", ticketTimeoutSeconds=90), f)
            f.flush()
            self.ok("queue", "put", f.name, "--author", "ann@studio", "--comment", "shorter waits")
        self.restart()
        self.assertIn("ann@studio: shorter waits\n  ticketTimeoutSeconds: added 90\n",
                      self.ok("queue", "versions", "duel"))
        first = self.ok("queue", "get", "duel", "--version", "1")
        self.assertEqual(json.loads(first["definitionJson"]), definition("duel"))
        self.assertEqual(self.ok("queue", "get", "duel")["author"], "ann@studio")
        self.assertIn("version 3 of queue duel is not kept; the present one is 2",
                      self.refused("NOT_FOUND", "queue", "get", "duel", "--version", "3"))

    def test_queue_tells_which_rule_is_in_the_way(self):
        rule = {"name": "Fair", "type": "distance", "maxDistance": 10,
                "measurements": ["avg(teams[red].players.attributes[skill])"],
                "referenceValue": "avg(teams[blue].players.attributes[skill])"}
        duel = definition("duel")
        duel["ruleset"]["playerAttributes"] = [{"name": "skill", "type": "number"}]
        duel["ruleset"]["rules"] = [rule]
        self.ok("queue", "put", "-", stdin=json.dumps(duel))
        for player, skill in (("ann", 1), ("bob", 500)):
            self.ok("ticket", "create", "-", stdin=json.dumps(
                {"queues": ["duel"],
                 "players": [{"playerId": player, "attributes": {"skill": skill}}]}))
        wait_until("a refusal is counted",
                   lambda: "rejections" in self.ok("queue", "stats", "duel"), 20)
        self.assertEqual(self.ok("queue", "stats", "duel")["rejections"][0]["name"], "Fair")

    def test_match_is_made_when_all_accept_though_the_server_is_killed_in_between(self):
        self.put("ask", acceptanceRequired=True, acceptanceTimeoutSeconds=60)
        a, b, match = self.propose("ask")
        got = self.ok("match", "accept", match, "ann")
        self.assertEqual(got["state"], "MATCH_PROPOSED")
        self.restart()
        self.assertEqual((self.state(a), self.state(b)), ("PROPOSED", "PROPOSED"))
        got = self.ok("match", "accept", match, "bob")
        self.assertEqual(got["state"], "MATCH_CONFIRMED")
        answers = [p["answer"] for t in got["teams"] for p in t["players"]]
        self.assertEqual(answers, ["ACCEPTED", "ACCEPTED"])
        self.assertEqual((self.state(a), self.state(b)), ("MATCHED", "MATCHED"))
        self.refused("FAILED_PRECONDITION", "match", "decline", match, "ann")

    def test_decline_returns_the_innocent_and_bars_the_decliner_though_the_server_is_killed(self):
        self.put("ask", acceptanceRequired=True, acceptanceTimeoutSeconds=60,
                 dodgePenaltySeconds=[3600])
        a, b, match = self.propose("ask")
        before = self.ok("ticket", "get", a)["ticket"]["createTimeMs"]
        self.ok("match", "decline", match, "bob")
        self.restart()
        innocent = self.ok("ticket", "get", a)["ticket"]
        self.assertEqual((innocent["state"], innocent["createTimeMs"]), ("QUEUED", before))
        decliner = self.ok("ticket", "get", b)["ticket"]
        self.assertEqual((decliner["state"], decliner["reason"]),
                         ("CANCELLED", "declined the match"))
        again = self.refused("FAILED_PRECONDITION", "ticket", "create", "-", stdin=json.dumps(
            {"queues": ["ask"], "players": [{"playerId": "bob"}]}))
        self.assertIn("may join it again in ", again)
        c = self.create("cid", "ask")
        self.assertEqual(self.wait_state(a, "PROPOSED")["match"]["ticketIds"], [a, c])

    def test_proposal_that_is_not_accepted_in_time_ends_also_after_a_restart(self):
        self.put("ask", acceptanceRequired=True, acceptanceTimeoutSeconds=2)
        a, b, match = self.propose("ask")
        self.ok("match", "accept", match, "ann")
        self.restart()
        self.wait_state(b, "CANCELLED")
        self.assertEqual(self.state(a), "QUEUED")
        self.assertEqual(self.ok("match", "get", match)["reason"], "not accepted in time")

    def test_match_is_assigned_and_completed_also_over_a_restart(self):
        self.put("held", holdPlayers=True, matchTimeoutSeconds=600)
        a = self.create("ann", "held")
        self.create("bob", "held")
        match = self.wait_state(a, "MATCHED")["match"]
        self.assertEqual(match["holdsPlayers"], True)
        got = self.ok("match", "assign", match["matchId"], "10.0.0.7:7777")
        self.assertEqual((got["state"], got["connection"]), ("MATCH_ASSIGNED", "10.0.0.7:7777"))
        self.restart()
        busy = self.refused("ALREADY_EXISTS", "ticket", "create", "-", stdin=json.dumps(
            {"queues": ["held"], "players": [{"playerId": "ann"}]}))
        self.assertIn("is in live match " + match["matchId"], busy)
        self.refused("FAILED_PRECONDITION", "match", "assign", match["matchId"], "elsewhere")
        got = self.ok("match", "complete", match["matchId"], "red=1:16", "blue=2")
        self.assertEqual(got["state"], "MATCH_COMPLETED")
        self.assertEqual(got["results"], [{"team": "red", "rank": 1, "score": 16},
                                          {"team": "blue", "rank": 2}])
        self.create("ann", "held")

    def test_who_leaves_a_match_may_join_again_also_over_a_restart(self):
        self.put("held", holdPlayers=True, matchTimeoutSeconds=600)
        a = self.create("ann", "held")
        self.create("bob", "held")
        match = self.wait_state(a, "MATCHED")["match"]["matchId"]
        got = self.ok("match", "leave", match, "ann")
        self.assertEqual(got["leftPlayerIds"], ["ann"])
        self.restart()
        got = self.ok("match", "leave", match, "ann")
        self.assertEqual([p["playerId"] for t in got["teams"] for p in t.get("players", [])],
                         ["bob"])
        self.create("ann", "held")
        self.assertEqual(self.ok("match", "leave", match, "bob")["state"], "MATCH_CANCELLED")

    def look(self, match, **more):
        return self.ok("backfill", "create", "-", stdin=json.dumps({"matchId": match, **more}))

    def players_of(self, match):
        got = self.ok("match", "get", match)
        return sorted(p["playerId"] for t in got["teams"] for p in t.get("players", []))

    def test_running_match_finds_another_player_though_the_server_is_killed_in_between(self):
        self.put("east")
        a = self.create("ann", "east")
        self.create("bob", "east")
        match = self.wait_state(a, "MATCHED")["match"]["matchId"]
        self.ok("match", "assign", match, "10.0.0.7:7777")
        self.refused("FAILED_PRECONDITION", "backfill", "create", "-",
                     stdin=json.dumps({"matchId": match}))  # no place is open
        self.ok("match", "leave", match, "ann")
        backfill = self.look(match)
        self.assertEqual((backfill["state"], backfill["matchId"]), ("BACKFILL_OPEN", match))
        self.restart()
        self.assertEqual(self.ok("backfill", "get", match, "--match")["backfillId"],
                         backfill["backfillId"])
        newcomer = self.wait_state(self.create("eve", "east"), "MATCHED")["match"]
        self.assertEqual((newcomer["matchId"], newcomer["connection"]), (match, "10.0.0.7:7777"))
        self.assertEqual(self.players_of(match), ["bob", "eve"])
        self.restart()
        self.assertEqual(self.players_of(match), ["bob", "eve"])
        self.assertEqual(self.ok("backfill", "get", backfill["backfillId"])["state"],
                         "BACKFILL_FILLED")
        self.refused("FAILED_PRECONDITION", "backfill", "cancel", backfill["backfillId"])

    def test_newcomers_are_asked_though_the_server_is_killed_in_between(self):
        self.put("ask", acceptanceRequired=True, acceptanceTimeoutSeconds=60,
                 backfillMode="AUTOMATIC")
        a, b, match = self.propose("ask")
        self.ok("match", "accept", match, "ann", "bob")
        self.ok("match", "leave", match, "ann")
        self.restart()
        self.assertTrue(self.ok("backfill", "get", match, "--match")["automatic"])
        asked = self.wait_state(self.create("eve", "ask"), "PROPOSED")["match"]
        self.assertEqual(asked["joinsMatchId"], match)
        self.restart()
        self.assertEqual(self.players_of(match), ["bob"])
        self.ok("match", "decline", asked["matchId"], "eve")
        eva = self.create("eva", "ask")
        asked = self.wait_state(eva, "PROPOSED")["match"]
        got = self.ok("match", "accept", asked["matchId"], "eva")
        self.assertEqual(got["state"], "MATCH_MERGED")
        self.restart()
        self.assertEqual(self.wait_state(eva, "MATCHED")["match"]["matchId"], match)
        self.assertEqual(self.players_of(match), ["bob", "eva"])

    def test_match_made_with_places_open_looks_by_itself_though_the_server_is_killed(self):
        teams = [{"name": name, "minPlayers": 1, "maxPlayers": 2} for name in ("red", "blue")]
        self.put("open", backfillMode="AUTOMATIC",
                 ruleset={"ruleLanguageVersion": "1.0", "teams": teams})
        a = self.create("ann", "open")
        self.create("bob", "open")
        match = self.wait_state(a, "MATCHED")["match"]["matchId"]
        wait_until("it looks for players", lambda: self.m.cli(
            "backfill", "get", match, "--match").returncode == 0)
        self.restart()
        self.assertTrue(self.ok("backfill", "get", match, "--match")["automatic"])
        for newcomer in ("eve", "eva"):
            got = self.wait_state(self.create(newcomer, "open"), "MATCHED")["match"]
            self.assertEqual(got["matchId"], match)
        self.assertEqual(self.players_of(match), ["ann", "bob", "eva", "eve"])
        self.refused("NOT_FOUND", "backfill", "get", match, "--match")  # it is full

    def test_match_of_the_games_own_is_filled_and_updated(self):
        self.put("east")
        backfill = self.ok("backfill", "create", "-", stdin=json.dumps(
            {"queue": "east", "connection": "10.0.0.9:1",
             "parties": [{"team": "red", "players": [{"playerId": "ann"}]}]}))
        match = backfill["matchId"]
        self.ok("backfill", "update", "-", stdin=json.dumps(
            {"backfillId": backfill["backfillId"],
             "parties": [{"team": "blue", "players": [{"playerId": "bob"}]}]}))
        self.assertEqual(self.ok("match", "get", match)["leftPlayerIds"], ["ann"])
        eve = self.wait_state(self.create("eve", "east"), "MATCHED")["match"]
        self.assertEqual((eve["matchId"], eve["connection"]), (match, "10.0.0.9:1"))
        self.assertEqual(self.players_of(match), ["bob", "eve"])

    def test_match_without_a_server_in_time_is_queued_again(self):
        self.put("slow", assignTimeoutSeconds=1)
        a = self.create("ann", "slow")
        self.create("bob", "slow")
        first = self.wait_state(a, "MATCHED")
        created = first["ticket"]["createTimeMs"]
        match = first["match"]["matchId"]
        self.restart()
        wait_until("it is cancelled", lambda: self.ok("match", "get", match)["state"] ==
                   "MATCH_CANCELLED")
        self.assertEqual(self.ok("match", "get", match)["reason"], "not assigned in time")
        again = [m for m in map(json.loads, self.m.cli("match", "list").stdout.splitlines())
                 if m["matchId"] != match]
        self.assertTrue(again, "they were matched again, or wait for it")
        ticket = self.ok("ticket", "get", again[0]["ticketIds"][0])["ticket"]
        self.assertEqual(ticket["createTimeMs"], created)

    def test_cancelled_match_requeues_when_told_to(self):
        self.put("east")
        a = self.create("ann", "east")
        self.create("bob", "east")
        match = self.wait_state(a, "MATCHED")["match"]["matchId"]
        self.ok("queue", "delete", "east")
        got = self.ok("match", "cancel", match, "--reason", "no server", "--requeue")
        self.assertEqual((got["state"], got["reason"]), ("MATCH_CANCELLED", "no server"))
        self.refused("NOT_FOUND", "ticket", "get", "ann", "--player")  # its queue is gone

    def test_silent_ticket_expires_and_a_new_leader_waits_for_signs_first(self):
        self.put("beat", heartbeatSeconds=5)
        a = self.create("ann", "beat")
        self.assertEqual(self.ok("ticket", "get", a)["ticket"]["heartbeatMs"], 5000)
        self.assertEqual(self.ok("ticket", "heartbeat", a)["goneTicketIds"], [])
        self.restart()
        self.assertEqual(self.state(a), "QUEUED")
        self.assertEqual(self.wait_state(a, "EXPIRED")["ticket"]["reason"], "no sign of life")
        self.assertEqual(self.ok("ticket", "heartbeat", a)["goneTicketIds"], [a])

    def test_ticket_is_updated_in_place(self):
        self.put("east")
        before = self.ok("ticket", "get", self.create("ann", "east"))["ticket"]
        after = self.ok("ticket", "update", "-", stdin=json.dumps(
            {"ticketId": before["ticketId"],
             "players": [{"playerId": "ann", "attributes": {"mood": "good"}}]}))
        self.assertEqual(after["players"][0]["attributes"], {"mood": "good"})
        self.assertEqual(after["createTimeMs"], before["createTimeMs"])
        self.restart()
        again = self.ok("ticket", "get", before["ticketId"])["ticket"]
        self.assertEqual(again["players"], after["players"])

    def test_events_tell_a_proposal_from_beginning_to_end(self):
        self.put("ask", acceptanceRequired=True, acceptanceTimeoutSeconds=60)
        follow = subprocess.Popen([BINARY, "events", "--api", self.m.api, "--events",
                                   self.m.events], stdout=subprocess.PIPE, text=True)
        lines = []

        def read():
            for line in follow.stdout:
                lines.append(json.loads(line))
        reader = threading.Thread(target=read, daemon=True)
        self.addCleanup(follow.stdout.close)
        self.addCleanup(reader.join, 30)
        self.addCleanup(follow.wait)
        self.addCleanup(follow.kill)
        reader.start()

        def probe():
            ticket = self.create("probe", "ask")
            self.ok("ticket", "cancel", ticket)
            return ticket
        wait_until("it hears", lambda: probe() and lines)
        last = probe()
        wait_until("the probes are over", lambda: lines[-1]["type"] == "TICKET_CANCELLED" and
                   lines[-1]["ticket"]["ticketId"] == last)
        before = len(lines)
        _, _, match = self.propose("ask")
        self.ok("match", "accept", match, "ann")
        self.ok("match", "decline", match, "bob")
        wait_until("all is told", lambda: len(lines) >= before + 7)
        self.assertEqual([e["type"] for e in lines[before:]],
                         ["TICKET_QUEUED", "TICKET_QUEUED", "MATCH_PROPOSED", "MATCH_ACCEPTANCE",
                          "MATCH_CANCELLED", "TICKET_RETURNED", "TICKET_CANCELLED"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
