"""The report as Markdown and its charts."""
import os
import statistics

import plot
from aims import AIMS
from paths import ROWS
from workloads import PUBLISHED, SWEEP_TICK_MS, SWEEP_WORKLOAD


def number(value):
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def spread(rounds, row, unit):
    values = [r[row] for r in rounds if row in r]
    text = f"{number(statistics.median(values))} {unit}"
    if len(values) > 1:
        text += f" ({number(min(values))}–{number(max(values))})"
    return text


def aims_part(rounds):
    rows, missing = [], []
    for aim in AIMS:
        having = aim.having(rounds)
        if not having:
            missing.append(aim.words)
            continue
        floor = aim.beside_floor(rounds)
        met = aim.met(rounds)
        verdict = ("**missed**" if not met else "met") + (
            f" in {met or len(having)} of {len(having)}" if len(having) > 1 else "")
        rows.append([aim.words, spread(having, aim.row, aim.unit), aim.aim, floor, verdict])
    out = table(["path", "measured", "aim", "beside the machine's floor", ""], rows)
    if missing:
        out += ["", "Not measured: " + "; ".join(missing) + "."]
    return out + ["", "![measured by aim](plots/aims.svg)"]


def rows_part(rounds):
    return table(["what", "median (least–largest)"],
                 [[words, spread(rounds, row, unit)] for row, words, unit in ROWS
                  if any(row in r for r in rounds)])


def offered(line):
    return f"{line['rate']:,.0f}/s" if line["rate"] else "at once"


def waits(times):
    return " / ".join(number(times[q]) for q in ("p50", "p90", "p99", "max"))


def lines_part(lines):
    out = table(["workload", "door", "offered", "tickets", "created/s", "matched/s", "left",
                 "created after, ms: p50 / p90 / p99 / max", "matched after, ms"],
                [[r["workload"], r["door"], offered(r), f"{r['tickets']['offered']:,}",
                  number(r["tickets"]["createdPerSecond"]), number(r["tickets"]["matchedPerSecond"]),
                  r["tickets"]["left"], waits(r["createdMs"]), waits(r["matchedMs"])]
                 for r in lines])
    cost = []
    for r in lines:
        by_name = {p["name"]: p for p in r["processes"]}
        roles = [by_name[n] for n in ("api", "matcher", "events", "bridge") if n in by_name]
        cost.append([r["workload"], r["door"], offered(r)] +
                    [number(p["cpuUsPerTicket"]) for p in roles + [by_name["redis"]]] +
                    [number(sum(p["memoryBytes"] for p in roles) / 1e6),
                     number(r["journal"]["fileBytesPerTicket"]),
                     number(r["matches"]["players"]), number(r["quality"]["mean"]),
                     number(r["quality"]["skillSpread"]), number(r["quality"]["winGap"]),
                     number(r["quality"]["latencyMs"]) if "latencyMs" in r["quality"] else ""])
    out += ["", "CPU in us a ticket by process, memory of all four in MB, journal in bytes of file a "
            "ticket; then means over the matches: players, quality of 100, skill spread, how far the "
            "chance to win is from one half, latency in ms.", ""]
    out += table(["workload", "door", "offered", "api", "matcher", "events", "bridge", "Redis", "MB",
                  "journal", "players", "quality", "spread", "win gap", "ping"], cost)
    bad = [r for r in lines if not r["good"]]
    out += ["", "In every line the server counted what was told: no ticket failed, was lost or was "
            "matched twice." if not bad else "Not good: " + "; ".join(
                f"{r['workload']} {r['door']} {offered(r)}: "
                f"{r.get('failure', 'the server counted something else')}" for r in bad)]
    return out


def find(lines, workload, door, rate):
    found = [r for r in lines if (r["workload"], r["door"], r["rate"]) == (workload, door, rate)]
    return found[0] if found else None


def published_part(lines):
    rows = []
    for who, key, theirs, machine, ours in PUBLISHED:
        r = find(lines, *key)
        if r:
            rows.append([who, theirs, machine, ours(r)])
    return table(["workload", "published", "on", "here, durable, through the API to the event"], rows)


NAKAMA = (("1v1", "", "1v1"), ("4 to 10", "_4to10", "min-max 4-10"))


def nakama_part(lines, search):
    rows = []
    for words, suffix, bulk in NAKAMA:
        for size, name in ((100, "100"), (500, "500"), (1000, "1k"), (10000, "10k"),
                           (100000, "100k")):
            r = find(lines, f"nakama_{name}{suffix}", "batch", 0)
            alone = [b for b in search["bulk"] if b["name"] == bulk and b["tickets"] == size]
            if r:
                rows.append([words, f"{size:,}", f"{r['matchedMs']['max']:,.1f} ms",
                             f"{alone[-1]['ms']:.1f} ms" if alone else "",
                             number(r["tickets"]["matchedPerSecond"]), number(r["matches"]["players"])])
    return table(["matches of", "tickets", "all told of their match after", "the matcher alone",
                  "tickets/s", "players a match"], rows)


