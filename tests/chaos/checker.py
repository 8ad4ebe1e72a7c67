#!/usr/bin/env python3
"""Judges the histories of a chaos run. Knows the invariants and the lines, nothing of the server.

checker.py FOLDER       reads every *.jsonl there; exit status 1 and a line per violation

Lines are objects with "t" (CLOCK_MONOTONIC, ns; one clock for all processes of a machine) and "op":
  entry               the journal, as it stands in Redis, in its order: e, s, owner, records
  back                the journal's end went back to e-s: what came after is gone. Nothing of that may
                      have been acknowledged, and who heard of it must be told to resync
  create batch        a back end's: ph inv | ok | fail | info (nobody knows), r, players, ticket(s)
  get watch cancel    likewise: ticket, state
  accept decline      likewise, for the player p of a proposed match
  life                likewise, what was done with a match: do assign | leave | complete | cancel, or
                      with its backfill: look (create) | say (update) with players | stop (cancel)
  ev resync           an event, or a resync, that a service heard: e, s, i, id
  join look leave answer rx conn disc drop known    a player's: what he asked, looked up and heard
  bulk                so many creates of players whose names begin so were acknowledged: players, ok
  done                p is through and was still listening
  fault heal final    what was done to the processes
Invariants: I1 to I12, I14, I17, I18, I20 of tests/chaos/README.md, with proposals.py, matches.py and
backfills.py.
"""
import collections
import glob
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from matches import TEAM_SIZES, Matches  # noqa: E402
from proposals import Proposals  # noqa: E402

QUEUED, PROPOSED, MATCHED, CANCELLED, EXPIRED = 1, 2, 3, 4, 5
OPEN = (QUEUED, PROPOSED)
NAMES = {"QUEUED": 1, "PROPOSED": 2, "MATCHED": 3, "CANCELLED": 4, "EXPIRED": 5}
DELIVERY_NS = 3_000_000_000  # what happened later than this before the end may be on its way still


class Ticket:
    def __init__(self, players, made):
        self.players, self.made, self.state, self.ended = players, made, QUEUED, None


