#!/usr/bin/env python3
"""The steps of deploy/Dockerfile in Debian chroots, for where there is no container engine.

    sudo tests/deploy/image.py FOLDER

Makes a Debian 12 in FOLDER (kept, for it takes a while), and from it each stage: COPY and RUN as
written; then starts the last one's ENTRYPOINT and CMD as its USER, in a network of its own, until its
HEALTHCHECK says yes, and stops it by its STOPSIGNAL. Needs root and mmdebstrap; takes minutes.
"""
import contextlib
import fcntl
import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from muster_fixture import ROOT, wait_until  # noqa: E402

SUITES = {"debian:12-slim": "bookworm", "debian:13-slim": "trixie"}
HEALTHY_S = 60


def instructions(text):
    """(word, rest) of each, comments left out and lines joined."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), rest.strip()


class Stage:
    def __init__(self, image, folder):
        self.image, self.root = image, folder
        self.folder, self.user, self.environment = "/", None, {}
        self.entrypoint, self.command, self.health, self.stop = [], [], [], "SIGTERM"

    def inside(self, path):
        """A path of the stage, as the host sees it."""
        return os.path.normpath(self.root + "/" + os.path.join(self.folder, path))

    def words(self, words, user=None):
        return ["chroot", *([f"--userspec={user}"] if user else []), self.root, "env", "-i",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                *(f"{k}={v}" for k, v in self.environment.items()), *words]

    @contextlib.contextmanager
    def mounted(self):
        """With /proc and /dev, and what apt needs of this machine."""
        mounts = [("proc", ["-t", "proc", "proc"]), ("dev", ["--rbind", "/dev"])]
        for name, options in mounts:
            subprocess.run(["mount", *options, self.inside("/" + name)], check=True)
        subprocess.run(["mount", "--make-rslave", self.inside("/dev")], check=True)
        try:
            yield
        finally:
            for name, _ in reversed(mounts):
                subprocess.run(["umount", "-R", "-l", self.inside("/" + name)], check=True)

    def run(self, command):
        shell = f"cd {shlex.quote(self.folder)} && {command}"
        with self.mounted():
            done = subprocess.run(self.words(["sh", "-c", shell], self.user))
        if done.returncode != 0:
            raise SystemExit(f"RUN ended with {done.returncode}: {command}")


def debian(image, folder):
    """The bare system that `image` stands for, with this machine's ways to the archive."""
    base = os.path.join(folder, image.replace(":", "-"))
    if not os.path.exists(base):
        making = base + ".making"
        shutil.rmtree(making, ignore_errors=True)
        sources = subprocess.run("cat /etc/apt/sources.list.d/debian.sources", shell=True,
                                 capture_output=True, text=True, check=False).stdout
        sources = sources.replace("bookworm", SUITES[image])
        subprocess.run(["mmdebstrap", "--variant=apt", "--include=ca-certificates", SUITES[image],
                        making, *(["-"] if sources else [])], input=sources, text=True, check=True)
        shutil.copytree("/etc/apt/apt.conf.d", os.path.join(making, "etc/apt/apt.conf.d"),
                        dirs_exist_ok=True)
        shutil.copy("/etc/resolv.conf", os.path.join(making, "etc/resolv.conf"))
        os.rename(making, base)
    return base


def ignored():
    with open(os.path.join(ROOT, ".dockerignore"), encoding="utf-8") as f:
        patterns = [line.strip() for line in f if line.strip()]
    return lambda folder, names: [
        n for n in names if any(fnmatch.fnmatch(n, p.removeprefix("**/")) and
                                (p.startswith("**/") or folder == ROOT) for p in patterns)]


def copy(source, to, into_folder):
    if os.path.isdir(source):
        shutil.copytree(source, to, symlinks=True, dirs_exist_ok=True, ignore=ignored())
        return
    if into_folder:
        to = os.path.join(to, os.path.basename(source))
    os.makedirs(os.path.dirname(to), exist_ok=True)
    shutil.copy2(source, to)


def build(folder):
    with open(os.path.join(ROOT, "deploy", "Dockerfile"), encoding="utf-8") as f:
        steps = list(instructions(f.read()))
    named, stage = {}, None
    for word, rest in steps:
        print(f"--- {word} {rest}", flush=True)
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            root = os.path.join(folder, f"stage-{len(named)}")
            shutil.rmtree(root, ignore_errors=True)
            subprocess.run(["cp", "-a", debian(image, folder), root], check=True)
            stage = named[name or str(len(named))] = Stage(image, root)
        elif word == "COPY":
            options, *_ = [re.match(r"--from=(\S+) ", rest)]
            source, to = rest[options.end():].split() if options else rest.split()
            at = named[options.group(1)].inside(source) if options else os.path.join(ROOT, source)
            copy(os.path.normpath(at), stage.inside(to), to.endswith("/"))
        elif word == "RUN":
            stage.run(rest)
        elif word == "WORKDIR":
            stage.folder = rest
            os.makedirs(stage.inside("."), exist_ok=True)
        elif word == "ENV":
            stage.environment |= dict(w.split("=", 1) for w in shlex.split(rest))
        elif word == "USER":
            stage.user = rest
        elif word == "STOPSIGNAL":
            stage.stop = rest
        elif word == "HEALTHCHECK":
            stage.health = json.loads(rest[rest.index("CMD ") + 4:])
        elif word == "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        elif word == "CMD":
            stage.command = json.loads(rest)
        elif word not in ("VOLUME", "EXPOSE"):
            raise SystemExit(f"{word}: not understood")
    return stage


def loopback_up():
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def serve(stage):
    """Runs in the new network. The image as `docker run` would start it."""
    loopback_up()
    with stage.mounted():
        server = subprocess.Popen(stage.words([*stage.entrypoint, *stage.command], stage.user))
        try:
            def check():
                if server.poll() is not None:
                    raise SystemExit(f"it ended with {server.returncode}")
                done = subprocess.run(stage.words(stage.health, stage.user), capture_output=True,
                                      text=True)
                return done.stdout if done.returncode == 0 else None
            told = wait_until("its HEALTHCHECK says yes", check, HEALTHY_S)
            with open(f"/proc/{server.pid}/status", encoding="ascii") as f:
                user = re.search(r"^Uid:\s+(\d+)", f.read(), re.MULTILINE).group(1)
            print(f"healthy as user {user}:\n{told}", flush=True)
            if user == "0":
                raise SystemExit("it runs as root")
        finally:
            server.send_signal(getattr(signal, stage.stop))
            code = server.wait(30)
        if code != 0:
            raise SystemExit(f"ended with {code} after {stage.stop}")
        print("ended in order", flush=True)


def main():
    if len(sys.argv) != 2 or os.geteuid() != 0:
        raise SystemExit(__doc__)
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(folder, exist_ok=True)
    stage = build(folder)
    child = os.fork()
    if child == 0:
        import ctypes
        if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
            os._exit(1)
        try:
            serve(stage)
        except SystemExit as e:
            print(e, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
