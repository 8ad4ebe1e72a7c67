"""A real `muster serve` for tests: own state folder, free ports, own processes ended by pid.

    with Muster() as m:             # all roles in one process, embedded Redis
        m.api, m.events, m.bridge   # "tcp://...", "tcp://...", "http://..."
        m.cli("queue", "list")      # subprocess.CompletedProcess of the CLI

The binary is $TEST_BINARY. Everything is waited for by condition with a deadline.
"""
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

BINARY = os.environ.get("TEST_BINARY", "build/dev/bin/muster")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# nng's own small leaks are not ours to find; children inherit this.
os.environ.setdefault("LSAN_OPTIONS", "print_suppressions=0:suppressions=" +
                      os.path.join(ROOT, "tests", "support", "lsan.supp"))
QUEUES = os.path.join(ROOT, "deploy", "queues", "default.json")


def wait_until(what, condition, timeout=20.0, interval=0.02):
    """Polls condition() until it is true and returns its value; fails naming `what`."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(interval)


def scrape(process):
    """The values of the process' /metrics by name and labels: 'x_total{queue="a"}'."""
    with urllib.request.urlopen(process.doors["metrics"][0] + "/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def metrics(process):
    """The sums of a process' metrics over their labels."""
    sums = {}
    for series, value in scrape(process).items():
        name = series.partition("{")[0]
        sums[name] = sums.get(name, 0) + value
    return sums


class Process:
    """One child that prints its doors and then `ready`."""

    def __init__(self, arguments, log_path, environment=None):
        self.log_path = log_path
        self.out_path = log_path + ".out"
        with open(self.out_path, "wb") as out, open(log_path, "ab") as log:
            self.child = subprocess.Popen(arguments, stdout=out, stderr=log,
                                          stdin=subprocess.DEVNULL, env=environment)
        self.doors = {}

    @property
    def pid(self):
        return self.child.pid

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def output(self):
        with open(self.out_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_ready(self, timeout=30.0):
        def ready():
            if self.child.poll() is not None:
                raise AssertionError(f"ended with {self.child.returncode} before ready:\n{self.log()}")
            return "\nready\n" in "\n" + self.output()
        wait_until("the server prints ready", ready, timeout)
        for line in self.output().splitlines():
            name, _, addresses = line.partition(" ")
            if addresses:
                self.doors[name] = addresses.split(",")
        return self

    def signal(self, number):
        self.child.send_signal(number)

    def kill(self):
        """SIGKILL, the supported way to stop."""
        self.child.kill()
        self.child.wait(30)

    def stop(self, timeout=15.0):
        """SIGTERM; returns the exit code."""
        if self.child.poll() is None:
            self.child.terminate()
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(30)
            raise AssertionError(f"no end within {timeout} s of SIGTERM:\n{self.log()[-4000:]}")


class Muster:
    """A server in a folder that outlives its processes: start, kill, start again."""

    def __init__(self, *options, queues=QUEUES, start=True):
        self.folder = tempfile.mkdtemp(prefix="muster-")
        self.state = os.path.join(self.folder, "state")
        self.options = list(options)
        self.queues = queues
        self.process = None
        self.started = 0
        if start:
            self.start()

    def arguments(self, *more):
        return [BINARY, "serve", "--state", self.state,
                "--api-listen", "tcp://127.0.0.1:0", "--events-listen", "tcp://127.0.0.1:0",
                "--bridge-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
                *self.options, *more]

    def start(self, *more, ready=True):
        self.started += 1
        extra = ["--queues", self.queues] if self.queues else []
        self.process = Process(self.arguments(*extra, *more),
                               os.path.join(self.folder, f"serve-{self.started}.log"))
        if ready:
            self.process.wait_ready()
        return self.process

    def redis_pid(self):
        """Of the embedded redis-server."""
        with open(os.path.join(self.state, "redis.pid"), encoding="ascii") as f:
            return int(f.read())

    def kill_redis(self):
        os.kill(self.redis_pid(), signal.SIGKILL)

    @property
    def api(self):
        return self.process.doors["api"][0]

    @property
    def events(self):
        return self.process.doors["events"][0]

    @property
    def bridge(self):
        return self.process.doors["bridge"][0]

    @property
    def metrics(self):
        return self.process.doors["metrics"][0]

    def cli(self, *arguments, stdin=None, timeout=60, check=False):
        # Only commands that talk to a server take --api; `queue check` and `serve` do as well or not.
        words = [BINARY, *arguments]
        if arguments[0] not in ("serve", "version"):
            words += ["--api", self.api]
        return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=timeout,
                              check=check)

    def close(self):
        try:
            if self.process and self.process.child.poll() is None:
                self.process.stop()
        finally:
            log = self.process.log() if self.process else ""
            shutil.rmtree(self.folder, ignore_errors=True)
        if "ERROR: AddressSanitizer" in log or "ERROR: LeakSanitizer" in log or \
                "runtime error:" in log:
            raise AssertionError("a sanitizer spoke:\n" + log[-8000:])

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind and self.process:
            print("--- server log (end) ---\n" + self.process.log()[-6000:])
        self.close()
