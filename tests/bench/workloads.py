"""The named workloads through a server's doors, by `muster bench`, and the matcher alone."""
import json
import os
import re
import subprocess

# workload, door, tickets a second (0: its own, or all at once), seconds, most seconds to wait. What
# takes minutes to show (W4's hundred patient players, W5's nights, W6's crowds, W7's day) is muster sim's.
LINES = [
    ("minimatch", "rpc", 1000, 4, 5), ("minimatch", "batch", 5000, 5, 5),
    ("minimatch", "socket", 1000, 4, 5),
    ("firstmatch", "batch", 1000, 4, 5), ("firstmatch", "batch", 10000, 4, 5),
    ("battleroyal", "batch", 1000, 4, 4), ("battleroyal", "batch", 10000, 4, 4),
    ("teamshooter", "batch", 1000, 8, 4), ("teamshooter", "batch", 10000, 4, 4),
    ("nakama_100", "batch", 0, 1, 5), ("nakama_500", "batch", 0, 1, 5),
    ("nakama_1k", "batch", 0, 1, 5), ("nakama_10k", "batch", 0, 1, 10),
    ("nakama_100k", "batch", 0, 1, 20),
    ("nakama_100_4to10", "batch", 0, 1, 5), ("nakama_500_4to10", "batch", 0, 1, 5),
    ("nakama_1k_4to10", "batch", 0, 1, 5), ("nakama_10k_4to10", "batch", 0, 1, 10),
    ("nakama_100k_4to10", "batch", 0, 1, 20),
    ("distance_50", "batch", 0, 1, 5), ("distance_200", "batch", 0, 1, 5),
    ("distance_2k", "batch", 0, 1, 10),
    ("crymatch_5k_normal", "batch", 0, 1, 10), ("crymatch_10k", "batch", 0, 1, 10),
    ("crymatch_20k", "batch", 0, 1, 10), ("crymatch_40k", "batch", 0, 1, 20),
    ("crymatch_50k_skill", "batch", 0, 1, 20),
    ("W1", "rpc", 500, 8, 6), ("W1", "socket", 500, 8, 6),
    ("W2", "batch", 100, 15, 10), ("W2s", "batch", 50, 10, 8), ("W3", "batch", 50, 12, 8),
    ("W8", "batch", 1000, 6, 6),
]
# How it goes with the rate: all of one workload, a server of one process.
SWEEP = [("rpc", rate) for rate in (100, 300, 1000, 3000, 6000, 10000)] + \
        [("batch", rate) for rate in (1000, 3000, 10000, 30000, 60000, 100000)] + \
        [("socket", rate) for rate in (100, 300, 1000, 2000, 4000)]
SWEEP_WORKLOAD, SWEEP_TICK_MS, SWEEP_SECONDS = "firstmatch", 50, 3

SMOKE_LINES = [("firstmatch", "batch", 100, 1, 3), ("nakama_100", "batch", 0, 1, 3),
               ("nakama_100_4to10", "batch", 0, 1, 3), ("distance_50", "batch", 0, 1, 3)]
SMOKE_SWEEP = [("rpc", 100), ("batch", 100), ("socket", 100)]


def bench(binary, server, workload, door, rate, seconds, drain):
    """One run as a dict. One whose tickets were lost or failed is told by "good" and "failure"."""
    done = subprocess.run(
        [binary, "bench", workload, "--server", server, "--door", door, "--rate", str(rate),
         "--duration", str(seconds), "--drain", str(drain), "--timeout-ms", "30000", "--json"],
        capture_output=True, text=True, timeout=180, check=False)
    if not done.stdout.startswith("{"):
        raise RuntimeError(f"muster bench {workload} --door {door}: {done.stderr.strip()}")
    return json.loads(done.stdout)


