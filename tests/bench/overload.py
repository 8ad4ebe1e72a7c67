"""Goodput under overload: overload.py BUILD_FOLDER [--fsync-us N] [--seconds S] [--times 1,2,10]

Peak: a closed loop with as many calls in flight as the server works on. Then an open loop offers
multiples of the peak. Redis' disk is made slow, so that the server's capacity and not the load
generator's is the limit on a machine that both share; what each took of the processors is said.
"""
import argparse
import os
import resource
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("build")
    p.add_argument("--fsync-us", type=int, default=80000)
    p.add_argument("--seconds", type=float, default=6)
    p.add_argument("--times", default="1,2,10")
    p.add_argument("--clients", type=int, default=64)
    p.add_argument("--timeout-ms", type=int, default=1000)
    o = p.parse_args()
    build = os.path.abspath(o.build)
    os.environ.update(TEST_BINARY=os.path.join(build, "bin", "muster"),
                      TEST_LOAD=os.path.join(build, "bin", "load"),
                      TEST_CLOCK_SHIM=os.path.join(build, "tests", "libclock_shim.so"))
    sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
    from cluster import Cluster, Redis

    class SlowRedis(Redis):
        def start(self):
            os.environ.update(LD_PRELOAD=os.path.join(build, "tests", "libslow_fsync.so"),
                              SLOW_FSYNC_US=str(o.fsync_us))
            try:
                super().start()
            finally:
                del os.environ["LD_PRELOAD"]

    def offer(api, clients, rate, in_flight=""):
        words = [os.path.join(build, "bin", "bench_overload"), api, str(clients), str(rate),
                 str(o.seconds), str(o.timeout_ms), *([in_flight] if in_flight else [])]
        before = cpu()
        out = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
        got = {k: float(v) for k, v in zip(out[::2], out[1::2])}
        got |= {k: (v - before[k]) / got["seconds"] for k, v in cpu().items()}
        return got

    def cpu():
        """Seconds of the generators so far, and of each process of the server."""
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = {"load": spent.ru_utime + spent.ru_stime}
        for name, process in c.processes.items():
            with open(f"/proc/{process.pid}/stat", encoding="ascii") as f:
                fields = f.read().rpartition(")")[2].split()
            seconds[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return seconds

    def shares(got):
        return (f"processors: generator {got['load']:.2f}, api {got['a1']:.2f}, "
                f"matcher {got['m1']:.2f}")

    with Cluster(matchers=1, apis=1, redis=SlowRedis) as c:
        peak = 0.0
        for in_flight in ("1", "4", "16"):
            got = offer(c.api, o.clients, 0, in_flight)
            print(f"closed loop, {o.clients} x {in_flight}: {got['ok_per_second']:.0f} OK/s, "
                  f"p99 {got['p99_us'] / 1000:.0f} ms; {shares(got)}", flush=True)
            peak = max(peak, got["ok_per_second"])
        for times in map(float, o.times.split(",")):
            got = offer(c.api, o.clients, times * peak)
            every = got["ok"] + got["refused"] + got["late"]
            print(f"open loop, {times:g} x peak: {got['ok_per_second']:.0f} OK/s = "
                  f"{100 * got['ok_per_second'] / peak:.0f} % of peak, p99 {got['p99_us'] / 1000:.0f} "
                  f"ms; of {got['offered']:.0f} offered {got['refused']:.0f} refused, "
                  f"{got['late']:.0f} late, {got['offered'] - every:.0f} unaccounted; "
                  f"{shares(got)}", flush=True)
        with open(f"/proc/{c.processes['a1'].pid}/status", encoding="ascii") as f:
            print("api's memory:", next(line for line in f if line.startswith("VmHWM")).strip())


if __name__ == "__main__":
    main()
