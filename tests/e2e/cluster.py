"""Processes as in production: a Redis of its own, matchers, apis, events, bridges; ended by pid.

    with Cluster(matchers=3, apis=2) as c:
        c.leader()                  # the matcher that leads now
        c.start("m1"); c.processes["m1"].kill()
"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from muster_fixture import BINARY, QUEUES, Process, wait_until  # noqa: E402

SHIM = os.environ["TEST_CLOCK_SHIM"]


class Redis:
    """A redis-server on a unix socket; appendfsync always."""

    def __init__(self, folder, *options, password=None):
        self.folder, self.password = folder, password
        self.socket = os.path.join(folder, "redis.sock")
        self.options = options if password is None else (
            *options, "--requirepass", password, "--masterauth", password)
        self.child = None
        os.makedirs(folder, exist_ok=True)
        self.start()

    def start(self):
        with open(os.path.join(self.folder, "redis.log"), "ab") as log:
            self.child = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder,
                 "--appendonly", "yes", "--appendfsync", "always", "--save", "", *self.options],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until("redis-server answers", lambda: self.run("PING") == "PONG", 20)

    def run(self, *words):
        environment = {**os.environ, **({"REDISCLI_AUTH": self.password} if self.password else {})}
        done = subprocess.run(["redis-cli", "-s", self.socket, *words], capture_output=True,
                              text=True, timeout=20, env=environment)
        return done.stdout.strip()

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait(20)


    @property
    def address(self):
        return f"unix:{self.socket}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Sentinel:
    """A primary and two replicas on TCP, watched by three Sentinels, which find it down after
    0.5 s: after a failover the new primary still has a replica."""

    def __init__(self, folder, password=None):
        self.password = password
        self.ports = [free_port() for _ in range(3)]
        self.sentinel_ports = [free_port() for _ in range(3)]
        common = ("--repl-diskless-sync-delay", "0", "--repl-timeout", "5")
        self.nodes = [Redis(os.path.join(folder, "1"), "--port", str(self.ports[0]), *common,
                            password=password)]
        for i in (1, 2):
            self.nodes.append(Redis(os.path.join(folder, str(i + 1)), "--port", str(self.ports[i]),
                                    *common, "--replicaof", "127.0.0.1", str(self.ports[0]),
                                    password=password))
        self.sentinels = []
        for port in self.sentinel_ports:
            self.start_sentinel(folder, port)
        wait_until("the replicas follow",
                   lambda: self.nodes[0].run("INFO", "replication").count("state=online") == 2, 20)
        wait_until("the Sentinels know all",
                   lambda: all(self.ask(port, "num-slaves") == "2" and
                               self.ask(port, "num-other-sentinels") == "2"
                               for port in self.sentinel_ports), 30)

    def start_sentinel(self, folder, port):
        path = os.path.join(folder, f"sentinel-{port}.conf")
        with open(path, "w", encoding="ascii") as f:
            f.write(f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
                    f"sentinel monitor game 127.0.0.1 {self.ports[0]} 2\n"
                    "sentinel down-after-milliseconds game 500\n"
                    "sentinel failover-timeout game 4000\n")
            if self.password:
                f.write(f"requirepass {self.password}\n"
                        f"sentinel auth-pass game {self.password}\n")
        with open(path + ".log", "wb") as log:
            self.sentinels.append(subprocess.Popen(["redis-server", path, "--sentinel"],
                                                   stdout=log, stderr=log,
                                                   stdin=subprocess.DEVNULL))

    def ask(self, port, field):
        login = ["-a", self.password, "--no-auth-warning"] if self.password else []
        done = subprocess.run(["redis-cli", "-p", str(port), *login, "SENTINEL", "master", "game"],
                              capture_output=True, text=True, timeout=20)
        lines = done.stdout.split("\n")
        return lines[lines.index(field) + 1] if field in lines else None

    @property
    def address(self):
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinel_ports)
        return f"redis+sentinel://{f':{self.password}@' if self.password else ''}{hosts}/game"

    def primary(self):
        """The node that the first Sentinel names."""
        port = self.ask(self.sentinel_ports[0], "port")
        return self.nodes[self.ports.index(int(port))]

    def run(self, *words):
        return self.primary().run(*words)

    def kill(self):
        for child in self.sentinels:
            child.kill()
            child.wait(20)
        for node in self.nodes:
            node.kill()


class Cluster:
    def __init__(self, matchers=3, apis=1, events=0, bridges=0, options=(), redis=Redis):
        self.folder = tempfile.mkdtemp(prefix="muster-")
        os.makedirs(os.path.join(self.folder, "redis"))
        self.redis = redis(os.path.join(self.folder, "redis"))
        self.options = ["--lease-ms", "1000", *options]
        self.processes, self.starts, self.ports, self.door_ports = {}, {}, {}, {}
        self.matchers = [f"m{i}" for i in range(1, matchers + 1)]
        self.apis = [f"a{i}" for i in range(1, apis + 1)]
        self.events = [f"e{i}" for i in range(1, events + 1)]
        self.bridges = [f"b{i}" for i in range(1, bridges + 1)]
        try:
            for name in self.names:
                self.start(name)
            done = self.cli("queue", "put", QUEUES)
            assert done.returncode == 0, done.stderr
        except BaseException:
            self.close()
            raise

    @property
    def names(self):
        return [*self.matchers, *self.events, *self.apis, *self.bridges]

    def door(self, name):
        """TCP: a unix socket's listener in nng 1.5.2 ends for good when a client goes too soon."""
        if name not in self.door_ports:
            self.door_ports[name] = free_port()
        return f"tcp://127.0.0.1:{self.door_ports[name]}"

    def doors(self, names):
        return ",".join(self.door(name) for name in names)

    @property
    def api(self):
        return self.doors(self.apis)

    @property
    def publishers(self):
        return ",".join(self.door(f"{name}.pub") for name in self.events)

    def role_options(self, name):
        if name in self.matchers:
            return ["--roles", "matcher", "--matcher-listen", self.door(name)]
        if name in self.events:
            return ["--roles", "events", "--events-listen", self.door(f"{name}.pub"),
                    "--replay-listen", self.door(name)]
        if name in self.apis:
            return ["--roles", "api", "--api-listen", self.door(name),
                    "--matcher-remote", self.doors(self.matchers),
                    "--replay-remote", self.doors(self.events) or self.door("nobody")]
        return ["--roles", "bridge", "--bridge-listen", self.ports.get(name, "127.0.0.1:0"),
                "--bridge-api", self.api, "--bridge-events", self.publishers]

    def start(self, name, clock_s=None, ready=True):
        """`clock_s`: its wall clock is off by so many seconds."""
        n = self.starts[name] = self.starts.get(name, 0) + 1
        environment = dict(os.environ)
        if clock_s is not None:
            offset = os.path.join(self.folder, f"{name}.clock")
            with open(offset, "wb") as f:
                f.write(struct.pack("<q", clock_s * 1000000))
            environment.update(CLOCK_SHIM_FILE=offset, LD_PRELOAD=SHIM,
                               ASAN_OPTIONS="verify_asan_link_order=0")
        arguments = [BINARY, "serve", "--state", os.path.join(self.folder, name),
                     "--metrics-listen", "127.0.0.1:0", "--redis", self.redis.address,
                     *self.role_options(name), *self.options]
        process = Process(arguments, os.path.join(self.folder, f"{name}-{n}.log"), environment)
        self.processes[name] = process
        if ready:
            process.wait_ready()
            if name in self.bridges:
                self.ports[name] = process.doors["bridge"][0].removeprefix("http://")
        return process

    def cli(self, *words, api=None):
        return subprocess.run([BINARY, *words, "--api", api or self.api], capture_output=True,
                              text=True, timeout=60)

    def status(self, name=None):
        """What the matcher (or, without a name, an api) says of itself; None when it does not."""
        door = self.door(name) if name else None
        if name and self.processes[name].child.poll() is not None:
            return None
        done = self.cli("status", "--json", "--timeout-ms", "700", api=door)
        return json.loads(done.stdout) if done.stdout.startswith("{") else None

    def leaders(self):
        return [m for m in self.matchers if (self.status(m) or {}).get("leading")]

    def leader(self):
        return wait_until("one matcher leads", self.leaders, 20)[0]

    def queued(self):
        return int((self.status() or {}).get("ticketsQueued", -1))

    def close(self):
        bad = []
        for name, process in reversed(self.processes.items()):
            if process.child.poll() is None:
                process.signal(signal.SIGCONT)
                process.stop()
        self.redis.kill()
        for entry in os.listdir(self.folder):
            if entry.endswith(".log"):
                with open(os.path.join(self.folder, entry), encoding="utf-8",
                          errors="replace") as f:
                    log = f.read()
                if "ERROR: AddressSanitizer" in log or "runtime error:" in log or \
                        "ERROR: LeakSanitizer" in log:
                    bad.append(log[-6000:])
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not bad, "a sanitizer spoke:\n" + "\n".join(bad)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            for name, process in self.processes.items():
                print(f"--- {name} (end) ---\n{process.log()[-2500:]}")
        self.close()
