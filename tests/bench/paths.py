"""What each path costs: calls, batches, ticket lives, sockets, a restart; and what the machine can do.

Every round starts fresh servers on free ports with their embedded Redis (appendfsync always) and
measures the machine's own floor in the same round, beside the calls. Rows are "group.name": value.
"""
import json
import os
import re
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
QUEUES = os.path.join(HERE, "queues.json")

FULL = {"appends": 3000, "messages": 100000, "megabytes": 256, "xadds": 200000, "one": 5000,
        "many": 60000, "durable": 3000, "created": 30000, "batches": 3000, "players": 10000,
        "restart": 1000000}
SMOKE = {"appends": 20, "messages": 500, "megabytes": 8, "xadds": 500, "one": 20, "many": 200,
         "durable": 20, "created": 100, "batches": 5, "players": 20, "restart": 2000}

# row, its words, unit
ROWS = [
    ("memory.read", "memory read in order", "GB/s"),
    ("memory.chain", "… a step of a chain through 256 MB", "ns"),
    ("fdatasync.p50", "append 4 KiB and fdatasync, p50", "us"),
    ("fdatasync.p99", "… p99", "us"),
    ("echo_1.p50", "raw epoll echo of 200 B, 1 in flight, p50", "us"),
    ("echo_1.server_cpu", "… server CPU per message", "us"),
    ("echo_64.per_s", "raw epoll echo, 64 connections", "1/s"),
    ("echo_64.server_cpu", "… server CPU per message", "us"),
    ("xadd_1.p50", "redis-benchmark: XADD of 200 B, fsync always, 1 in flight, p50", "us"),
    ("xadd.per_s", "… 128 in flight", "1/s"),
    ("xadd.cpu", "… Redis CPU per XADD", "us"),
    ("check_1.p50", "Check, 1 in flight, p50", "us"),
    ("check_64.per_s", "Check, 64 in flight", "1/s"),
    ("check_64.server_cpu", "… server CPU per request", "us"),
    ("get_64.per_s", "GetTicket, 64 in flight", "1/s"),
    ("get_64.server_cpu", "… server CPU per request", "us"),
    ("create_1.p50", "CreateTicket durable, 1 in flight, p50", "us"),
    ("create_1.p99", "… p99", "us"),
    ("create_64.per_s", "CreateTicket durable, 64 in flight", "1/s"),
    ("create_64.p50", "… p50", "us"),
    ("create_64.p99", "… p99", "us"),
    ("create_64.server_cpu", "… server CPU per ticket", "us"),
    ("core_100.per_s", "CreateTickets(100) durable, 32 in flight, roles api,matcher: tickets", "1/s"),
    ("core_100.p50", "… a call, p50", "us"),
    ("core_100.p99", "… a call, p99", "us"),
    ("core_100.server_cpu", "… server CPU per ticket", "us"),
    ("core_100.redis_cpu", "… Redis CPU per ticket", "us"),
    ("core_life.per_s", "create → matched, CreateTickets(100), roles api,matcher: tickets", "1/s"),
    ("core_life.server_cpu", "… server CPU per ticket life", "us"),
    ("core_life.redis_cpu", "… Redis CPU per ticket life", "us"),
    ("life.per_s", "create → matched, CreateTickets(100), all roles: tickets", "1/s"),
    ("life.server_cpu", "… server CPU per ticket life", "us"),
    ("life.redis_cpu", "… Redis CPU per ticket life", "us"),
    ("idle.connects_per_s", "players connecting (WebSocket + namespace)", "1/s"),
    ("idle.connect_cpu", "… bridge CPU per connect", "us"),
    ("idle.rss_per_player", "… bridge memory per idle player", "B"),
    ("deliver.per_s", "events delivered to players' sockets", "1/s"),
    ("deliver.cpu", "… bridge CPU per event delivered", "us"),
    ("restart.ready", "kill -9 with 1,000,000 queued tickets: exec → ready", "s"),
    ("restart.aof_load", "… of it Redis loading its append-only file", "s"),
    ("restart.server_rss", "… server memory after it", "MB"),
    ("restart.redis_rss", "… Redis memory after it", "MB"),
]


