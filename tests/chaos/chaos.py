#!/usr/bin/env python3
"""Runs Muster's processes under load and faults, and has the histories judged.

chaos.py SCENARIO... [--seconds S] [--seed N] [--keep FOLDER] [--expect-violations]
chaos.py --list

One seed draws the same faults in the same order (not the same interleaving: that is what the
simulation is for). Exit status 1 when an invariant broke, or, expected, none did.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import checker  # noqa: E402
from deployment import BIN, LEASE_MS, Child, Deployment, wait_until  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROLES = ("matcher-0", "matcher-1", "api-0", "api-1", "bridge-0", "bridge-1", "events-0")


class Skip(Exception):
    """The machine cannot do that; the text says why."""


class Run:
    """One deployment with its load, its history and its count of what was done to it."""

    def __init__(self, folder, seed, threads=3, players=12, deaf=0, **deployment):
        self.folder, self.random, self.seed = folder, random.Random(seed), seed
        self.deployment = Deployment(os.path.join(folder, "run"), **deployment)
        self.out = os.open(os.path.join(folder, "faults.jsonl"),
                           os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.counts = {"kills": 0, "redis_kills": 0, "power_losses": 0, "pauses": 0, "cuts": 0,
                       "jumps": 0, "stops": 0, "failovers": 0}
        self.due = []  # (when, what): what will be mended
        self.stopping = []  # (child, process, deadline): told to end
        self.threads, self.players, self.deaf, self.others = threads, players, deaf, []

    def say(self, **line):
        os.write(self.out, (json.dumps({"t": time.monotonic_ns(), **line}) + "\n").encode())

    def fault(self, what, target, **more):
        self.say(op="fault", what=what, target=target, **more)

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- load ----

    def start_load(self):
        d = self.deployment
        self.dump = Child("dump", [os.path.join(BIN, "journal_dump"),
                                   f"redis://127.0.0.1:{d.witness.port}", "default",
                                   self.path("journal.jsonl"),
                                   *(["replicated"] if d.replica else [])], d.folder).start()
        self.load = Child("load", [os.path.join(BIN, "chaos_load"), d.api, d.events_door,
                                   str(self.seed), str(self.threads), self.path("load.jsonl")],
                          d.folder).start()
        self.webs = Child("players", [sys.executable, os.path.join(HERE, "players.py"),
                                      ",".join(map(str, d.bridge_ports)), str(self.players),
                                      str(self.seed), self.path("players.jsonl"),
                                      str(self.deaf)], d.folder).start()
        self.others = [self.dump, self.load, self.webs]

    def stop_load(self):
        self.end(self.load, 120)
        self.end(self.webs, 120)
        # tickets whose answer never came have nobody who waits for their end
        wait_until("no ticket is open", lambda: self.deployment.tickets_queued() == 0, 30, 0.2)
        self.end(self.dump, 60)

    def end(self, child, patience):
        child.stop(patience)
        if child.process.returncode != 0:
            raise AssertionError(f"{child.name} ended with {child.process.returncode}:\n"
                                 f"{child.log()[-2000:]}")

    # ---- faults: each does its harm and says when it is mended ----

    def later(self, seconds, mend):
        self.due.append((time.monotonic() + seconds, mend))

    def listener(self, name):
        """A service that only listens, in a process of its own: one that may stop reading."""
        d = self.deployment
        child = Child(name, [os.path.join(BIN, "chaos_load"), d.api, d.events_door, str(self.seed),
                             "0", self.path(name + ".jsonl"), name], d.folder).start()
        self.others.append(child)
        return child

    def restart(self, child):
        if not child.running:
            child.start()

    def kill(self, name=None):
        name = name or self.random.choice(ROLES)
        child = self.deployment.children[name]
        if not child.running:
            return
        self.fault("kill", name)
        child.kill()
        self.counts["kills"] += 1
        self.later(self.random.uniform(0, 0.3), lambda: self.restart(child))

    def kill_redis(self, power=False):
        redis = self.deployment.redis
        if not redis.running:
            return
        self.fault("power loss" if power else "kill", "redis")
        if power:
            redis.lose_power()
            self.counts["power_losses"] += 1
        else:
            redis.kill()
        self.counts["kills"] += 1
        self.counts["redis_kills"] += 1
        self.later(self.random.uniform(0, 0.4), lambda: self.restart(redis))

    def lose_power(self):
        self.kill_redis(power=True)

    def pause(self, child=None):
        name = self.random.choice(ROLES + ("redis", "matcher-0", "matcher-1"))
        child = child or (self.deployment.redis if name == "redis" else
                          self.deployment.children[name])
        if child.paused or not child.running:
            return
        seconds = self.random.uniform(0.2, 2.5)
        self.fault("pause", child.name, seconds=seconds)
        child.pause()
        self.counts["pauses"] += 1
        self.later(seconds, child.resume)

    def cut(self):
        name = self.random.choice(list(self.deployment.proxies))
        proxy = self.deployment.proxies[name]
        how = self.random.choice(["hold", "hold-up", "hold-down", "reset", "refuse", "trickle",
                                  f"slow {self.random.randrange(5, 80)}"])
        self.fault("cut", name, how=how)
        proxy.tell(how)
        self.counts["cuts"] += 1
        self.later(self.random.uniform(0.1, 2.0), lambda: (proxy.tell("pass"), proxy.tell("slow 0")))

    def jump(self):
        seconds = self.random.choice([-3600, -60, -5, 5, 60, 3600])
        name = self.random.choice(["redis", "matcher-0", "matcher-1"])
        self.fault("jump", name, seconds=seconds)
        self.counts["jumps"] += 1
        (self.deployment.redis.clock if name == "redis" else
         self.deployment.clocks[name]).shift(seconds)

    def stop(self, name=None):
        """SIGTERM, as a rolling restart does."""
        child = self.deployment.children[name or self.random.choice(ROLES)]
        if not child.running or child.paused:
            return
        self.fault("stop", child.name)
        child.signal(15)
        self.counts["stops"] += 1
        self.stopping.append((child, child.process, time.monotonic() + 12))

    def restart_stopped(self):
        """Who was told to end starts again as soon as he has."""
        for entry in list(self.stopping):
            child, process, deadline = entry
            if process.poll() is not None:
                self.stopping.remove(entry)
                self.restart(child)
            elif child.paused:
                self.stopping.remove(entry)  # it cannot end while it sleeps
            elif time.monotonic() > deadline:
                raise AssertionError(f"{child.name} did not end within 12 s of SIGTERM")

    def mend(self, everything=False):
        now = time.monotonic()
        due = [what for when, what in self.due if everything or when <= now]
        self.due = [] if everything else [d for d in self.due if d[0] > now]
        for what in due:
            what()
        self.restart_stopped()

    def harm(self, seconds, faults, pace):
        """Faults drawn from `faults` (name -> weight) for so long."""
        until = time.monotonic() + seconds
        names, weights = zip(*faults.items())
        next_fault = time.monotonic() + 0.5
        while time.monotonic() < until:
            self.mend()
            began = time.monotonic()
            if began >= next_fault:
                getattr(self, self.random.choices(names, weights)[0])()
                next_fault = time.monotonic() + self.random.uniform(*pace)
            wait_until("the next moment", lambda: time.monotonic() >= min(
                [next_fault, until, began + 0.2, *[when for when, _ in self.due]]), 60, 0.01)

    def heal(self):
        self.mend(everything=True)
        self.deployment.heal()
        self.say(op="heal")
        began = time.monotonic()
        wait_until("it serves again", self.deployment.serves, 30)
        return time.monotonic() - began

    def close(self):
        for child in self.others:
            if child.running:
                child.kill()
        self.deployment.close()
        os.close(self.out)


# ---- scenarios ----

def run_faults(folder, seed, seconds, faults, pace=(0.1, 0.5), **options):
    run = Run(folder, seed, **options)
    try:
        run.deployment.start()
        run.start_load()
        run.harm(seconds, faults, pace)
        healed = run.heal()
        run.stop_load()
        run.say(op="final")
        print(f"  healed in {healed:.2f} s; " +
              ", ".join(f"{v} {k}" for k, v in run.counts.items() if v))
        return run.counts
    finally:
        run.close()


def kill(folder, seed, seconds):
    """A: kill -9 of every role and of Redis."""
    return run_faults(folder, seed, seconds, {"kill": 4, "kill_redis": 1})


def pause(folder, seed, seconds):
    """B: SIGSTOP of every role and of Redis, up to two and a half leases."""
    return run_faults(folder, seed, seconds, {"pause": 1}, pace=(0.2, 0.7))


def network(folder, seed, seconds):
    """C: the way to Redis is cut, slow, one-way or reset; wall clocks jump by an hour."""
    return run_faults(folder, seed, seconds, {"cut": 4, "jump": 1, "kill": 1}, pace=(0.2, 0.8))


def power(folder, seed, seconds):
    """D: Redis loses its power, and with it all that it had not synced."""
    return run_faults(folder, seed, seconds, {"lose_power": 2, "kill": 1}, pace=(0.4, 1.2))


def rolling(folder, seed, seconds):
    """E: SIGTERM of every process in turn, under load."""
    run = Run(folder, seed)
    try:
        run.deployment.start()
        run.start_load()
        until, slowest = time.monotonic() + seconds, 0.0
        while time.monotonic() < until:
            for name in ROLES:
                child = run.deployment.children[name]
                run.fault("stop", name)
                slowest = max(slowest, child.stop(10))
                run.counts["stops"] += 1
                child.start()
                wait_until("it serves again", run.deployment.serves, 30, 0.05)
        run.heal()
        run.stop_load()
        run.say(op="final")
        print(f"  {run.counts['stops']} stops, the slowest took {slowest:.2f} s")
        return run.counts
    finally:
        run.close()


def disk_full(folder, seed, seconds):
    """E: the disk of Redis fills up: it ends rather than lie; nothing acknowledged is lost."""
    disk = os.path.join(folder, "disk")
    os.makedirs(disk)
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], check=False,
            capture_output=True).returncode != 0:
        raise Skip("mounting a small tmpfs needs root")
    try:
        run = Run(folder, seed)
        try:
            redis = run.deployment.redis
            redis.words[redis.words.index("--dir") + 1] = redis.data = disk
            run.deployment.start()
            run.start_load()
            wait_until("the disk is full and redis has ended", lambda: not redis.running, 120)
            run.fault("disk full", "redis")
            subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
            run.heal()
            run.stop_load()
            run.say(op="final")
            return run.counts
        finally:
            run.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def failover(folder, seed, seconds):
    """D: the primary dies or hangs, often with the link to its replica cut before; `replicated`."""
    run = Run(folder, seed, durability="replicated")
    try:
        d, until = run.deployment, time.monotonic() + seconds
        d.start()
        run.start_load()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            run.harm(run.random.uniform(0.5, 3), {"kill": 1}, (0.3, 1.0))
            run.mend(everything=True)
            how = run.random.choice(["kill", "pause", "cut"])
            run.fault("failover", d.redis.name, how=how)
            if how == "cut":
                d.replication.tell("hold")
                run.harm(run.random.uniform(0.1, 1.5), {"kill": 1}, (0.5, 1.0))
                run.mend(everything=True)
            d.redis.pause() if how == "pause" else d.redis.kill()
            run.counts["failovers"] += 1
            d.promote()
            wait_until("it serves again", d.serves, 60, 0.1)
        run.heal()
        run.stop_load()
        run.say(op="final")
        return run.counts
    finally:
        run.close()


def crowded(folder, seed, seconds):
    """E: more players than a bridge and an api have file descriptors for; the rest go on."""
    run = Run(folder, seed, players=60)
    try:
        for name in ("bridge-0", "api-0"):
            run.deployment.children[name].limit_fds = 64
        run.deployment.start()
        run.start_load()
        run.harm(seconds, {"kill": 1, "pause": 1}, (1.0, 2.0))
        run.heal()
        run.stop_load()
        run.say(op="final")
        return run.counts
    finally:
        run.close()


def longest_join(path, players):
    """Seconds from a player's wish to join until he knew."""
    began, longest = {}, 0.0
    for line in checker.read_file(path):
        if line["op"] == "join" and line["p"] in players:
            if line["ph"] == "inv":
                began[line["r"]] = line["t"]
            else:
                longest = max(longest, (line["t"] - began.pop(line["r"])) / 1e9)
    return longest