# What others publish: who, our line (workload, door, rate), their figure, their machine, ours in words.
PUBLISHED = [
    ("minimatch", ("minimatch", "batch", 5000), "5,000 assignments/s, p50 < 170 ms",
     "70 vCPU, 245 GB in all (GKE, load generators included)",
     lambda r: f"{r['tickets']['matchedPerSecond']:,.0f} tickets/s matched, p50 "
               f"{r['matchedMs']['p50']:,.0f} ms, p99 {r['matchedMs']['p99']:,.0f} ms"),
    ("Open Match 2, Space Agon", ("firstmatch", "batch", 10000), "500 tickets/s, 500 matches/s",
     "GKE, nodes not stated",
     lambda r: f"{r['tickets']['createdPerSecond']:,.0f} tickets/s, "
               f"{r['matches']['perSecond']:,.0f} matches/s"),
    ("Languege/flexmatch, 2,000 matches of 5v5", ("distance_2k", "batch", 0),
     "1.34 ms a match, in process", "Mac M1",
     lambda r: f"{r['matchedMs']['max'] / r['matches']['count']:.3f} ms a match"),
    ("CryMatch, 10,000, twelve requirements", ("crymatch_10k", "batch", 0), "< 14 s, one pass",
     "1 core of a DigitalOcean machine", lambda r: f"{r['matchedMs']['max'] / 1000:.2f} s"),
    ("CryMatch, 20,000", ("crymatch_20k", "batch", 0), "< 32 s", "2 cores",
     lambda r: f"{r['matchedMs']['max'] / 1000:.2f} s"),
    ("CryMatch, 40,000", ("crymatch_40k", "batch", 0), "< 6 s", "16 cores, Ryzen 3950X",
     lambda r: f"{r['matchedMs']['max'] / 1000:.2f} s"),
    ("CryMatch, 50,000, affinity alone", ("crymatch_50k_skill", "batch", 0), "< 4 s",
     "16 cores, Ryzen 3950X", lambda r: f"{r['matchedMs']['max'] / 1000:.2f} s"),
]

# --- The matcher alone -------------------------------------------------------------------------

LIVE = re.compile(r"^(?P<name>\S.*?) +(?P<us>[\d.]+) us/ticket +(?P<searches>[\d.]+) searches +wait +"
                  r"(?P<wait>[\d.]+) p95 +(?P<p95>[\d.]+) p99 +(?P<p99>[\d.]+) max +[\d.]+ s +apart +"
                  r"(?P<apart>[\d.]+) +win gap (?P<gap>[\d.]+)")
BULK = re.compile(r"^(bulk|nakama) (?P<name>\S.*?) +(?P<tickets>\d+) tickets +(?P<ms>[\d.]+) ms +"
                  r"(?P<us>[\d.]+) us/ticket, .* x reading slots and tickets \((?P<read>[\d.]+) ms\); "
                  r"groups planned in (?P<planned>[\d.]+) ms, "
                  r".* x reading the slots \((?P<read_slots>[\d.]+) ms;")
BESIDE = re.compile(r"^beside (?P<name>\S.*?) +(?P<queued>\d+) queued +(?P<us>[\d.]+) us/ticket"
                    r".*arrivals\) (?P<turn>[\d.]+) ms")


def search(folder, part="", most=1000000):
    """search_bench's lines as lists of dicts: live, bulk, beside. Lines of other parts are passed."""
    done = subprocess.run([os.path.join(folder, "search_bench"), part, str(most)],
                          capture_output=True, text=True, timeout=300, check=True)
    found, seen = {"live": [], "bulk": [], "beside": []}, set()
    for line in done.stdout.splitlines():
        for kind, pattern in (("live", LIVE), ("bulk", BULK), ("beside", BESIDE)):
            match = pattern.match(line)
            key = (kind, match and (match["name"], match.groupdict().get("tickets"),
                                    match.groupdict().get("queued")))
            if match and key not in seen:
                seen.add(key)
                found[kind].append({k: v if k == "name" else float(v)
                                    for k, v in match.groupdict().items()})
    return found
