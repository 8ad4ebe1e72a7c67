"""The life of made matches, judged over the histories: who is held by which, who left, how it ended.

As proposals.py: the checker hands over the journal's records in their order, then asks for the
answers to be held against them.
"""
from backfills import Backfills

MADE, ASSIGNED, COMPLETED, CANCELLED = 2, 3, 4, 5
MATCHED = 3  # of a ticket
MOVES = {MADE: (ASSIGNED, COMPLETED, CANCELLED), ASSIGNED: (COMPLETED, CANCELLED)}
HOLDS = {"pairs", "arena"}  # the queues whose matches hold their players until they are over
TEAM_SIZES = {"duel": (1, 1), "pairs": (2, 2), "ready": (1, 1), "1v1_duel": (1, 1), "arena": (1, 3)}


class Life:
    def __init__(self, record):
        self.state, self.assigned = MADE, False
        self.players = {player for team in record["teams"] for player in team}
        self.ever, self.left = set(self.players), set()

    @property
    def runs(self):
        return self.state in (MADE, ASSIGNED)


class Matches:
    def __init__(self, checker):
        self.checker, self.fail = checker, checker.fail
        self.by_name = {}
        self.held = {}  # player -> the live match that holds him
        self.backfills = Backfills(checker)

    def made(self, record):
        life = self.by_name[record["match"]] = Life(record)
        self.hold(record, life.players)

    def hold(self, record, players):
        for player in players if record["queue"] in HOLDS else ():
            if player in self.held:
                self.fail("I1", f"{player} is in {self.held[player]} and {record['match']}")
            self.held[player] = record["match"]

    def release(self, match, players):
        for player in players:
            if self.held.get(player) == match:
                del self.held[player]

    def updated(self, record):
        name, life = record["match"], self.by_name[record["match"]]
        if record["state"] not in MOVES.get(life.state, ()):
            self.fail("I2", f"match {name} goes from {life.state} to {record['state']}")
        life.state = record["state"]
        life.assigned = life.assigned or life.state == ASSIGNED
        if life.state in (COMPLETED, CANCELLED):
            self.release(name, life.players)
            self.backfills.match_over(name)
            life.left |= life.players - {p for team in record["teams"] for p in team}

    def roster(self, record, place, seen):
        name, life = record["match"], self.by_name.get(record["match"])
        if not life or not life.runs:
            self.fail("I2", f"players leave or join match {name}, which is not live")
            return
        if record["proposal"]:
            self.checker.proposals.merged(record, seen)
        for player in record["left"]:
            if player not in life.players:
                self.fail("I6", f"{player} leaves match {name}, in which he is not")
            life.players.discard(player)
            life.left.add(player)
        self.release(name, record["left"])
        self.join(record, life, place)
        if {player for team in record["teams"] for player in team} != life.players:
            self.fail("I6", f"match {name} has other players than were left in it, or joined")
        if any(len(team) > TEAM_SIZES[record["queue"]][1] for team in record["teams"]):
            self.fail("I20", f"match {name} has more players than places")
        if "backfill" in record:
            self.backfills.put(record["backfill"], life, seen)

    def join(self, record, life, place):
        name, by_ticket = record["match"], set()
        for ticket in record["by"]:
            known = self.checker.tickets.get(ticket)
            by_ticket |= set(known.players if known else ())
            waits = self.checker.proposals.is_asked(ticket, record["proposal"])
            if not waits:
                self.fail("I20", f"{ticket} joins match {name} without being asked, or while it is")
            self.checker.end(ticket, MATCHED, place)
        if not by_ticket <= set(record["joined"]):
            self.fail("I6", f"tickets of others than joined match {name} end with it")
        for player in record["joined"]:
            if player in life.players:
                self.fail("I20", f"{player} joins match {name}, in which he is")
            if player in self.checker.player_in:
                self.fail("I1", f"{player} joins match {name} and is in "
                                f"{self.checker.player_in[player]}")
        self.hold(record, record["joined"])
        life.players |= set(record["joined"])
        life.ever |= set(record["joined"])

    def carried(self, record):
        life = self.by_name.get(record["match"])
        if life and life.state != record["state"]:
            self.fail("I18", f"match {record['match']} was carried as {record['state']}")

    def ticket_created(self, record):
        for player in record["players"]:
            if player in self.held:
                self.fail("I1", f"{player} of live match {self.held[player]} is in "
                                f"{record['ticket']}")

    # ---- answers ----

    def check(self):
        for line in self.checker.by_op["life"]:
            if line["ph"] != "inv":
                self.check_answer(line, self.by_name.get(line["match"]))

    def check_answer(self, line, life):
        name, do = line["match"], line["do"]
        if do in ("look", "say", "stop"):
            if line.get("backfill"):
                self.backfills.check_answer(line)
            if do != "look":
                return
        if not life:
            if line["ph"] == "ok":
                self.fail("I4", f"{do} of {name} was acknowledged: no such match")
            return
        over = life.state in (COMPLETED, CANCELLED)
        done = {"assign": life.assigned, "complete": life.state == COMPLETED,
                "cancel": life.state == CANCELLED, "leave": line["p"] in life.left,
                "look": True}[do]
        if line["ph"] == "ok" and not done:
            self.fail("I4", f"{do} of match {name} was acknowledged and is lost: it is {life.state}")
        if line["code"] == "FAILED_PRECONDITION" and do != "look" and not (
                over or do == "assign" and life.assigned):
            self.fail("I7", f"{do} of match {name} was too late, but it is {life.state}")
        if line["code"] == "NOT_FOUND":
            self.fail("I10", f"match {name} was made and is not found ({line['r']})")