def slow(folder, seed, seconds):
    """E: players and a service stop reading; they are cut, or catch up, and nobody else notices."""
    run = Run(folder, seed, deaf=3)
    try:
        d = run.deployment
        d.start()
        run.start_load()
        sleeper, until = run.listener("sleeper"), time.monotonic() + seconds
        while time.monotonic() < until:
            run.pause(sleeper)
            run.harm(run.random.uniform(2.5, 4), {"kill": 0, "jump": 1}, (10, 20))
            run.mend(everything=True)
        cut = d.metric("sockets_slow_total", ["bridge-0", "bridge-1"])
        run.heal()
        run.end(sleeper, 60)  # before the witness: matches end when their time is over
        run.stop_load()
        run.say(op="final")
        waited = longest_join(run.path("players.jsonl"), {f"w{i}" for i in range(3, 12)})
        print(f"  {cut:.0f} connections cut for being slow, {run.counts['pauses']} pauses of the "
              f"service; a player who reads waited {waited:.2f} s at most to join")
        assert cut > 0, "no player who did not read was cut"
        assert waited < 5, "players who read were held up"
        return run.counts
    finally:
        run.close()


def overload(folder, seed, seconds):
    """E: ten times more is offered than a slow disk lets pass; what is acknowledged is there."""
    run = Run(folder, seed)
    try:
        d = run.deployment
        d.redis.env["FSYNC_SHIM_DELAY_US"] = "100000"
        d.start()
        run.start_load()
        run.fault("overload", "api")
        bulk = subprocess.run([os.path.join(BIN, "bench_overload"), d.api, "16", "6000",
                               str(seconds), "1500"], capture_output=True, text=True, check=True,
                              timeout=seconds + 60).stdout.split()
        got = {k: float(v) for k, v in zip(bulk[::2], bulk[1::2])}
        assert got["offered"] == got["ok"] + got["refused"] + got["late"], f"calls vanished: {got}"
        run.say(op="bulk", players="p", ok=int(got["ok"]))
        late, shed = (d.metric(name, ["api-0", "api-1", "matcher-0", "matcher-1"])
                      for name in ("rpc_expired_total", "rpc_shed_total"))
        run.heal()
        run.stop_load()
        run.say(op="final")
        print(f"  {got['offered']:.0f} offered, {got['ok']:.0f} OK, {got['refused']:.0f} refused, "
              f"{got['late']:.0f} too late; {shed:.0f} shed, {late:.0f} dropped for their deadline")
        assert got["ok"] > 0 and shed > 0, "nothing was served, or nothing refused"
        return run.counts
    finally:
        run.close()


