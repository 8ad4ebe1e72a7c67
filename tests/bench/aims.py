"""What is aimed at, on two cores with everything on one machine, and whether it was met.

An aim is judged round by round, since what shares the machine disturbs both sides of a ratio. It is
shown beside the floor that the machine itself set in the same round, where there is one.
"""
import statistics


class Aim:
    def __init__(self, words, row, unit, limit, aim, floor=None, beside="", load=None):
        self.words, self.row, self.unit = words, row, unit
        self.limit = limit if callable(limit) else lambda r: limit
        self.aim = aim            # in words; "≥" first where more is better
        self.floor = floor        # of a round's rows: what the machine can do at best
        self.beside = beside      # what that is, in words
        self.load = load          # which load shows where the time goes (hotspots.py)

    def having(self, rounds):
        """Rounds in which it and what it is measured by were measured."""
        return [r for r in rounds if self.row in r and known(self.limit, r)]

    def beside_floor(self, rounds):
        """In words, the median; a dash where there is no floor."""
        ratios = [r[self.row] / self.floor(r) for r in rounds
                  if self.floor and self.row in r and known(self.floor, r)]
        return f"{statistics.median(ratios):.3g} × {self.beside}" if ratios else "–"

    def share(self, r):
        """Of what is aimed at; below 1 is better."""
        ratio = r[self.row] / self.limit(r)
        return 1 / ratio if self.aim.startswith("≥") else ratio

    def median_share(self, rounds):
        return statistics.median(self.share(r) for r in self.having(rounds))

    def met(self, rounds):
        return sum(self.share(r) <= 1 for r in self.having(rounds))


def known(figure, r):
    """Whether it can be told from a round's rows, and is not 0 (of a run too short to measure)."""
    try:
        return figure(r) > 0
    except KeyError:
        return False


AIMS = [
    Aim("CreateTicket durable, 1 in flight, p50", "create_1.p50", "us",
        lambda r: 2.5 * r["fdatasync.p50"], "≤ 2.5 × fdatasync", lambda r: r["fdatasync.p50"],
        "fdatasync p50"),
    Aim("Check, 64 in flight: server CPU", "check_64.server_cpu", "us",
        lambda r: 3 * r["echo_64.server_cpu"], "≤ 3 × raw epoll", lambda r: r["echo_64.server_cpu"],
        "epoll echo", "calls"),
    Aim("GetTicket, 64 in flight: server CPU", "get_64.server_cpu", "us",
        lambda r: 3 * r["echo_64.server_cpu"], "≤ 3 × raw epoll", lambda r: r["echo_64.server_cpu"],
        "epoll echo", "calls"),
    Aim("CreateTickets(100) durable: tickets", "core_100.per_s", "1/s", 250000, "≥ 250,000",
        lambda r: r["xadd.per_s"], "XADD/s of redis-benchmark", "batches"),
    Aim("… server CPU per ticket", "core_100.server_cpu", "us", 1.5, "≤ 1.5",
        lambda r: r["xadd.cpu"], "Redis CPU of an XADD", "batches"),
    Aim("Redis CPU per ticket life", "life.redis_cpu", "us", 2, "≤ 2", lambda r: r["xadd.cpu"],
        "Redis CPU of an XADD"),
    Aim("matcher CPU per ticket, 1v1", "search.W1 1v1 50/s", "us", 0.5, "≤ 0.5",
        lambda r: r["memory.chain"] / 1000, "one cold pointer", "search W1 1v1 50/s"),
    Aim("… 5v5, parties, four regions", "search.W2 5v5 parties 20/s", "us", 8, "≤ 8",
        lambda r: r["memory.chain"] / 1000, "one cold pointer", "search W2 5v5 parties 20/s"),
    Aim("… 5v5 with roles", "search.W3 5v5 roles 20/s", "us", 12, "≤ 12",
        lambda r: r["memory.chain"] / 1000, "one cold pointer", "search W3 5v5 roles 20/s"),
    Aim("… 1v1 beside a million queued", "beside.1v1 patient.1000000", "us", 0.5, "≤ 0.5",
        lambda r: r["memory.chain"] / 1000, "one cold pointer"),
    Aim("a million dirty tickets, 1v1: groups planned", "planned.1v1 patient.1000000", "ms", 10,
        "≤ 10", lambda r: r["planned_floor.1v1 patient.1000000"], "reading the slots", "search bulk"),
    Aim("… matched and out of the pool", "bulk.1v1 patient.1000000", "ms", 10, "≤ 10",
        lambda r: r["bulk_floor.1v1 patient.1000000"], "reading slots and tickets", "search bulk"),
    Aim("… 5v5: groups planned", "planned.5v5 patient.1000000", "ms", 100, "≤ 100",
        lambda r: r["planned_floor.5v5 patient.1000000"], "reading the slots", "search bulk"),
    Aim("… 5v5: matched and out of the pool", "bulk.5v5 patient.1000000", "ms", 100, "≤ 100",
        lambda r: r["bulk_floor.5v5 patient.1000000"], "reading slots and tickets", "search bulk"),
    Aim("restart with 1,000,000 queued", "restart.ready", "s", 2, "≤ 2",
        lambda r: r["restart.aof_load"], "Redis loading its file", "restart"),
    Aim("bridge memory per idle player", "idle.rss_per_player", "B", 4096, "≤ 4,096"),
    Aim("bridge CPU per event delivered", "deliver.cpu", "us", 11, "≤ 11",
        lambda r: r["echo_64.server_cpu"], "epoll echo", "deliver"),
    Aim("join → match_found at 1,000/s, beyond the tick, p99", "joined.p99", "ms", 10, "≤ 10",
        lambda r: r["fdatasync.p50"] / 1000, "fdatasync p50"),
]
