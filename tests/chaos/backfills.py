"""I20, judged over the histories: what looks for players for a running match, whom it asks, and that
what a game was told of it holds.

As matches.py, which hands over what records say of backfills.
"""
OPEN, PROPOSED, FILLED, CANCELLED, EXPIRED = 1, 2, 3, 4, 5
ACTIVE = (OPEN, PROPOSED)


class Looking:
    def __init__(self, match):
        self.match, self.state, self.proposal = match, OPEN, ""
        self.rosters = []  # (when it was seen in the journal, who is in the match)


class Backfills:
    def __init__(self, checker):
        self.checker, self.fail = checker, checker.fail
        self.by_id = {}
        self.of_match = {}  # match -> its active backfill

    def put(self, record, life, seen):
        """`life`: of its match."""
        name, active = record["id"], record["state"] in ACTIVE
        looking = self.by_id.setdefault(name, Looking(record["match"]))
        if looking.match != record["match"]:
            self.fail("I20", f"backfill {name} was of {looking.match}, and is of {record['match']}")
        if looking.state not in ACTIVE:
            self.fail("I20", f"backfill {name} was over ({looking.state}), and is {record['state']}")
        other = self.of_match.get(record["match"], name)
        if active and other != name:
            self.fail("I20", f"match {record['match']} has the backfills {other} and {name}")
        if active and (not life or not life.runs):
            self.fail("I20", f"backfill {name} looks for match {record['match']}, which does not run")
        elif active and set(record["players"]) != life.players:
            self.fail("I20", f"backfill {name} knows other players than match {record['match']}")
        looking.state, looking.proposal = record["state"], record["proposal"]
        looking.rosters.append((seen, set(record["players"])))
        if active:
            self.of_match[record["match"]] = name
        elif other == name:
            self.of_match.pop(record["match"], None)

    def carried(self, record):
        looking = self.by_id.get(record["id"])
        if looking and looking.state != record["state"]:
            self.fail("I18", f"backfill {record['id']} was carried as {record['state']}")

    def match_over(self, match):
        if match in self.of_match:
            self.fail("I20", f"match {match} is over, and {self.of_match[match]} looks for it still")

    def asks(self, record):
        """Newcomers are asked."""
        looking = self.by_id.get(record["seeks"])
        if not looking or looking.state != OPEN or looking.match != record["joins"]:
            self.fail("I20", f"{record['match']} asks newcomers for {record['joins']}, which does not "
                             "look for any")
        else:
            looking.state, looking.proposal = PROPOSED, record["match"]

    def failed(self, record):
        """They have not accepted, or need not: it looks on."""
        looking = self.by_id.get(record["seeks"])
        if looking and looking.proposal == record["match"]:
            looking.state, looking.proposal = OPEN, ""

    # ---- answers ----

    def check_answer(self, line):
        name, looking = line["backfill"], self.by_id.get(line["backfill"])
        if not looking:
            if line["ph"] == "ok":
                self.fail("I4", f"{line['do']} of backfill {name} was acknowledged: no such backfill")
            return
        if line["ph"] == "ok" and line["do"] == "say" and not any(
                seen >= line.get("asked", 0) and players == set(line["players"])
                for seen, players in looking.rosters):
            self.fail("I4", f"who is in {looking.match} was acknowledged and is lost ({line['r']})")
        if line["do"] == "stop" and (
                line["ph"] == "ok" and looking.state != CANCELLED or
                line["code"] == "FAILED_PRECONDITION" and looking.state in ACTIVE):
            self.fail("I7", f"the cancel of backfill {name}: {line['code']}, and it is "
                            f"{looking.state}")
        if line["code"] == "NOT_FOUND":
            self.fail("I10", f"backfill {name} was acknowledged and is not found ({line['r']})")
