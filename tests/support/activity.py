"""What players and back ends do, in short: for tests of what is counted of it.

    Activity(muster).everything()
"""
import json

from muster_fixture import wait_until


def definition(name, **settings):
    """A duel of anybody with anybody."""
    return {"name": name, "tickMs": 10, "ruleset": {
        "name": name, "ruleLanguageVersion": "1.0",
        "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 1},
                  {"name": "blue", "minPlayers": 1, "maxPlayers": 1}]}, **settings}


def skilled(name, distance, **settings):
    """A duel of equals, who put up with more from 1 s on."""
    queue = definition(name, **settings)
    queue["ruleset"] |= {
        "playerAttributes": [{"name": "skill", "type": "number"}],
        "rules": [{"name": "Fair", "type": "batchDistance", "batchAttribute": "skill",
                   "maxDistance": distance}],
        "expansions": [{"target": "rules[Fair].maxDistance",
                        "steps": [{"waitTimeSeconds": 1, "value": 2 * distance}]}]}
    return queue


def vast(name):
    """Two against two, whose matches look for players by themselves."""
    queue = definition(name, backfillMode="AUTOMATIC")
    for team in queue["ruleset"]["teams"]:
        team |= {"minPlayers": 2, "maxPlayers": 2}
    return queue


def pedantic(name):
    """Four players of whom no group is right, which only the evaluator finds out."""
    queue = definition(name)
    for team in queue["ruleset"]["teams"]:
        team |= {"minPlayers": 2, "maxPlayers": 2}
    queue["ruleset"] |= {
        "playerAttributes": [{"name": "skill", "type": "number"}],
        "rules": [{"name": "Never", "type": "comparison", "operation": "=", "referenceValue": -1,
                   "measurements": ["sum(flatten(teams[*].players.attributes[skill]))"]}]}
    return queue


class Activity:
    def __init__(self, muster):
        self.m = muster

    def ok(self, *words, stdin=None):
        done = self.m.cli(*words, stdin=stdin and json.dumps(stdin))
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    def create(self, player, queue, skill):
        return self.ok("ticket", "create", "-", stdin={
            "queues": [queue], "players": [{"playerId": player, "attributes": {"skill": skill}}]
        })["ticketId"]

    def wait_state(self, ticket, state):
        def ticket_now():
            answer = self.ok("ticket", "get", ticket)
            return answer if answer["ticket"]["state"] == state else None
        return wait_until(f"{ticket} is {state}", ticket_now, 30)

    def propose(self, first, second):
        a, b = self.create(first, "ask", 1), self.create(second, "ask", 1)
        return a, b, self.wait_state(a, "PROPOSED")["match"]["matchId"]

    def queues_are_put(self):
        self.ok("queue", "put", "-", stdin=[
            skilled("duel", 40), skilled("brief", 1, ticketTimeoutSeconds=1), pedantic("never"),
            skilled("ask", 100, acceptanceRequired=True, acceptanceTimeoutSeconds=60),
            definition("endless", backfillMode="AUTOMATIC"), vast("vast")])

    def tickets_live_and_end(self):
        self.create("ann", "duel", 100)
        far = self.create("bob", "duel", 150)  # until the expansion
        self.wait_state(self.create("cid", "brief", 1), "EXPIRED")
        self.ok("ticket", "cancel", self.create("dan", "duel", 9000))
        for i in range(20):
            self.create(f"pedant{i}", "never", i)
        self.wait_state(far, "MATCHED")
        assert self.m.cli("ticket", "get", "x").returncode == 1  # malformed

    def proposals_end(self):
        a, _, match = self.propose("eve", "fay")
        self.ok("match", "accept", match, "eve")
        self.ok("match", "accept", match, "fay")
        self.wait_state(a, "MATCHED")
        _, b, match = self.propose("gus", "hal")
        self.ok("match", "decline", match, "hal")
        self.wait_state(b, "CANCELLED")

    def matches_go_on(self):
        a = self.create("ira", "endless", 1)
        self.create("jon", "endless", 1)
        match = self.wait_state(a, "MATCHED")["match"]["matchId"]
        self.ok("match", "leave", match, "ira")
        self.wait_state(self.create("kai", "endless", 1), "MATCHED")
        self.ok("match", "leave", match, "kai")  # and nobody comes
        vast = [self.ok("ticket", "create", "-", stdin={"queues": ["vast"], "players": [
            {"playerId": f"leo{i}", "attributes": {f"list{k}": ["x" * 100] * 100
                                                   for k in range(10)}}]})["ticketId"]
                for i in range(4)]
        match = self.wait_state(vast[0], "MATCHED")["match"]["matchId"]
        self.ok("match", "leave", match, "leo0")  # what the others bring is too much to ask with

    def everything(self):
        self.queues_are_put()
        self.tickets_live_and_end()
        self.proposals_end()
        self.matches_go_on()