def memory(folder, seed, seconds):
    """E: allocations fail: a process refuses, or ends and is replaced; nothing acknowledged is lost."""
    run = Run(folder, seed, shortages=True)
    try:
        d, ends, until = run.deployment, {}, time.monotonic() + seconds
        d.start()
        run.start_load()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            name = run.random.choice(ROLES)
            run.fault("shortage", name)
            d.shortages[name].one_in(run.random.choice([30, 300, 3000]))
            run.counts["shortages"] = run.counts.get("shortages", 0) + 1
            run.later(run.random.uniform(0.2, 1.0), lambda n=name: d.shortages[n].one_in(0))
            run.harm(run.random.uniform(0.3, 0.8), {"jump": 1}, (10, 20))
            for child in d.children.values():
                if not child.running:
                    code = child.process.returncode
                    ends[code] = ends.get(code, 0) + 1
                    child.start()
        run.mend(everything=True)
        d.heal()
        deaf = d.replace_deaf()
        run.heal()
        run.stop_load()
        run.say(op="final")
        print(f"  {run.counts['shortages']} shortages; ends by code: {ends}; deaf: {deaf}")
        return run.counts
    finally:
        run.close()


def mixed(folder, seed, seconds):
    """Everything at once: what the soak runs."""
    return run_faults(folder, seed, seconds, {"kill": 6, "kill_redis": 2, "lose_power": 1,
                                              "pause": 3, "cut": 3, "jump": 1, "stop": 1},
                      pace=(0.1, 0.6))


