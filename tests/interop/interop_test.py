"""Official Socket.IO clients against a real server; started by tests/interop/run."""
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))
from muster_fixture import Muster  # noqa: E402


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.muster = Muster()

    @classmethod
    def tearDownClass(cls):
        cls.muster.close()

    def play(self, *words):
        result = subprocess.run(words, capture_output=True, text=True, timeout=180)
        if result.returncode != 0:
            self.fail(f"{' '.join(words)}\n{result.stdout}{result.stderr}\n--- server ---\n"
                      + self.muster.process.log()[-4000:])

    def javascript(self, transports):
        self.play("node", os.path.join(HERE, "player.cjs"), self.muster.bridge, transports)

    def python(self, transports):
        self.play(os.environ["INTEROP_PYTHON"], os.path.join(HERE, "player.py"),
                  self.muster.bridge, transports)

    def test_javascript_client_with_its_defaults_upgrades_and_plays(self):
        self.javascript("default")

    def test_javascript_client_plays_over_websocket_only(self):
        self.javascript("websocket")

    def test_javascript_client_plays_over_polling_only(self):
        self.javascript("polling")

    def test_python_client_with_its_defaults_upgrades_and_plays(self):
        self.python("default")

    def test_python_client_plays_over_websocket_only(self):
        self.python("websocket")

    def test_python_client_plays_over_polling_only(self):
        self.python("polling")


if __name__ == "__main__":
    unittest.main(verbosity=2)
