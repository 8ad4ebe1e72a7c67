"""Socket.IO clients against real servers, and their packet parser beside ours; started by
tests/interop/run."""
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))
from muster_fixture import ROOT, Muster  # noqa: E402


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.muster = Muster()
        for path in (os.path.join(ROOT, "deploy", "queues", "ready_2v2.json"),
                     os.path.join(HERE, "endless_duel.json")):
            cls.muster.cli("queue", "put", path, check=True)

    @classmethod
    def tearDownClass(cls):
        cls.muster.close()

    def play(self, *words):
        result = subprocess.run(words, capture_output=True, text=True, timeout=180)
        if result.returncode != 0:
            self.fail(f"{' '.join(words)}\n{result.stdout}{result.stderr}\n--- server ---\n"
                      + self.muster.process.log()[-4000:])

    def javascript(self, transports):
        self.play("node", os.path.join(HERE, "player.cjs"), self.muster.bridge, transports,
                  self.muster.api)

    def python(self, transports):
        self.play(os.environ["INTEROP_PYTHON"], os.path.join(HERE, "player.py"),
                  self.muster.bridge, transports, self.muster.api)

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


class Echo(unittest.TestCase):
    """All of the protocol, against the server that echoes."""

    @classmethod
    def setUpClass(cls):
        cls.servers = []
        cls.url = cls.start("--recovery", "60000")

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.terminate()
            if server.wait(20) != 0:
                raise AssertionError(f"the server ended with {server.returncode}")

    @classmethod
    def start(cls, *flags):
        server = subprocess.Popen([os.environ["ECHO_SERVER"], *flags], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        cls.servers.append(server)
        return f"http://127.0.0.1:{int(server.stdout.readline())}"

    def play(self, *words):
        result = subprocess.run(words, capture_output=True, text=True, timeout=180)
        if result.returncode != 0:
            self.fail(f"{' '.join(words)}\n{result.stdout}{result.stderr}")

    def test_javascript_client_has_all_of_the_protocol_over_each_transport(self):
        for transports in ("default", "websocket", "polling"):
            with self.subTest(transports):
                self.play("node", os.path.join(HERE, "echo.cjs"), self.url, transports)

    def test_python_client_has_all_of_the_protocol_over_each_transport(self):
        for transports in ("default", "websocket", "polling"):
            with self.subTest(transports):
                self.play(os.environ["INTEROP_PYTHON"], os.path.join(HERE, "echo.py"), self.url,
                          transports)

    @unittest.skipUnless("INTEROP_GO" in os.environ, "no Go here")
    def test_go_client_has_all_of_the_protocol_over_websocket(self):
        # Over polling this client stops after its first poll, with the reference server as well.
        self.play(os.environ["INTEROP_GO"], self.url, "websocket")

    def test_page_in_a_browser_plays_over_each_transport_and_only_where_it_may(self):
        refusing = self.start("--origins", "https://elsewhere.example")
        self.play("node", os.path.join(HERE, "page.cjs"), self.url, refusing)


class Parser(unittest.TestCase):
    def test_packets_are_read_as_the_official_parser_reads_them(self):
        corpus = os.path.join(os.path.dirname(HERE), "fuzz", "corpus", "sio_packet")
        dump = subprocess.run([os.environ["SIO_PACKET_DUMP"], corpus], capture_output=True,
                              check=True, timeout=60)
        result = subprocess.run(["node", os.path.join(HERE, "parser.cjs"), corpus],
                                input=dump.stdout, capture_output=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr.decode()[-3000:])


if __name__ == "__main__":
    unittest.main(verbosity=2)
