#!/usr/bin/env python3
"""Our Socket.IO server beside the reference (Node, socket.io, ws), by the same load generator.

beside_node.py [--clients 1000,5000,10000] [--stalled 1000] [--rounds 3] [--json FILE]

Builds the release preset into build/bench, installs the reference from npm into
build/bench/reference, and prints a Markdown table: medians of the rounds, both servers in turn.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build", "bench")
PACKAGES = ["socket.io@4.8.4", "ws@8"]
ROWS = [("connect.per_s", "connects per second", "1/s"),
        ("connect.cpu", "CPU per connect and join", "us"),
        ("connect.rss", "memory per idle connection", "B"),
        ("broadcast.cpu", "CPU per broadcast delivery", "us"),
        ("broadcast.p50", "broadcast to all, p50", "ms"),
        ("broadcast.p99", "… p99", "ms"),
        ("unicast.cpu", "CPU per echo", "us"),
        ("unicast.p50", "echo, p50", "ms"),
        ("unicast.p99", "… p99", "ms")]


def build():
    subprocess.run(["cmake", "-S", ROOT, "-B", BUILD, "--preset", "release", "-DMUSTER_TESTS=ON"],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "echo_server", "bench_fanout"], check=True,
                   stdout=subprocess.DEVNULL)
    folder = os.path.join(BUILD, "reference")
    if not os.path.isdir(os.path.join(folder, "node_modules", "socket.io")):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund",
                        "--no-package-lock", "--loglevel=error", *PACKAGES], check=True)
    return folder


def servers(folder):
    env = os.environ | {"NODE_PATH": os.path.join(folder, "node_modules")}
    ours = os.path.join(BUILD, "bin", "echo_server")
    return {"muster": ([ours], None),
            "node": (["node", os.path.join(HERE, "reference.cjs")], env),
            "muster, nobody cut": ([ours, "--queue-bytes", "100000000", "--queue-packets",
                                    "100000"], None)}


def measure(command, env, *words):
    """The rows of one run against a server of its own."""
    server = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = int(server.stdout.readline())
        done = subprocess.run([os.path.join(BUILD, "bin", "bench_fanout"), f"port={port}",
                               f"server={server.pid}", *words], capture_output=True, text=True,
                              timeout=600)
        if done.returncode != 0:
            raise SystemExit(f"{command[0]} {words}: {done.stdout}{done.stderr}")
    finally:
        server.terminate()
        server.wait()
    rows = [line.split()[1:3] for line in done.stdout.splitlines() if line.startswith("row ")]
    return {name: float(value) for name, value in rows}


def median(runs, row):
    return statistics.median(run[row] for run in runs)


def compare(choices, clients, rounds, results):
    runs = {"muster": [], "node": []}
    for _ in range(rounds):
        for who in runs:
            runs[who].append(measure(*choices[who], f"clients={clients}", "rate=5000"))
    results[str(clients)] = runs
    print(f"\n| {clients:,} connections | muster | node | ratio |\n|---|---|---|---|")
    for row, words, unit in ROWS:
        ours, theirs = median(runs["muster"], row), median(runs["node"], row)
        ratio = ours / theirs if theirs else 0
        print(f"| {words} | {ours:,.3g} {unit} | {theirs:,.3g} {unit} | {ratio:.2f} |", flush=True)


def compare_stalled(choices, stalled, rounds, results):
    print(f"\n| {stalled:,} of 5,000 stop reading | p50 before → with | p99 before → with | "
          "server memory |\n|---|---|---|---|")
    for who in choices:
        runs = [measure(*choices[who], "clients=5000", f"stalled={stalled}", "seconds=0")
                for _ in range(rounds)]
        results[f"stalled, {who}"] = runs
        p50, p99 = ([median(runs, f"stalled.{when}.{q}") for when in ("before", "with")]
                    for q in ("p50", "p99"))
        print(f"| {who} | {p50[0]:.3g} → {p50[1]:.3g} ms | {p99[0]:.3g} → {p99[1]:.3g} ms "
              f"({p99[1] / p99[0]:.2f}) | {median(runs, 'stalled.server_rss'):.0f} MB |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", default="1000,5000,10000")
    parser.add_argument("--stalled", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    choices, results = servers(build()), {}
    print("load average", *os.getloadavg())
    for clients in filter(None, options.clients.split(",")):
        compare(choices, int(clients), options.rounds, results)
    if options.stalled:
        compare_stalled(choices, options.stalled, options.rounds, results)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