class Paths:
    """One round: programs and servers, and the rows they gave."""

    PARTS = ("calls", "batches", "bridge", "restart")

    def __init__(self, folder, numbers, fixture):
        self.folder, self.n, self.fixture = folder, numbers, fixture
        self.rows = {}
        self.deliver_under = lambda pid, work: work()  # what delivery runs under

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
                              timeout=300, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(done.args)}\n{done.stderr}{done.stdout}")
        self.take_rows(done.stdout)

    def serve(self, *options):
        return self.fixture.Muster(*options, queues=QUEUES)

    def rpc(self, m, name, call, count, **options):
        self.run("rpc", api=m.api, name=name, call=call, count=count, prefix=name,
                 server=m.process.pid, redis=m.redis_pid(), **options)

    def calls(self):
        with self.serve() as m:
            self.rpc(m, "check_1", "check", self.n["one"], depth=1)
            self.rpc(m, "check_64", "check", self.n["many"], depth=64)
            self.rpc(m, "get_64", "get", self.n["many"], depth=64, step=1000)
            # In the middle: what shares the machine must disturb both sides of a ratio.
            self.run("denominators", folder=m.folder, appends=self.n["appends"],
                     messages=self.n["messages"], megabytes=self.n["megabytes"])
            self.redis_alone(m.folder)
            self.rpc(m, "create_1", "create", self.n["durable"], depth=1, step=1000)
            self.rpc(m, "create_64", "create", self.n["created"], depth=64, step=1000)

    def redis_alone(self, folder):
        """A redis-server as the embedded one runs it, under redis-benchmark."""
        with tempfile.TemporaryDirectory(dir=folder) as own:
            sock = os.path.join(own, "r.sock")
            server = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", sock, "--dir", own, "--save", "",
                 "--appendonly", "yes", "--appendfsync", "always"], stdout=subprocess.DEVNULL)
            try:
                self.fixture.wait_until("redis-server answers", lambda: subprocess.run(
                    ["redis-cli", "-s", sock, "PING"], capture_output=True, text=True,
                    check=False).stdout == "PONG\n")
                self.rows["xadd_1.p50"] = self.xadd(sock, self.n["xadds"] // 100, 1, 1)[1]
                before = cpu_us(server.pid)
                self.rows["xadd.per_s"], _ = self.xadd(sock, self.n["xadds"], 8, 16)
                self.rows["xadd.cpu"] = (cpu_us(server.pid) - before) / self.n["xadds"]
            finally:
                server.terminate()
                server.wait(30)

    @staticmethod
    def xadd(sock, count, clients, pipeline):
        done = subprocess.run(
            ["redis-benchmark", "-s", sock, "-n", str(count), "-c", str(clients),
             "-P", str(pipeline), "--csv", "--precision", "3",
             "XADD", "bench", "*", "b", "x" * 200], capture_output=True, text=True, check=True,
            timeout=120)
        head, figures = [re.findall(r'"([^"]*)"', line) for line in done.stdout.splitlines()[-2:]]
        row = dict(zip(head, figures))
        return float(row["rps"]), float(row["p50_latency_ms"]) * 1000

    def batches(self):
        """Tickets by the hundred: only queued (too far apart to match), and their whole life."""
        with self.serve("--roles", "api,matcher") as m:
            self.rpc(m, "core_life", "batch", self.n["batches"], depth=32, batch=100, drain=1)
            self.rpc(m, "core_100", "batch", self.n["batches"], depth=32, batch=100, step=1000)
        with self.serve() as m:
            self.rpc(m, "life", "batch", self.n["batches"], depth=32, batch=100, drain=1)

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
            raise RuntimeError("players could not connect")
        self.deliver_under(pid, lambda: self.queue_all(core, listening))
        if listening.returncode:
            raise RuntimeError("not every player was told of his match")

    def queue_all(self, core, listening):
        players = self.n["players"]
        batch = min(100, players)
        self.run("rpc", api=core.api, name="queueing", call="batch", batch=batch,
                 count=players // batch, depth=1, prefix="deliver", warm=0)
        self.take_rows(listening.communicate(timeout=180)[0])

    def fill(self, m):
        tickets = self.n["restart"]
        batch = min(1000, tickets)
        self.rpc(m, "fill", "batch", tickets // batch, batch=batch, depth=4, step=1000, warm=0)

    def restart(self):
        with self.serve() as m:
            self.fill(m)
            m.process.kill()
            start = time.monotonic()
            m.start(ready=False)
            self.fixture.wait_until("ready after the kill",
                                    lambda: "\nready\n" in "\n" + m.process.output(), 120, 0.002)
            self.rows["restart.ready"] = time.monotonic() - start
            m.process.wait_ready()
            status = json.loads(m.cli("status", "--json").stdout)
            if int(status["ticketsQueued"]) != self.n["restart"]:
                raise RuntimeError(f"{status['ticketsQueued']} of {self.n['restart']} came back")
            with open(os.path.join(m.state, "redis", "redis.log"), encoding="utf-8") as f:
                loads = re.findall(r"DB loaded from append only file: ([0-9.]+) seconds", f.read())
            self.rows["restart.aof_load"] = float(loads[-1]) if loads else 0.0
            self.rows["restart.server_rss"] = rss_mb(m.process.pid)
            self.rows["restart.redis_rss"] = rss_mb(m.redis_pid())


def rss_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) * 1024 / 1e6


def cpu_us(pid):
    """User and system, of all threads; in steps of 10 ms."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")