def search_part(search):
    out = table(["workload, the matcher alone", "us/ticket", "mean wait, s", "p95", "p99", "apart",
                 "win gap"],
                [[r["name"], number(r["us"]), r["wait"], r["p95"], r["p99"], r["apart"], r["gap"]]
                 for r in search["live"]])
    out += [""] + table(["all dirty at once", "tickets", "groups planned, ms", "reading the slots, ms",
                         "matched and out of the pool, ms", "reading slots and tickets, ms",
                         "us/ticket"],
                        [[r["name"], f"{r['tickets']:,.0f}", r["planned"], r["read_slots"], r["ms"],
                          r["read"], r["us"]]
                         for r in search["bulk"] if r["tickets"] >= 10000])
    return out + [""] + table(["beside so many queued", "", "us/ticket", "longest turn, ms"],
                              [[f"{r['queued']:,.0f}", r["name"], r["us"], r["turn"]]
                               for r in search["beside"]])


def profiles_part(profiles):
    out = []
    for p in profiles:
        out += [f"**{p['load']}**  "] + [
            f"{kind}: " + ", ".join(f"{name} {share:.0f}" for share, name in p[kind]) + "  "
            for kind in ("threads", "libraries", "functions") if p[kind]] + [""]
    return out or ["No aim was missed, `perf` is not there, or there was no time."]


def write_plots(folder, rounds, lines, sweep, search):
    os.makedirs(folder, exist_ok=True)

    def by_rate(door, value):
        return sorted((r["rate"], value(r)) for r in sweep if r["door"] == door)

    def save(name, svg):
        with open(os.path.join(folder, name + ".svg"), "w", encoding="utf-8") as f:
            f.write(svg)
    doors = [d for d in ("rpc", "batch", "socket") if any(r["door"] == d for r in sweep)]
    for name, key, title in (("created", "createdMs", "From due to created"),
                             ("matched", "matchedMs", "From due to told of the match")):
        series = [(f"{door}, {q}", by_rate(door, lambda r, k=key, q=q: r[k][q]), q == "p99")
                  for door in doors for q in ("p50", "p99")]
        save(name, plot.lines(f"{title}: {SWEEP_WORKLOAD}, one process", "tickets a second", "ms",
                              series))
    cost = []
    for door in doors:
        cost.append((f"{door}, server", by_rate(door, lambda r: r["processes"][0]["cpuUsPerTicket"]),
                     False))
        cost.append((f"{door}, Redis", by_rate(door, lambda r: r["processes"][1]["cpuUsPerTicket"]),
                     True))
    save("cost", plot.lines("CPU per ticket life by rate", "tickets a second", "us", cost))
    sizes = []
    for words, suffix, bulk in NAKAMA:
        ours = [(r["tickets"]["offered"], r["matchedMs"]["max"]) for r in lines
                if r["workload"].startswith("nakama") and r["workload"].endswith("4to10") == bool(suffix)]
        sizes.append((f"{words}, told", sorted(ours), False))
        sizes.append((f"{words}, matcher", [(b["tickets"], b["ms"]) for b in search["bulk"]
                                            if b["name"] == bulk and b["tickets"] <= 100000], True))
    save("nakama", plot.lines("Nakama's sizes: until all are matched", "tickets at once", "ms", sizes))
    shares = [(a.words, a.median_share(rounds)) for a in AIMS if a.having(rounds)]
    save("aims", plot.bars("Measured, as a share of the aim (shorter is better)", "the aim", shares))


def write(folder, figures):
    """REPORT.md and plots/ in `folder`; `figures` as run keeps them."""
    facts, rounds, lines, sweep, search, profiles = (
        figures[k] for k in ("facts", "rounds", "lines", "sweep", "search", "profiles"))
    write_plots(os.path.join(folder, "plots"), rounds, lines, sweep, search)
    out = ["# Report", "", "Made by `tests/bench/run` in one go; [README.md](README.md) says how to read "
           "it and what was found.", ""]
    out += table(["", ""], facts)
    out += ["", "## Aims", "", "Two cores, everything on them: server, Redis (`appendfsync always`), "
            "load. What is missed has a profile below.", ""] + aims_part(rounds)
    out += ["", "## Paths and the machine's floor", ""] + rows_part(rounds)
    out += ["", "## Workloads through the doors", "",
            "`muster bench WORKLOAD --door … --server split`: a process per role. Times count from the "
            "instant at which a ticket was due (open loop), to its answer and to the news of its match "
            "on the event stream, or on the player's socket.", ""] + lines_part(lines)
    out += ["", "## Beside what others publish", "", "Their figures as published, on their machines; "
            "ours on this one, with every ticket on disk before it is answered.", ""]
    out += published_part(lines)
    out += ["", "### Nakama's sizes", "", "`benchmarkMatchmakerProcessTickets`; the 10,000 and 100,000 "
            "are commented out there. No results are published.", ""] + nakama_part(lines, search)
    out += ["", "![Nakama's sizes](plots/nakama.svg)", "", "## By rate", "",
            f"`{SWEEP_WORKLOAD}` (tick {SWEEP_TICK_MS} ms) against a server of one process.", "",
            "![created](plots/created.svg)", "", "![matched](plots/matched.svg)", "",
            "![cost](plots/cost.svg)", "", "## The matcher alone", "",
            "`search_bench`: pool, search and judging; no records, look-ups, I/O.", ""]
    out += search_part(search) + ["", "## Where the time goes", "",
                                  "Of each load whose aim was missed, `perf` on the server's process "
                                  "(or the bench's own), shares in per cent.", ""]
    out += profiles_part(profiles)
    with open(os.path.join(folder, "REPORT.md"), "w", encoding="utf-8") as f:
        f.write("\n".join(out).rstrip() + "\n")