def zombie(folder, seed, seconds):
    """The leader sleeps, or its writes are held back, beyond its lease: what the fence is for."""
    run = Run(folder, seed)
    try:
        run.deployment.start()
        run.start_load()
        until, sleeps = time.monotonic() + seconds, False
        while time.monotonic() < until:
            for name in ("matcher-0", "matcher-1"):
                child, proxy = run.deployment.children[name], run.deployment.proxies[name]
                run.fault("pause" if sleeps else "hold", name)
                child.pause() if sleeps else proxy.tell("hold")
                began = time.monotonic()
                wait_until("the lease is over", lambda: time.monotonic() - began >
                           2.5 * LEASE_MS / 1000, 10, 0.02)
                child.resume() if sleeps else proxy.tell("pass")
                run.counts["pauses" if sleeps else "cuts"] += 1
                wait_until("it serves", run.deployment.serves, 30, 0.05)
            sleeps = not sleeps
        run.heal()
        run.stop_load()
        run.say(op="final")
        return run.counts
    finally:
        run.close()


SCENARIOS = {s.__name__: s for s in (kill, pause, network, power, failover, rolling, disk_full,
                                     crowded, slow, overload, memory, mixed, zombie)}


def run_scenario(name, seed, seconds, keep=None, expect=False):
    """(violations, counts, Checker)"""
    print(f"{name}: seed {seed}", flush=True)
    folder = keep or tempfile.mkdtemp(prefix="muster-chaos-")
    os.makedirs(folder, exist_ok=True)
    kept = True
    try:
        try:
            counts = SCENARIOS[name](folder, seed, seconds)
        except (AssertionError, subprocess.TimeoutExpired) as e:
            if not expect:
                raise
            print(f"  {e}")
            counts = {}
        judge = checker.Checker(checker.read(folder))
        violations = judge.judge()
        for invariant, text in violations[:20]:
            print(f"  VIOLATION {invariant}: {text}")
        print(f"  {len(violations)} violations; {len(judge.tickets)} tickets, "
              f"{judge.counts['acknowledged']} acknowledged, {len(judge.matches)} matches, "
              f"{len(judge.proposals.by_match)} of them proposed, {judge.counts['drop']} reconnects, {judge.counts['ev']} events", flush=True)
        kept = bool(violations) and not expect or keep is not None
        return violations, counts, judge
    except Skip as e:
        print(f"  skipped: {e}")
        kept = False
        return [], {}, None
    finally:
        if kept:
            print(f"  histories and logs: {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep")
    parser.add_argument("--expect-violations", action="store_true")
    parser.add_argument("--list", action="store_true")
    o = parser.parse_args()
    if o.list or not o.scenarios:
        for name, scenario in SCENARIOS.items():
            print(f"{name:10} {scenario.__doc__}")
        return 0
    found = 0
    for name in o.scenarios:
        seed = o.seed if o.seed is not None else random.SystemRandom().randrange(1, 1 << 30)
        violations, _, _ = run_scenario(name, seed, o.seconds, o.keep, o.expect_violations)
        found += len(violations)
    if o.expect_violations:
        print(f"the checker noticed {found} violations, as it must")
        return 0 if found else 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
