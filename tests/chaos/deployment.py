"""Muster as in production, for the chaos tests: roles in processes of their own, a real Redis behind
fault proxies, clocks that can be shifted, a disk that can lose what was not synced.

    with Deployment(folder) as d:
        d.processes["matcher-0"].kill(); d.start("matcher-0")

Every process is a child, ended by its pid. Ports are free ones, kept over restarts.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from muster_fixture import wait_until  # noqa: E402

BIN = os.environ.get("CHAOS_BIN", "build/proof/bin")
LIB = os.environ.get("CHAOS_LIB", os.path.join(BIN, "..", "tests"))
MUSTER = os.environ.get("CHAOS_MUSTER", os.path.join(BIN, "muster"))
LEASE_MS = 1000


def queue(name, team_size, most=None, **life):
    return {"name": name, "ticketTimeoutSeconds": 8, "tickMs": 20, **life, "ruleset": {
        "ruleLanguageVersion": "1.0", "playerAttributes": [{"name": "skill", "type": "number"}],
        "teams": [{"name": "team", "quantity": 2, "minPlayers": team_size, "maxPlayers": most or team_size}],
        "rules": [{"name": "near", "type": "batchDistance", "batchAttribute": "skill",
                   "maxDistance": 1000}]}}


# What they demand is also the checker's: TEAM_SIZES, ASKS, DODGE_MS, HOLDS. 1v1_duel is bench_overload's.
QUEUES = json.dumps([
    queue("duel", 1), queue("1v1_duel", 1),
    queue("pairs", 2, holdPlayers=True, matchTimeoutSeconds=2),
    queue("ready", 1, acceptanceRequired=True, acceptanceTimeoutSeconds=2,
          dodgePenaltySeconds=[1, 2], dodgeDecaySeconds=30),
    queue("arena", 1, 3, acceptanceRequired=True, acceptanceTimeoutSeconds=2, holdPlayers=True,
          matchTimeoutSeconds=4, backfillMode="AUTOMATIC")])


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Child:
    """A process and how to start it again."""

    def __init__(self, name, words, folder, env=None, limit_fds=None):
        self.name, self.words, self.env, self.limit_fds = name, words, env or {}, limit_fds
        self.log_path = os.path.join(folder, name + ".log")
        self.process, self.paused = None, False

    def start(self, **popen):
        words = self.words
        if self.limit_fds:
            words = ["prlimit", f"--nofile={self.limit_fds}", *words]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(words, stdout=popen.pop("stdout", log), stderr=log,
                                            env={**os.environ, **self.env}, **popen)
        self.paused = False
        return self

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.running:
            self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait(30)

    def pause(self):
        self.signal(signal.SIGSTOP)
        self.paused = True

    def resume(self):
        self.signal(signal.SIGCONT)
        self.paused = False

    def stop(self, timeout=15):
        """SIGTERM; the seconds it took."""
        began = time.monotonic()
        self.resume()
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout} s of SIGTERM")
        return time.monotonic() - began

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()


class Clock:
    """Shifts the wall clock of a process that was started with its environment."""

    def __init__(self, path):
        self.path = path
        self.shift(0)
        self.env = {"LD_PRELOAD": os.path.abspath(os.path.join(LIB, "libclock_shim.so")),
                    "CLOCK_SHIM_FILE": path}

    def shift(self, seconds):
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(fd, struct.pack("q", int(seconds * 1e6)), 0)
        os.close(fd)


class Shortage:
    """Lets allocations of a process that was started with its environment fail: one in so many."""

    def __init__(self, path):
        self.path = path
        self.one_in(0)
        self.env = {"LD_PRELOAD": os.path.abspath(os.path.join(LIB, "libmalloc_shim.so")),
                    "MALLOC_SHIM_FILE": path}

    def one_in(self, count):
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(fd, struct.pack("q", count), 0)
        os.close(fd)


class Redis(Child):
    """A redis-server whose disk remembers what was synced."""

    def __init__(self, name, folder, port, fsync="always", data=None):
        self.port, self.data = port, data or os.path.join(folder, name)
        os.makedirs(self.data, exist_ok=True)
        self.clock = Clock(os.path.join(folder, name + ".clock"))
        shims = [self.clock.env["LD_PRELOAD"],
                 os.path.abspath(os.path.join(LIB, "libfsync_shim.so"))]
        super().__init__(name, ["redis-server", "--port", str(port), "--bind", "127.0.0.1",
                                "--dir", self.data, "--appendonly", "yes", "--appendfsync", fsync,
                                "--save", "", "--daemonize", "no"], folder,
                         {**self.clock.env, "LD_PRELOAD": " ".join(shims)})
        self.power_losses = 0

    def ask(self, *words, timeout=2.0):
        """One command; the reply's first line."""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as s:
            s.settimeout(timeout)
            s.sendall(b"*%d\r\n" % len(words) + b"".join(
                b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
            return s.recv(4096).split(b"\r\n")[0].decode()

    def answers(self):
        try:
            return self.ask("PING") == "+PONG"
        except OSError:
            return False

    def lose_power(self):
        """Ends it at once; of its append-only files only what was synced is left."""
        self.kill()
        self.power_losses += 1
        for folder, _, names in os.walk(self.data):
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith(".synced") and os.path.exists(path[:-len(".synced")]):
                    with open(path, encoding="ascii") as f:
                        size = int(f.read())
                    if os.path.getsize(path[:-len(".synced")]) > size:
                        os.truncate(path[:-len(".synced")], size)


class Proxy(Child):
    def __init__(self, name, folder, port, target):
        super().__init__(name, [os.path.join(BIN, "fault_proxy"), str(port), str(target)], folder)
        self.port = port

    def start(self):
        return super().start(stdin=subprocess.PIPE)

    def tell(self, command):
        try:
            self.process.stdin.write(command.encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            pass


class Deployment:
    MATCHERS, APIS, BRIDGES = 2, 2, 2

    def __init__(self, folder, durability="fsync", fsync="always", shortages=False):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.children, self.proxies, self.clocks = {}, {}, {}
        self.shortages = {} if shortages else None  # by child
        count = 2 * (self.MATCHERS + 1) + self.APIS + self.BRIDGES + 7
        ports = iter(free_ports(count))
        self.redis = Redis("redis", folder, next(ports), fsync)
        self.replica, self.replication = None, None
        if durability == "replicated":
            self.replica = Redis("redis-b", folder, next(ports), fsync)
            self.replication = Proxy("replication-proxy", folder, next(ports), self.redis.port)
        self.witness = Proxy("witness-proxy", folder, next(ports), self.redis.port)
        self.durability = durability
        self.matcher_doors = [f"tcp://127.0.0.1:{next(ports)}" for _ in range(self.MATCHERS)]
        self.api_doors = [f"tcp://127.0.0.1:{next(ports)}" for _ in range(self.APIS)]
        self.bridge_ports = [next(ports) for _ in range(self.BRIDGES)]
        self.replay_door = f"tcp://127.0.0.1:{next(ports)}"
        self.events_door = f"tcp://127.0.0.1:{next(ports)}"
        for i in range(self.MATCHERS):
            self.add(f"matcher-{i}", "matcher", next(ports), ["--matcher-listen",
                                                             self.matcher_doors[i]])
        self.add("events-0", "events", next(ports), ["--events-listen", self.events_door,
                                                     "--replay-listen", self.replay_door])
        for i in range(self.APIS):
            self.add(f"api-{i}", "api", None,
                     ["--api-listen", self.api_doors[i], "--matcher-remote",
                      ",".join(self.matcher_doors), "--replay-remote", self.replay_door])
        for i in range(self.BRIDGES):
            self.add(f"bridge-{i}", "bridge", None,
                     ["--bridge-listen", f"127.0.0.1:{self.bridge_ports[i]}", "--bridge-api",
                      ",".join(self.api_doors), "--bridge-events", self.events_door])

    def add(self, name, role, proxy_port, options):
        state = os.path.join(self.folder, name)
        os.makedirs(state, exist_ok=True)
        words = [MUSTER, "serve", "--roles", role, "--state", state, "--lease-ms", str(LEASE_MS),
                 "--operation-ms", "500", "--metrics-listen", "127.0.0.1:0", *options]
        env = {}
        if proxy_port:
            self.proxies[name] = Proxy(name + "-proxy", self.folder, proxy_port, self.redis.port)
            self.clocks[name] = Clock(os.path.join(self.folder, name + ".clock"))
            env = self.clocks[name].env
            words += ["--redis", f"redis://127.0.0.1:{proxy_port}", "--durability", self.durability]
        if self.shortages is not None:
            self.shortages[name] = Shortage(os.path.join(self.folder, name + ".malloc"))
            both = [env.get("LD_PRELOAD", ""), self.shortages[name].env["LD_PRELOAD"]]
            env = {**env, **self.shortages[name].env, "LD_PRELOAD": " ".join(both).strip()}
        self.children[name] = Child(name, words, self.folder, env)

    @property
    def api(self):
        return ",".join(self.api_doors)

    def start(self):
        self.redis.start()
        wait_until("redis answers", self.redis.answers)
        self.witness.start()
        if self.replica:
            self.replication.start()
            self.replica.start()
            self.follow(self.replica)
        for child in [*self.proxies.values(), *self.children.values()]:
            child.start()
        queues = os.path.join(self.folder, "queues.json")
        with open(queues, "w", encoding="ascii") as f:
            f.write(QUEUES)
        wait_until("the queues are put", lambda: self.cli("queue", "put", queues) == 0, 60, 0.2)

    # ---- two Redis ----

    def follow(self, replica):
        """Makes it a replica of the primary, over the replication proxy."""
        def told():
            try:
                return replica.ask("REPLICAOF", "127.0.0.1", str(self.replication.port)) == "+OK"
            except OSError:
                return False
        wait_until("the replica obeys", told, 30)

    def promote(self):
        """The replica is the primary now; the old one, as soon as it runs, its replica."""
        old, new = self.redis, self.replica
        wait_until("the replica is promoted", lambda: new.ask("REPLICAOF", "NO", "ONE") == "+OK")
        self.redis, self.replica = new, old
        for proxy in [*self.proxies.values(), self.witness, self.replication]:
            proxy.tell("pass")
            proxy.tell(f"target {new.port}")
        if old.running:
            old.resume()
            old.kill()
        old.start()
        self.follow(old)

    def cli(self, *words):
        done = subprocess.run([MUSTER, *words, "--api", self.api_doors[0]], capture_output=True,
                              timeout=60, check=False)
        return done.returncode

    def tickets_queued(self):
        done = subprocess.run([MUSTER, "status", "--json", "--api", self.api_doors[0]], timeout=60,
                              capture_output=True, check=False)
        return int(json.loads(done.stdout).get("ticketsQueued", 0)) if done.returncode == 0 else -1

    def heal(self):
        """Everything runs, is reachable and knows the time."""
        for proxy in self.proxies.values():
            proxy.tell("pass")
            proxy.tell("slow 0")
        self.redis.clock.shift(0)
        for clock in self.clocks.values():
            clock.shift(0)
        for shortage in (self.shortages or {}).values():
            shortage.one_in(0)
        if self.replication:
            self.replication.tell("pass")
        for child in [self.redis, *self.children.values()]:
            child.resume()
            if not child.running:
                child.start()
        wait_until("redis answers", self.redis.answers, 60)

    def metric(self, name, children):
        """A counter's sum over these children since they were started last."""
        total = 0.0
        for child in children:
            door = [word.split("=")[1] for word in self.children[child].log().split()
                    if word.startswith("address=http")][-1]
            with urllib.request.urlopen(door + "/metrics", timeout=20) as answer:
                for line in answer.read().decode().splitlines():
                    if line.partition(" ")[0].partition("{")[0] == "muster_" + name:
                        total += float(line.rpartition(" ")[2])
        return total

    def replace_deaf(self):
        """What a liveness probe does: whose door does not answer is replaced. Their names."""
        doors = {**{f"matcher-{i}": door for i, door in enumerate(self.matcher_doors)},
                 **{f"api-{i}": door for i, door in enumerate(self.api_doors)},
                 "events-0": self.replay_door}
        deaf = []
        for name, door in doors.items():
            def answers(door=door):
                done = subprocess.run([MUSTER, "status", "--timeout-ms", "2000", "--api", door],
                                      capture_output=True, text=True, timeout=60, check=False)
                return "not connected" not in done.stderr and "no answer" not in done.stderr
            try:
                wait_until(f"{name} answers", answers, 6, 0.2)
            except AssertionError:
                deaf.append(name)
                self.children[name].kill()
                self.children[name].start()
        return deaf

    def serves(self):
        return self.cli("status") == 0

    def close(self):
        for child in [*self.children.values(), *self.proxies.values(), self.witness,
                      self.replication, self.redis, self.replica]:
            if child and child.running:
                child.resume()
                child.kill()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, value, trace):
        self.close()
