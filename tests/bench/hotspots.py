"""Where the time goes: `perf record` of the process that missed its aim, under the load that showed it."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

SECONDS, FUNCTIONS, THREADS = 4, 10, 6


def available():
    if not shutil.which("perf"):
        return False
    with tempfile.NamedTemporaryFile() as f:
        return subprocess.run(["perf", "record", "-q", "-o", f.name, "--", "true"],
                              capture_output=True, check=False).returncode == 0


def report(data, sort, most):
    """[(share in %, name), ...], largest first."""
    done = subprocess.run(["perf", "report", "-i", data, "--stdio", "--no-children", "-F",
                           f"overhead,{sort}", "--percent-limit", "1"],
                          capture_output=True, text=True, check=False)
    rows = re.findall(r"^ +([\d.]+)% +(?:\[.\] )?(\S+)", done.stdout, re.M)
    return [(float(share), name) for share, name in rows[:most]]


def read(load, data):
    """Of one load: by thread, by library and by function, as figures.json keeps it."""
    named = [row for row in report(data, "symbol", 60) if not row[1].startswith("0x")]
    return {"load": load, "threads": report(data, "comm", THREADS),
            "libraries": report(data, "dso", THREADS), "functions": named[:FUNCTIONS]}


def record(data, *words):
    subprocess.run(["perf", "record", "-q", "-F", "499", "-o", data, "--", *words],
                   capture_output=True, check=True, timeout=120)


def while_running(paths, pid, data, work):
    """Records the process while `work` runs, for SECONDS at most."""
    recording = subprocess.Popen(
        ["perf", "record", "-q", "-F", "999", "-o", data, "-p", str(pid), "--", "sleep", str(SECONDS)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    paths.fixture.wait_until("perf records", lambda: os.path.exists(data) and os.path.getsize(data) > 0)
    work()
    recording.send_signal(signal.SIGINT)
    recording.wait(60)


def of_load(load, paths, folder):
    """Runs the named load of aims.py once more, under perf. `paths`: a Paths of its own."""
    with tempfile.TemporaryDirectory() as own:
        data = os.path.join(own, "perf.data")
        if load.startswith("search "):
            record(data, os.path.join(folder, "search_bench"), load[len("search "):], "1000000")
        elif load == "restart":
            record(data, os.path.join(folder, "replay_bench"), "300000")
        elif load == "calls":
            with paths.serve() as m:
                while_running(paths, m.process.pid, data, lambda: paths.rpc(
                    m, "get_64", "get", 5 * paths.n["many"], depth=64, step=1000))
        elif load == "batches":
            with paths.serve("--roles", "api,matcher") as m:
                while_running(paths, m.process.pid, data, lambda: paths.rpc(
                    m, "core_100", "batch", 4 * paths.n["batches"], depth=32, batch=100, step=1000))
        elif load == "deliver":
            paths.deliver_under = lambda pid, work: while_running(paths, pid, data, work)
            paths.bridge()
        return read(load, data)
