#!/usr/bin/env python3
"""Measures a release build of Muster, all in one go, beside what the machine can do at best.

run.py [--rounds N] [--json FILE]   builds build/bench, measures, prints a Markdown table
run.py --bin FOLDER                 measures the programs of a build that is there
run.py --smoke --bin FOLDER         tiny numbers: only that every row comes; times mean nothing

Every round starts fresh servers on free ports with their embedded Redis (appendfsync always) and
measures the machine's own floor in the same folder. The table shows the median of the rounds, in
brackets the least and the largest, and in how many rounds an aim was met. README.md beside this file holds results and their reading.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
QUEUES = os.path.join(HERE, "queues.json")
TICK_MS = {"latency": 10, "latency_1ms": 1}

FULL = {"appends": 3000, "messages": 200000, "one": 5000, "many": 100000, "durable": 3000,
        "created": 30000, "batches": 3000, "players": 10000, "joiners": 2000, "rate": 1000,
        "seconds": 10, "restart": 1000000}
SMOKE = {"appends": 20, "messages": 500, "one": 20, "many": 200, "durable": 20,
         "created": 100, "batches": 5, "players": 20, "joiners": 40, "rate": 100,
         "seconds": 1, "restart": 2000}

# row, its words, unit, the aim's words, limit as a function of the round's rows (None: no aim).
# A limit is an upper one unless its row is in AT_LEAST.
TABLE = [
    ("fdatasync.p50", "append 4 KiB and fdatasync, p50", "us", "", None),
    ("fdatasync.p99", "… p99", "us", "", None),
    ("echo_1.p50", "raw epoll echo 200 B, 1 in flight, p50", "us", "", None),
    ("echo_1.server_cpu", "… server CPU per message", "us", "", None),
    ("echo_64.per_s", "raw epoll echo, 64 connections", "1/s", "", None),
    ("echo_64.server_cpu", "… server CPU per message", "us", "", None),
    ("check_1.p50", "Check, 1 in flight, p50", "us", "", None),
    ("check_64.per_s", "Check, 64 in flight", "1/s", "", None),
    ("check_64.server_cpu", "… server CPU per request", "us", "≤ 3 × raw epoll",
     lambda r: 3 * r["echo_64.server_cpu"]),
    ("get_64.per_s", "GetTicket, 64 in flight", "1/s", "", None),
    ("get_64.server_cpu", "… server CPU per request", "us", "≤ 3 × raw epoll",
     lambda r: 3 * r["echo_64.server_cpu"]),
    ("create_1.p50", "CreateTicket durable, 1 in flight, p50", "us", "≤ 2.5 × fdatasync p50",
     lambda r: 2.5 * r["fdatasync.p50"]),
    ("create_1.p99", "… p99", "us", "", None),
    ("create_64.per_s", "CreateTicket durable, 64 in flight", "1/s", "", None),
    ("create_64.p50", "… p50", "us", "", None),
    ("create_64.p99", "… p99", "us", "", None),
    ("create_64.server_cpu", "… server CPU per ticket", "us", "", None),
    ("core_100.per_s", "CreateTickets(100) durable, 32 in flight, roles api,matcher: tickets", "1/s",
     "≥ 250,000", lambda r: 250000),
    ("core_100.p50", "… a call, p50", "us", "", None),
    ("core_100.p99", "… a call, p99", "us", "", None),
    ("core_100.server_cpu", "… server CPU per ticket", "us", "≤ 1.5", lambda r: 1.5),
    ("core_100.redis_cpu", "… Redis CPU per ticket", "us", "", None),
    ("core_life.per_s", "create → matched, CreateTickets(100), roles api,matcher: tickets", "1/s",
     "", None),
    ("core_life.server_cpu", "… server CPU per ticket life", "us", "", None),
    ("core_life.redis_cpu", "… Redis CPU per ticket life", "us", "≤ 2", lambda r: 2),
    ("life.per_s", "create → matched, CreateTickets(100), all roles: tickets", "1/s", "", None),
    ("life.server_cpu", "… server CPU per ticket life", "us", "", None),
    ("life.redis_cpu", "… Redis CPU per ticket life", "us", "≤ 2", lambda r: 2),
    ("idle.connects_per_s", "players connecting (WebSocket + namespace)", "1/s", "", None),
    ("idle.connect_cpu", "… bridge CPU per connect", "us", "", None),
    ("idle.rss_per_player", "… bridge memory per idle player", "B", "≤ 4,096", lambda r: 4096),
    ("deliver.per_s", "events delivered to players' sockets", "1/s", "", None),
    ("deliver.cpu", "… bridge CPU per event delivered", "us", "≤ 11", lambda r: 11),
    ("latency.p50", "join → match_found at 1,000 joins/s, tick 10 ms, p50", "ms", "", None),
    ("latency.p99", "… p99", "ms", "≤ 10 beyond the tick: 20", lambda r: 10 + TICK_MS["latency"]),
    ("latency.max", "… largest", "ms", "", None),
    ("latency.ack.p50", "… join → acknowledged, p50", "ms", "", None),
    ("latency.ack.p99", "… p99", "ms", "", None),
    ("latency.server_cpu", "… server CPU per join", "us", "", None),
    ("latency_1ms.p50", "join → match_found at 1,000 joins/s, tick 1 ms, p50", "ms", "", None),
    ("latency_1ms.p99", "… p99", "ms", "≤ 10 beyond the tick: 11", lambda r: 10 + TICK_MS["latency_1ms"]),
    ("latency_1ms.max", "… largest", "ms", "", None),
    ("restart.ready", "kill -9 with 1,000,000 queued tickets: exec → ready", "s", "≤ 2", lambda r: 2),
    ("restart.aof_load", "… of it Redis loading its append-only file", "s", "", None),
    ("restart.server_rss", "… server memory after it", "MB", "", None),
    ("restart.redis_rss", "… Redis memory after it", "MB", "", None),
]
AT_LEAST = {"core_100.per_s"}


class Bench:
    """One round: programs and servers, and the rows they gave."""

    def __init__(self, folder, numbers, fixture):
        self.folder, self.n, self.fixture = folder, numbers, fixture
        self.rows = {}

    def take_rows(self, text):
        for line in text.splitlines():
            if line.startswith("row "):
                _, name, value, *_ = line.split()
                self.rows[name] = float(value)

    def words(self, program, **options):
        return [os.path.join(self.folder, "bench_" + program),
                *(f"{name}={value}" for name, value in options.items())]

    def run(self, program, **options):
        done = subprocess.run(self.words(program, **options), capture_output=True, text=True,
                              timeout=600, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(done.args)}\n{done.stderr}{done.stdout}")
        self.take_rows(done.stdout)

    def serve(self, *options):
        return self.fixture.Muster(*options, queues=QUEUES)

    def rpc(self, m, name, call, count, **options):
        self.run("rpc", api=m.api, name=name, call=call, count=count, prefix=name,
                 server=m.process.pid, redis=m.redis_pid(), **options)

    def machine_and_calls(self):
        with self.serve() as m:
            self.rpc(m, "check_1", "check", self.n["one"], depth=1)
            self.rpc(m, "check_64", "check", self.n["many"], depth=64)
            self.rpc(m, "get_64", "get", self.n["many"], depth=64, step=1000)
            # In the middle: what shares the machine must disturb both sides of a ratio.
            self.run("denominators", folder=m.folder, appends=self.n["appends"],
                     messages=self.n["messages"])
            self.rpc(m, "create_1", "create", self.n["durable"], depth=1, step=1000)
            self.rpc(m, "create_64", "create", self.n["created"], depth=64, step=1000)

    def batches(self):
        """Tickets by the hundred: only queued (too far apart to match), and their whole life."""
        with self.serve("--roles", "api,matcher") as m:
            self.rpc(m, "core_life", "batch", self.n["batches"], depth=32, batch=100, drain=1)
            self.rpc(m, "core_100", "batch", self.n["batches"], depth=32, batch=100, step=1000)
        with self.serve() as m:
            self.rpc(m, "life", "batch", self.n["batches"], depth=32, batch=100, drain=1)

    def joins(self):
        for name in TICK_MS:
            with self.serve() as m:
                self.run("sockets", bridge=m.bridge, mode="latency", name=name,
                         queue="bench_pairs" if name == "latency" else "bench_pairs_1ms",
                         players=self.n["joiners"], rate=self.n["rate"],
                         seconds=self.n["seconds"], server=m.process.pid, redis=m.redis_pid())
            for row in ("unmatched", "never_sent"):
                if self.rows[f"{name}.{row}"]:
                    raise SystemExit(f"{name}: {self.rows[f'{name}.{row}']} {row}")

    def bridge(self):
        """A bridge in a process of its own, so that memory and CPU are its alone."""
        players = self.n["players"]
        with self.serve("--roles", "api,matcher,events") as core:
            bridge = self.fixture.Process(
                [self.fixture.BINARY, "serve", "--roles", "bridge",
                 "--state", os.path.join(core.folder, "bridge"),
                 "--bridge-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
                 "--bridge-api", core.api,
                 "--bridge-events", core.events], os.path.join(core.folder, "bridge.log"))
            try:
                url = bridge.wait_ready().doors["bridge"][0]
                self.run("sockets", bridge=url, mode="idle", players=players, prefix="idle",
                         server=bridge.pid)
                self.deliver(core, url, bridge.pid)
            finally:
                bridge.stop()

    def deliver(self, core, url, pid):
        players = self.n["players"]
        listening = subprocess.Popen(
            self.words("sockets", bridge=url, mode="deliver", players=players, prefix="deliver",
                       server=pid), stdout=subprocess.PIPE, text=True)
        if listening.stdout.readline() != "connected\n":
            raise SystemExit("players could not connect")
        batch = min(100, players)
        self.run("rpc", api=core.api, name="queueing", call="batch", batch=batch,
                 count=players // batch, depth=1, prefix="deliver", warm=0)
        self.take_rows(listening.communicate(timeout=180)[0])
        if listening.returncode:
            raise SystemExit("not every player was told of his match")

    def restart(self):
        with self.serve() as m:
            tickets = self.n["restart"]
            batch = min(1000, tickets)
            self.rpc(m, "fill", "batch", tickets // batch, batch=batch, depth=4, step=1000, warm=0)
            m.process.kill()
            start = time.monotonic()
            m.start(ready=False)
            self.fixture.wait_until("ready after the kill",
                                    lambda: "\nready\n" in "\n" + m.process.output(), 120, 0.002)
            self.rows["restart.ready"] = time.monotonic() - start
            m.process.wait_ready()
            status = json.loads(m.cli("status", "--json").stdout)
            if int(status["ticketsQueued"]) != tickets:
                raise SystemExit(f"{status['ticketsQueued']} of {tickets} tickets came back")
            with open(os.path.join(m.state, "redis", "redis.log"), encoding="utf-8") as f:
                loads = re.findall(r"DB loaded from append only file: ([0-9.]+) seconds", f.read())
            self.rows["restart.aof_load"] = float(loads[-1]) if loads else 0.0
            self.rows["restart.server_rss"] = rss_mb(m.process.pid)
            self.rows["restart.redis_rss"] = rss_mb(m.redis_pid())

    PARTS = ("machine_and_calls", "batches", "joins", "bridge", "restart")


def rss_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) * 1024 / 1e6


def build():
    folder = os.path.join(ROOT, "build", "bench")
    subprocess.run(["cmake", "-S", ROOT, "--preset", "release", "-B", folder, "-DMUSTER_TESTS=ON"],
                   check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    subprocess.run(["ninja", "-C", folder, "muster", "bench_denominators", "bench_rpc",
                    "bench_sockets"], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(folder, "bin")


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rounds):
    names = {name for rows in rounds for name in rows}
    lines = ["| what | median (least–largest) | aim | |", "|---|---|---|---|"]
    for name, words, unit, aim, limit in TABLE:
        if name not in names:
            continue
        having = [r for r in rounds if name in r]
        values = [r[name] for r in having]
        verdict = ""
        if limit:  # by round, since what shares the machine disturbs both sides of a ratio
            sign = -1 if name in AT_LEAST else 1
            good = sum(sign * r[name] <= sign * limit(r) for r in having)
            verdict = f"met in {good} of {len(having)}"
        lines.append(f"| {words} | {number(statistics.median(values))} {unit} ("
                     f"{number(min(values))}–{number(max(values))}) | {aim} | {verdict} |")
    return "\n".join(lines)


def load():
    with open("/proc/loadavg", encoding="ascii") as f:
        return f.read().split()[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bin", help="folder of muster and the bench programs; else they are built")
    parser.add_argument("--parts", default=",".join(Bench.PARTS),
                        help="only some of " + ",".join(Bench.PARTS))
    parser.add_argument("--json", help="write every round's rows to this file")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    folder = options.bin or build()
    os.environ["TEST_BINARY"] = os.path.join(folder, "muster")
    sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
    import muster_fixture  # reads TEST_BINARY when it is imported
    rounds, loads = [], [load()]
    for _ in range(1 if options.smoke else options.rounds):
        bench = Bench(folder, SMOKE if options.smoke else FULL, muster_fixture)
        for part in options.parts.split(","):
            getattr(bench, part)()
            print(f"{part}: done", file=sys.stderr)
        rounds.append(bench.rows)
        loads.append(load())
    print(table(rounds))
    print(f"\nload average before each round and at the end: {', '.join(loads)}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump({"load": loads, "rounds": rounds}, f, indent=1)
    missing = [row[0] for row in TABLE if row[0] not in rounds[0]]
    if missing and options.parts == ",".join(Bench.PARTS):
        raise SystemExit("rows that nobody printed: " + ", ".join(missing))


if __name__ == "__main__":
    main()
