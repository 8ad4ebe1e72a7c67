"""I17, judged over the histories: who said what to a proposal, what became of it, and who pays.

The checker hands over the journal's records in their order, then asks for the answers to be held
against them. Knows the invariant and the lines, nothing of the server.
"""
QUEUED, PROPOSED, MATCHED, CANCELLED = 1, 2, 3, 4
MADE, FAILED, MERGED = 2, 5, 6  # of a match; 1 is PROPOSED
NONE, YES, NO = 0, 1, 2  # a player's answer
ASKS = {"ready", "arena"}  # the queues whose matches are proposed
DODGE_MS = {"ready": (1000, 2000)}  # by offence, the last for all further ones


class Proposal:
    def __init__(self, record):
        self.state, self.until, self.queue = record["state"], record["until"], record["queue"]
        self.tickets = record["tickets"]
        self.answers = {p: NONE for team in record["teams"] for p in team}
        self.accepted = set()
        self.joins = record["joins"]  # the running match that newcomers are asked for; or empty


class Proposals:
    def __init__(self, checker):
        self.checker, self.fail = checker, checker.fail
        self.by_match = {}
        self.of_ticket = {}  # ticket -> its proposals' matches
        self.barred, self.owed = {}, {}  # player -> (until, offences); (queue, player) -> count
        self.said = {}  # (match or ticket, player, answer) -> when it was first asked for
        for op, answer in (("accept", YES), ("decline", NO)):
            for line in checker.by_op[op]:
                self.note_said(line, line["match"], line["p"], answer)
        for line in checker.by_op["answer"]:
            self.note_said(line, line["match"], line["p"], YES if line["yes"] else NO)
        for op in ("cancel", "leave"):  # who leaves the queue declines
            for line in checker.by_op[op]:
                self.note_said(line, line["ticket"], None, NO)

    def note_said(self, line, what, player, answer):
        if line.get("ph") == "inv":
            self.said.setdefault((what, player, answer), line["t"])

    def was_said(self, match, player, answer, seen):
        if self.said.get((match, player, answer), seen + 1) <= seen:
            return True
        return answer == NO and any(
            self.said.get((ticket, None, NO), seen + 1) <= seen
            for ticket in self.by_match[match].tickets
            if player in getattr(self.checker.tickets.get(ticket), "players", ()))

    # ---- records ----

    def match_created(self, record):
        """True: it is proposed, and its tickets' end is still to come."""
        name, asks = record["match"], record["queue"] in ASKS
        if (record["state"] == 1) != asks:
            self.fail("I17", f"match {name} of {record['queue']} begins as {record['state']}")
        for ticket in record["tickets"]:
            known = self.checker.tickets.get(ticket)
            if known and known.state == PROPOSED:
                self.fail("I17", f"{ticket} is taken by {name} while it is proposed another")
            if known and asks and known.state == QUEUED:
                known.state = PROPOSED
            if asks:
                self.of_ticket.setdefault(ticket, []).append(name)
        if asks:
            self.by_match[name] = Proposal(record)
            if record["joins"]:
                self.checker.lives.backfills.asks(record)
        return asks

    def is_asked(self, ticket, match):
        """Whether the ticket is proposed the match; or, of no match, waits."""
        known = self.checker.tickets.get(ticket)
        if not match:
            return known and known.state == QUEUED
        return known and known.state == PROPOSED and self.of_ticket.get(ticket, [""])[-1] == match

    def find(self, record):
        proposal = self.by_match.get(record["match"])
        if proposal and proposal.state == 1:
            return proposal
        self.fail("I17", f"{record['match']} is {record['k']}, but not proposed (any more)")
        return None

    def take(self, match, player, answer, seen):
        proposal = self.by_match[match]
        if player not in proposal.answers:
            self.fail("I17", f"{player} answers {match}, which he is not in")
            return
        if proposal.answers[player] == answer:
            return
        if answer == NONE:
            self.fail("I17", f"{player}'s answer to {match} is forgotten")
        elif not self.was_said(match, player, answer, seen):
            self.fail("I17", f"nobody gave {player}'s answer {answer} to {match}")
        if answer == YES:
            proposal.accepted.add(player)
        proposal.answers[player] = answer

    def accepted(self, record, seen):
        if self.find(record):
            for player in record["accepted"]:
                self.take(record["match"], player, YES, seen)

    def updated(self, record, place, seen):
        proposal = self.find(record)
        if not proposal:
            return
        if record["tickets"] != proposal.tickets or \
                {p for team in record["teams"] for p in team} != set(proposal.answers):
            self.fail("I17", f"{record['match']} was settled for others than it was proposed to")
        for player, answer in record["answers"].items():
            self.take(record["match"], player, answer, seen)
        proposal.state = record["state"]
        if record["state"] == FAILED:
            self.failed(record, proposal, place)
        else:
            self.made(record, proposal, place)

    def merged(self, record, seen):
        """Newcomers are in the match that they were asked for."""
        name = record["proposal"]
        proposal = self.by_match.get(name)
        if not proposal or proposal.state != 1 or proposal.joins != record["match"] or \
                proposal.tickets != record["by"]:
            self.fail("I17", f"{record['match']} takes in others than {name} has asked")
            return
        for player in record["joined"]:
            self.take(name, player, record["answers"].get(player, NONE), seen)
        if any(answer != YES for answer in proposal.answers.values()):
            self.fail("I17", f"{name} was joined though not all accepted")
        if record["ms"] >= proposal.until:
            self.fail("I17", f"{name} was joined after its time")
        proposal.state = MERGED

    def made(self, record, proposal, place):
        if any(answer != YES for answer in proposal.answers.values()):
            self.fail("I17", f"{record['match']} was made though not all accepted")
        if record["ms"] >= proposal.until:
            self.fail("I17", f"{record['match']} was made after its time")
        for ticket in proposal.tickets:
            self.checker.end(ticket, MATCHED, place)
        self.checker.lives.made(record)

    def carried(self, record):
        proposal = self.by_match.get(record["match"])
        if proposal and proposal.state != record["state"]:
            self.fail("I18", f"match {record['match']} was carried as {record['state']}")

    def failed(self, record, proposal, place):
        name = record["match"]
        declined = NO in proposal.answers.values()
        # nobody is at fault when the match that newcomers were asked for has changed under them
        withdrawn = proposal.joins and not declined and record["reason"] != "not accepted in time"
        self.checker.lives.backfills.failed(record)
        if not declined and not withdrawn and record["ms"] < proposal.until:
            self.fail("I17", f"{name} failed before its time, declined by nobody")
        if sorted(f["ticket"] for f in record["fates"]) != sorted(proposal.tickets):
            self.fail("I17", f"{name} failed with the fates of other tickets")
        for fate in record["fates"]:
            ticket = self.checker.tickets.get(fate["ticket"])
            if not ticket:
                continue
            guilty = [p for p in ticket.players if not withdrawn and
                      proposal.answers.get(p) == (NO if declined else NONE)]
            if fate["state"] != (CANCELLED if guilty else QUEUED):
                self.fail("I17", f"{fate['ticket']} of failed {name} is {fate['state']}; at fault: "
                                 f"{guilty}")
            if fate["made"] != ticket.made:
                self.fail("I17", f"{fate['ticket']} lost its clock")
            for player in guilty:
                if proposal.queue in DODGE_MS:
                    key = (proposal.queue, player)
                    self.owed[key] = self.owed.get(key, 0) + 1
            if fate["state"] == QUEUED:
                ticket.state = QUEUED
            else:
                self.checker.end(fate["ticket"], fate["state"], place)

    def penalized(self, record):
        player, key = record["player"], (record["queue"], record["player"])
        steps = DODGE_MS[record["queue"]]
        if record["carried"]:
            if self.barred.get(player) != (record["until"], record["offences"]):
                self.fail("I18", f"{player}'s penalty was carried as another")
            return
        if self.owed.get(key, 0) == 0:
            self.fail("I17", f"{player} is barred and let nothing fail")
        else:
            self.owed[key] -= 1
        step = steps[min(record["offences"], len(steps)) - 1]
        if record["until"] != record["ms"] + step:
            self.fail("I17", f"{player} is barred for {record['until'] - record['ms']} ms by offence "
                             f"{record['offences']}")
        self.barred[player] = (record["until"], record["offences"])

    def created(self, record):
        for player in record["players"]:
            if set(record["queues"]) & set(DODGE_MS) and \
                    self.barred.get(player, (0, 0))[0] > record["ms"]:
                self.fail("I17", f"{player} joined a queue that he is barred from")

    def entry_ends(self):
        for (queue, player), count in self.owed.items():
            if count:
                self.fail("I17", f"{player} let a match of {queue} fail and is not barred")
        self.owed.clear()

    # ---- answers ----

    def check(self):
        for op, answer in (("accept", YES), ("decline", NO)):
            for line in self.checker.by_op[op]:
                if line["ph"] != "inv":
                    self.check_answer(line, answer)
        for line in self.checker.by_op["answer"]:
            if line["ph"] == "end":
                self.check_answer(line, YES if line["yes"] else NO)
        if self.checker.by_op["final"]:
            for name, proposal in self.by_match.items():
                if proposal.state == 1:
                    self.fail("I14", f"{name} still asks its players")

    def check_answer(self, line, answer):
        proposal = self.by_match.get(line["match"])
        if not proposal:  # gone with what was acknowledged to nobody
            if line["code"] == "OK":
                self.fail("I4", f"{line['p']}'s answer to {line['match']} was acknowledged: no such "
                                "match")
            return
        if line["code"] == "OK" and answer == YES and line["p"] not in proposal.accepted:
            self.fail("I4", f"{line['p']}'s yes to {line['match']} was acknowledged and is lost")
        if line["code"] == "OK" and answer == NO and (
                proposal.state != FAILED or proposal.answers.get(line["p"]) != NO):
            self.fail("I4", f"{line['p']}'s no to {line['match']} was acknowledged and is lost")
        if line["code"] == "FAILED_PRECONDITION" and (
                proposal.state == 1 or answer == YES and proposal.state != FAILED):
            self.fail("I17", f"{line['p']} came too late for {line['match']}, but nothing had "
                             "settled it")
        if line["code"] == "NOT_FOUND":
            self.fail("I10", f"{line['match']} was proposed to {line['p']} and is not found")
