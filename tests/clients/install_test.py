"""The C client, installed elsewhere: its examples are built with pkg-config and with CMake, and run
against a live server.

    install_test.py BUILD_FOLDER COMPILER SANITIZERS      (TEST_BINARY is the server's)
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from muster_fixture import Muster, wait_until  # noqa: E402

EXAMPLES = os.path.join(ROOT, "clients", "c", "examples")
CMAKE_LISTS = """
cmake_minimum_required(VERSION 3.25)
project(game LANGUAGES C)
find_package(muster-client 0.1 REQUIRED)
foreach(name backend follow)
    add_executable(${name} %s/${name}.c)
    target_link_libraries(${name} PRIVATE muster::client)
endforeach()
"""


def run(*words, **options):
    result = subprocess.run(words, capture_output=True, text=True, timeout=120, **options)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(words)}\n{result.stdout}{result.stderr}")
    return result.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="muster-client-")
        cls.prefix = os.path.join(cls.folder, "prefix")
        run("cmake", "--install", BUILD, "--prefix", cls.prefix, "--component", "client")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def installed(self, name):
        for folder, _, files in os.walk(self.prefix):
            if name in files:
                return os.path.join(folder, name)
        self.fail(f"{name} is not installed")

    def build_with_pkg_config(self):
        environment = {**os.environ,
                       "PKG_CONFIG_PATH": os.path.dirname(self.installed("muster-client.pc"))}
        flags = run("pkg-config", "--cflags", "--libs", "muster-client", env=environment).split()
        out = os.path.join(self.folder, "pkg-config")
        os.makedirs(out)
        for name in ("backend", "follow"):
            run(COMPILER, "-Wall", "-Wextra", "-Werror", os.path.join(EXAMPLES, name + ".c"),
                "-o", os.path.join(out, name), *flags, *SANITIZE)
        return out

    def build_with_cmake(self):
        source = os.path.join(self.folder, "game")
        out = os.path.join(self.folder, "cmake")
        os.makedirs(source)
        with open(os.path.join(source, "CMakeLists.txt"), "w", encoding="ascii") as f:
            f.write(CMAKE_LISTS % EXAMPLES)
        run("cmake", "-G", "Ninja", "-S", source, "-B", out, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_C_COMPILER={COMPILER}", f"-DCMAKE_C_FLAGS={' '.join(SANITIZE)}")
        run("cmake", "--build", out)
        return out

    def play(self, programs):
        with Muster() as muster:
            follower = subprocess.Popen(
                [os.path.join(programs, "follow"), muster.api, muster.events, "3"],
                stdout=subprocess.PIPE, text=True)
            try:
                wait_until("the follower sees events",
                           lambda: self.queue_pair(programs, muster) and follower.poll() is not None)
                lines = follower.communicate(timeout=20)[0].splitlines()
            finally:
                if follower.poll() is None:
                    follower.kill()
                    follower.wait()
            self.assertEqual(follower.returncode, 0)
            self.assertEqual(len(lines), 3, lines)
            for line in lines:
                self.assertRegex(line, r"^\d+-\d+ 1v1_duel (TICKET_QUEUED|MATCH_FOUND) [0-9A-Z]{26}$")

    def queue_pair(self, programs, muster):
        """Again and again, as the follower may connect after the first pair."""
        self.pair = getattr(self, "pair", 0) + 1
        names = [f"a{self.pair}", f"b{self.pair}"]
        out = run(os.path.join(programs, "backend"), muster.api, "1v1_duel", *names).splitlines()
        self.assertRegex(out[0], r"^match [0-9A-Z]{26} in .*, quality \d+$")
        self.assertEqual(sorted(line.split(": ")[1] for line in out[1:]), names)
        return True

    def test_examples_built_with_pkg_config_play_a_match(self):
        self.play(self.build_with_pkg_config())

    def test_examples_built_with_cmake_play_a_match(self):
        self.play(self.build_with_cmake())


if __name__ == "__main__":
    BUILD, COMPILER = sys.argv[1], sys.argv[2]
    SANITIZE = [f"-fsanitize={sys.argv[3]}"] if len(sys.argv) > 3 and sys.argv[3] else []
    unittest.main(argv=sys.argv[:1], verbosity=2)