class Checker:
    def __init__(self, lines):
        self.violations = []
        self.counts = collections.Counter()
        self.by_op = collections.defaultdict(list)
        for line in lines:
            self.by_op[line["op"]].append(line)
            self.counts[line["op"]] += 1
        self.tickets, self.matches, self.events = {}, {}, {}
        self.proposals, self.lives = Proposals(self), Matches(self)
        self.order = []  # events in journal order: (e, s, i), when it was seen there

    def fail(self, name, text):
        self.violations.append((name, text))

    # ---- the journal ----

    def walk_journal(self):
        epoch, seq, owner = 0, 0, None
        self.player_in, keys = {}, {}
        self.drop_lost()
        for place, entry in enumerate(self.by_op["entry"]):
            e, s = entry["e"], entry["s"]
            if e < epoch:
                self.fail("I5", f"epoch {e} wrote after epoch {epoch}")
            elif e == epoch and s != seq + 1 or e > epoch and s != 1:
                self.fail("I5", f"{e}-{s} follows {epoch}-{seq}")
            if e == epoch and entry["owner"] != owner:
                self.fail("I5", f"epoch {e} has two owners, {owner} and {entry['owner']}")
            epoch, seq, owner = e, s, entry["owner"]
            index = 0
            for record in entry["records"]:
                for name in self.news_of(record):
                    self.events[(e, s, index)] = name
                    self.order.append(((e, s, index), entry["t"]))
                    index += 1
                self.walk_record(record, place, keys)
            self.proposals.entry_ends()

    @staticmethod
    def news_of(record):
        """What its events are about, in their order."""
        if record["carried"] or record["k"] in ("epoch", "penalized"):
            return []
        backfill = [record["backfill"]["id"]] if "backfill" in record else []
        if record["k"] == "backfill":
            return backfill
        joined = [record["match"]] if record.get("by") else []
        return [record.get("match") or record.get("ticket") or "", *joined,
                *(fate["ticket"] for fate in record.get("fates", [])), *backfill]

    def drop_lost(self):
        """The entries as they stand in the end. What was acknowledged of the others misses there."""
        left = []
        for line in sorted(self.by_op["entry"] + self.by_op["back"], key=lambda line: line["t"]) \
                if self.by_op["back"] else self.by_op["entry"]:
            if line["op"] == "entry":
                left.append(line)
            elif line.get("hole"):
                self.fail("I4", "entries of the journal were trimmed before they were seen")
            else:
                end = (line.get("e", 0), line.get("s", 0))
                left = [e for e in left if (e["e"], e["s"]) <= end]
        self.by_op["entry"] = left

    def walk_record(self, record, place, keys):
        kind = record["k"]
        if kind == "created" and not record["carried"]:
            self.walk_created(record, keys)
        elif kind == "created":
            ticket = self.tickets.get(record["ticket"])
            if ticket and ticket.state != record["state"]:
                self.fail("I18", f"{record['ticket']} was carried as {record['state']}")
        elif kind == "ended":
            self.end(record["ticket"], record["state"], place)
        elif kind == "match" and not record["carried"]:
            self.walk_match(record, place)
        elif kind == "match" and record["match"] in self.lives.by_name:
            self.lives.carried(record)
        elif kind == "match":
            self.proposals.carried(record)
        elif kind == "accepted":
            self.proposals.accepted(record, self.by_op["entry"][place]["t"])
        elif kind == "updated" and record["match"] in self.lives.by_name:
            self.lives.updated(record)
        elif kind == "updated":
            self.proposals.updated(record, place, self.by_op["entry"][place]["t"])
        elif kind == "roster":
            self.lives.roster(record, place, self.by_op["entry"][place]["t"])
        elif kind == "backfill" and record["carried"]:
            self.lives.backfills.carried(record["backfill"])
        elif kind == "backfill":
            put = record["backfill"]
            self.lives.backfills.put(put, self.lives.by_name.get(put["match"]),
                                     self.by_op["entry"][place]["t"])
        elif kind == "penalized":
            self.proposals.penalized(record)

    def walk_created(self, record, keys):
        name = record["ticket"]
        if name in self.tickets:
            self.fail("I8", f"{name} was created twice")
            return
        if record["key"] and record["key"] in keys:
            self.fail("I8", f"one request made {keys[record['key']]} and {name}")
        keys[record["key"]] = name
        self.tickets[name] = Ticket(record["players"], record["made"])
        self.proposals.created(record)
        self.lives.ticket_created(record)
        for player in record["players"]:
            if player in self.player_in:
                self.fail("I1", f"{player} is in {self.player_in[player]} and {name}")
            self.player_in[player] = name

    def end(self, name, state, place):
        ticket = self.tickets.get(name)
        if not ticket:
            self.fail("I6", f"{name} ends, but was never created")
            return
        if ticket.state not in OPEN:
            self.fail("I2", f"{name} ends as {state} after {ticket.state}")
        ticket.state, ticket.ended = state, self.by_op["entry"][place]["t"]
        for player in ticket.players:
            if self.player_in.get(player) == name:
                del self.player_in[player]

    def walk_match(self, record, place):
        name = record["match"]
        if name in self.matches:
            self.fail("I2", f"match {name} was made twice")
        self.matches[name] = record
        members = [player for team in record["teams"] for player in team]
        proposed = self.proposals.match_created(record)
        if not proposed:
            self.lives.made(record)
        expected = []
        for ticket in record["tickets"]:
            expected += self.tickets[ticket].players if ticket in self.tickets else []
            if not proposed:
                self.end(ticket, MATCHED, place)
            elif ticket not in self.tickets or self.tickets[ticket].state != PROPOSED:
                self.fail("I6", f"{ticket} is proposed {name}, but does not wait")
        if sorted(members) != sorted(expected):
            self.fail("I6", f"match {name} has other players than its tickets")
        least, most = TEAM_SIZES[record["queue"]]
        least = 0 if record["joins"] else least
        if len(record["teams"]) != 2 or any(not least <= len(team) <= most
                                            for team in record["teams"]):
            self.fail("I6", f"match {name} of {record['queue']} has wrong teams")
        if record["queue"] == "pairs":
            for ticket in record["tickets"]:
                party = self.tickets.get(ticket)
                if party and not any(set(party.players) <= set(team) for team in record["teams"]):
                    self.fail("I20", f"the party of {ticket} was split")

    # ---- answers ----

    def check_answers(self):
        asked, ever = {}, set()
        for op in ("create", "batch", "get", "watch", "cancel", "accept", "decline", "life"):
            for line in self.by_op[op]:
                if line["ph"] == "inv":
                    if line["r"] in ever:
                        self.fail("I12", f"{line['r']} was asked twice")
                    ever.add(line["r"])
                    asked[line["r"]] = line
                    continue
                inv = asked.pop(line["r"], None)
                if inv is None:
                    self.fail("I12", f"{line['r']} was answered, but not asked or twice")
                    continue
                line["asked"] = inv["t"]
                if inv["t"] > line["t"] or op != "create" and any(
                        inv.get(k, line.get(k)) != line.get(k) for k in ("ticket", "match", "p", "do")):
                    self.fail("I12", f"{line['r']} was answered as something else")
                if op == "create":
                    self.check_created(line, [inv["players"]], [line["ticket"]])
                elif op == "batch":
                    players = [[p] for p in inv["players"]]
                    self.check_created(line, players, line["tickets"])
                elif op == "cancel":
                    self.check_cancel(line)
        for r, line in asked.items():
            self.fail("I12", f"{line['op']} {r} was never answered")
        self.check_reads()

    def check_created(self, line, players, names):
        if line["ph"] != "ok":
            return
        if len(names) != len(players):
            self.fail("I8", f"{line['r']} asked for {len(players)} tickets and has {len(names)}")
        for expected, name in zip(players, names):
            if not name:
                continue
            self.counts["acknowledged"] += 1
            ticket = self.tickets.get(name)
            if not ticket:
                self.fail("I4", f"{name} was acknowledged ({line['r']}) and is not in the journal")
            elif ticket.players != expected:
                self.fail("I8", f"{line['r']} was answered with {name} of other players")

    def check_cancel(self, line):
        ticket = self.tickets.get(line["ticket"])
        if not ticket:
            if line["ph"] == "ok":
                self.fail("I4", f"the cancel of {line['ticket']} was acknowledged, but it is not there")
            return
        if line["ph"] == "ok" and ticket.state != CANCELLED:
            self.fail("I7", f"the cancel of {line['ticket']} was acknowledged: it is {ticket.state}")
        if line["ph"] == "fail" and line["code"] == "FAILED_PRECONDITION" and \
                ticket.state not in (MATCHED, EXPIRED):
            self.fail("I7", f"the cancel of {line['ticket']} was too late: it is {ticket.state}")

    def check_reads(self):
        """I10 in one pass over starts and ends: what was seen ended is seen ended ever after."""
        moments = []
        for op in ("create", "get", "watch", "cancel"):
            for line in self.by_op[op]:
                if line["ph"] == "inv" or not line.get("ticket") or "asked" not in line:
                    continue
                state = line.get("state", QUEUED)
                ticket = self.tickets.get(line["ticket"])
                if line["ph"] == "ok" and op != "create" and state in OPEN and ticket and \
                        ticket.ended and ticket.ended < line["asked"]:
                    self.fail("I10", f"{line['ticket']} was read as {state} after it had ended")
                if line["ph"] == "ok":
                    moments.append((line["t"], 0, line["ticket"], state, line))
                    moments.append((line["asked"], 1, line["ticket"], state, line))
                elif line.get("code") == "NOT_FOUND":
                    moments.append((line["asked"], 1, line["ticket"], None, line))
        known, floor = {}, {}
        for _, begins, name, state, line in sorted(moments, key=lambda m: m[:2]):
            if begins:
                floor[line["r"]] = known.get(name)
                if state is None and name in known:
                    self.fail("I10", f"{name} was acknowledged and is not found ({line['r']})")
                continue
            before = floor.get(line["r"])
            if before is not None and before not in OPEN and state != before:
                self.fail("I10", f"{name} was {before}, then {state} ({line['r']})")
            if known.get(name) is None or known[name] in OPEN:
                known[name] = state
        for name, state in known.items():
            ticket = self.tickets.get(name)
            if ticket and state not in OPEN and ticket.state != state:
                self.fail("I10", f"{name} was read as {state}, the journal has {ticket.state}")

    # ---- events ----

    def check_services(self):
        heard = collections.defaultdict(list)
        for op in ("ev", "resync", "done"):
            for line in self.by_op[op]:
                heard[line["p"]].append(line)
        for service, lines in heard.items():
            if any(line["op"] == "ev" for line in lines):
                self.check_service(service, sorted(lines, key=lambda line: line["t"]))

    def check_service(self, service, lines):
        got, last_resync = set(), max((line["t"] for line in lines if line["op"] == "resync"),
                                      default=-1)
        for line in lines:
            if line["op"] == "resync":
                got.clear()
            if line["op"] != "ev":
                continue
            at = (line["e"], line["s"], line["i"])
            if self.events.get(at) != line["id"] and line["type"] not in (5, 6):
                if line["t"] > last_resync:
                    self.fail("I9", f"{service} heard {at} {line['id']}: the journal has "
                                    f"{self.events.get(at)}")
            elif at in got:
                self.fail("I3", f"{service} heard {at} twice")
            got.add(at)
        if not got or lines[-1]["op"] != "done":
            return
        first, until = min(got), lines[-1]["t"] - DELIVERY_NS
        missing = [at for at, t in self.order if at >= first and t < until and at not in got]
        for at in missing[:3]:
            self.fail("I9", f"{service} never heard {at} ({len(missing)} in all)")

    def check_players(self):
        lines = collections.defaultdict(list)
        for op in ("join", "rx", "conn", "disc", "drop", "look", "known", "leave", "answer"):
            for line in self.by_op[op]:
                lines[line["p"]].append(line)
        done = max((line["t"] for line in self.by_op["done"] if line["p"] == "players"), default=0)
        for player, own in lines.items():
            own.sort(key=lambda line: line["t"])
            self.check_player(player, own, done)

    def check_player(self, player, lines, done):
        waiting = {}  # ticket -> why it is not odd that he has heard nothing
        told = set()  # tickets that he has heard the end of, perhaps before that he has joined
        away = joining = False  # whether he lost his connection while he joined
        asked, ever = set(), set()
        proposed = {line["match"] for line in lines if line["op"] == "rx" and
                    line["ev"] == "match_proposed"}
        for line in lines:
            op = line["op"]
            self.check_said(player, line, asked)
            if op == "join" and line["ph"] == "inv":
                if line["r"] in ever:
                    self.fail("I12", f"{line['r']} of {player} was asked twice")
                ever.add(line["r"])
                asked.add(line["r"])
            elif op == "join" and line["r"] not in asked:
                self.fail("I12", f"{line['r']} was answered, but not asked or twice")
            elif op == "join":
                asked.remove(line["r"])
            if op == "join" and line["ph"] == "ok":
                self.counts["acknowledged"] += 1
                ticket = self.tickets.get(line["ticket"])
                if not ticket:
                    self.fail("I4", f"{line['ticket']} of {player} is not in the journal")
                elif ticket.players != [player]:
                    self.fail("I8", f"{player} was told of {line['ticket']} of {ticket.players}")
                if line["ticket"] not in told:
                    waiting[line["ticket"]] = False
                if away:  # a proposal may have come and gone
                    proposed.update(self.proposals.of_ticket.get(line["ticket"], ()))
            elif op in ("conn", "disc") or op == "rx" and line["ev"] == "resync":
                waiting = {name: True for name in waiting}
                away = away or joining
            if op == "join":
                joining = line["ph"] == "inv"
                away = away and joining
            if op == "rx":
                self.check_heard(player, line)
            if op == "known" or op == "rx" and NAMES.get(line["state"], 1) not in OPEN:
                told.add(line["ticket"])
                if waiting.pop(line["ticket"], True) is False and \
                        not proposed.issuperset(self.proposals.of_ticket.get(line["ticket"], ())):
                    self.fail("I3", f"{player} was not told of a proposal to {line['ticket']}")
            if op == "look":
                self.check_look(player, line)
        if done and asked:
            self.fail("I12", f"{asked} of {player} were never answered")
        for name, excused in waiting.items():
            ticket = self.tickets.get(name)
            if not excused and ticket and ticket.ended and ticket.ended < done - DELIVERY_NS:
                self.fail("I3", f"{player} was never told that {name} has ended")

    def check_said(self, player, line, asked):
        """An answer to a proposal: asked once, and answered once."""
        if line["op"] != "answer":
            return
        key = ("answer", line["match"])
        if line["ph"] == "inv":
            if key in asked:
                self.fail("I12", f"{player} answered {line['match']} twice")
            asked.add(key)
        elif key not in asked:
            self.fail("I12", f"{player}'s answer to {line['match']} ended, but never began")
        else:
            asked.remove(key)

    def check_heard(self, player, line):
        if line["players"] and player not in line["players"]:
            self.fail("I11", f"{player} heard of {line['ticket'] or line['match']} of others")
        if line["ev"] == "match_found":
            match = self.matches.get(line["match"])
            if not match:
                self.fail("I9", f"{player} heard of match {line['match']}: no such match")
            elif line["match"] not in self.lives.by_name:
                self.fail("I9", f"{player} heard that match {line['match']} was made: it was not")
            elif player not in self.lives.by_name[line["match"]].ever:
                self.fail("I11", f"{player} heard of match {line['match']} of others")
        elif line["ev"] == "match_proposed" and line["match"] not in self.matches:
            self.fail("I9", f"{player} was proposed {line['match']}: no such match")
        elif line["ticket"]:
            ticket, state = self.tickets.get(line["ticket"]), NAMES.get(line["state"])
            if not ticket:
                self.fail("I9", f"{player} heard of {line['ticket']}: no such ticket")
            elif state not in OPEN and state != ticket.state:
                self.fail("I9", f"{player} heard that {line['ticket']} is {line['state']}: it is "
                                f"{ticket.state}")

    def check_look(self, player, line):
        """What he reads is so; that he has not been told yet may be for the faults."""
        state = NAMES.get(line["state"])
        if state and state not in OPEN:
            ticket = self.tickets.get(line["ticket"])
            if ticket and ticket.state != state:
                self.fail("I10", f"{player} read {line['ticket']} as {state}: it is {ticket.state}")
        elif line["code"] == "NOT_FOUND":
            self.fail("I10", f"{line['ticket']} of {player} was acknowledged and is not found")

    # ---- all of it ----

    def check_bulk(self):
        for line in self.by_op["bulk"]:
            made = sum(t.players[0].startswith(line["players"]) for t in self.tickets.values())
            self.counts["acknowledged"] += line["ok"]
            if made < line["ok"]:
                self.fail("I4", f"{line['ok']} tickets of {line['players']}* were acknowledged, "
                                f"{made} are in the journal")

    def check_end(self):
        if not self.by_op["final"]:
            return
        still_open = [name for name, t in self.tickets.items() if t.state in OPEN]
        for name in still_open[:3]:
            self.fail("I14", f"{name} is still open ({len(still_open)} in all)")

    def judge(self):
        self.walk_journal()
        self.check_answers()
        self.proposals.check()
        self.lives.check()
        self.check_services()
        self.check_players()
        self.check_bulk()
        self.check_end()
        return self.violations


def read_file(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(text) for text in f if text.endswith("\n")]


def read(folder):
    return [line for path in sorted(glob.glob(os.path.join(folder, "*.jsonl")))
            for line in read_file(path)]


def main():
    checker = Checker(read(sys.argv[1]))
    violations = checker.judge()
    for name, text in violations[:40]:
        print(f"VIOLATION {name}: {text}")
    c = checker.counts
    print(f"{len(violations)} violations; {c['entry']} entries, {len(checker.tickets)} tickets, "
          f"{c['acknowledged']} acknowledged, {len(checker.matches)} matches, {c['ev']} events heard, "
          f"{c['rx']} told to players, {c['drop']} connections dropped, {c['fault']} faults")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
