"""A waiting player is told why, and how long: through the command line of a real server."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from muster_fixture import Muster, wait_until  # noqa: E402

DUEL = {
    "name": "duel",
    "tickMs": 10,
    "ruleset": {
        "ruleLanguageVersion": "1.0",
        "playerAttributes": [{"name": "skill", "type": "number"}],
        "teams": [{"name": "side", "quantity": 2, "minPlayers": 1, "maxPlayers": 1}],
        "rules": [{"name": "CloseSkill", "type": "batchDistance", "batchAttribute": "skill",
                   "maxDistance": 50}],
        "expansions": [{"target": "rules[CloseSkill].maxDistance",
                        "steps": [{"waitTimeSeconds": 3, "value": 200}]}],
    },
}
SQUAD = {
    "name": "squad",
    "tickMs": 10,
    "ruleset": {
        "ruleLanguageVersion": "1.0",
        "playerAttributes": [{"name": "plays", "type": "string_list", "default": []},
                             {"name": "avoid", "type": "string_list", "default": []}],
        "teams": [{"name": "side", "quantity": 2, "minPlayers": 2, "maxPlayers": 2}],
        "rules": [],
        "muster": {"avoid": {"attribute": "avoid"},
                   "roles": {"attribute": "plays", "perTeam": [
                       {"name": "tank", "minPlayers": 1, "maxPlayers": 1}, {"name": "damage"}]}},
    },
}


class Explain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.muster = Muster(queues=None)
        for queue in (DUEL, SQUAD):
            done = cls.muster.cli("queue", "put", "-", stdin=json.dumps(queue))
            assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.muster.close()

    def tearDown(self):
        for ticket in self.tickets:
            self.muster.cli("ticket", "cancel", ticket)

    def setUp(self):
        self.tickets = []

    def join(self, queue, player, **attributes):
        done = self.muster.cli("ticket", "create", "-", stdin=json.dumps(
            {"queues": [queue], "players": [{"playerId": player, "attributes": attributes}]}))
        self.assertEqual(done.returncode, 0, done.stderr)
        ticket = json.loads(done.stdout)
        self.tickets.append(ticket["ticketId"])
        return ticket

    def explain(self, ticket):
        done = self.muster.cli("ticket", "explain", ticket["ticketId"], "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_a_partner_too_far_away_is_named_with_the_rule_and_the_value(self):
        ann, bob = self.join("duel", "ann", skill=100), self.join("duel", "bob", skill=260)
        self.join("duel", "cy", skill=5000)
        told = self.explain(ann)
        queue = told["queues"][0]
        self.assertEqual(queue["reason"], "WAIT_RULES")
        self.assertEqual(queue["rule"], "CloseSkill")
        self.assertEqual(queue["ticketsQueued"], 3)
        self.assertEqual(queue["position"], 1)
        rule, = queue["rules"]
        self.assertEqual(rule["rejectedTickets"], 2)
        number, = rule["numbers"]
        self.assertEqual((number["name"], number["now"], number["next"]), ("maxDistance", 50, 200))
        miss = queue["nearestMiss"]
        self.assertEqual(miss["ticketId"], bob["ticketId"])
        self.assertEqual((miss["rule"], miss["measured"], miss["bound"]), ("CloseSkill", 160, 50))
        self.assertEqual(miss["admittingBound"], 200)
        self.assertLessEqual(miss["admittedInMs"], 3000)
        words = " ".join(told["sentences"])
        self.assertIn("160 away in skill; allowed are 50", words)
        self.assertNotIn("bob", words)
        by_hand = self.muster.cli("ticket", "explain", "ann", "--player")
        self.assertIn("nearest miss " + bob["ticketId"], by_hand.stdout)
        # What was foretold comes true.
        wait_until("the expansion matches ann and bob", lambda: json.loads(self.muster.cli(
            "ticket", "get", ann["ticketId"]).stdout)["ticket"]["state"] == "MATCHED")
        told = self.explain(ann)
        self.assertRegex(told["sentences"][0], "^You were matched after [34] s")
        self.assertNotIn("queues", {k: v for k, v in told.items() if v})

    def test_who_waits_is_listed_the_oldest_first(self):
        made = [self.join("duel", f"far-{i}", skill=10000 * i)["ticketId"] for i in range(1, 4)]
        listed = [json.loads(line) for line in self.muster.cli("ticket", "list", "duel").stdout.splitlines()]
        self.assertEqual([t["ticketId"] for t in listed if t["ticketId"] in made], made)
        self.assertEqual(listed[0]["players"][0]["attributes"]["skill"], 10000)
        first = self.muster.cli("ticket", "list", "duel", "--limit", "1").stdout.splitlines()
        self.assertEqual(json.loads(first[0])["ticketId"], made[0])
        self.assertEqual(len(first), 1)
        self.assertIn("NOT_FOUND", self.muster.cli("ticket", "list", "nobodys").stderr)

    def test_a_missing_role_is_named(self):
        ann = self.join("squad", "ann", plays=["damage"])
        for name in ("bob", "cy", "dan"):
            self.join("squad", name, plays=["damage"])
        queue = self.explain(ann)["queues"][0]
        self.assertEqual(queue["reason"], "WAIT_LACKING_ROLE")
        tank = next(role for role in queue["roles"] if role["name"] == "tank")
        self.assertEqual(tank["playersMin"], 2)
        self.assertEqual(tank.get("fittingPlayers", 0), 0)
        self.assertIn("2 players more in the role tank are needed.", self.explain(ann)["sentences"])

    def test_who_is_avoided_does_not_fit(self):
        ann = self.join("squad", "ann", avoid=["bob"])
        self.join("squad", "bob")
        queue = self.explain(ann)["queues"][0]
        self.assertEqual(queue["reason"], "WAIT_RULES")
        self.assertEqual(queue["rule"], "muster.avoid")
        self.assertEqual(queue.get("fittingTickets", 0), 0)

    def test_an_unknown_ticket_cannot_be_explained(self):
        done = self.muster.cli("ticket", "explain", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        self.assertEqual(done.returncode, 1)
        self.assertIn("NOT_FOUND", done.stderr)

    def test_waits_are_learnt_and_known_again_after_a_kill(self):
        for side in ("left", "right"):                # so who came first has waited for a while
            for i in range(40):
                self.join("duel", f"{side}{i}", skill=i * 1000)
        wait_until("they are matched", lambda: json.loads(self.muster.cli(
            "queue", "stats", "duel").stdout).get("ticketsQueued", 0) == 0)
        stats = json.loads(self.muster.cli("queue", "stats", "duel").stdout)
        self.assertGreaterEqual(stats["eta"]["samples"], 20)
        self.assertGreater(stats["eta"]["p90Ms"], 0)
        self.assertEqual(stats["etaByParty"][0]["playersMax"], 1)
        self.muster.process.kill()
        self.muster.start()
        ticket = self.join("duel", "eve", skill=0)
        self.assertGreater(ticket["etaP90Ms"], 0)
        self.assertGreaterEqual(ticket["etaP90Ms"], ticket["etaP50Ms"])
        self.assertTrue(any("nine in ten" in s for s in self.explain(ticket)["sentences"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
