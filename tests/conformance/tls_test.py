"""wss and https: the same server behind TLS, and certificates that change while it serves."""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest

from wire import Case, connect, eventually


def make_certificate(folder, name):
    """PATH.crt and PATH.key of a fresh self-signed certificate with that common name."""
    path = os.path.join(folder, name)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", path + ".key", "-out",
                    path + ".crt"], check=True, capture_output=True)
    return path


def install(path, folder):
    """Moves a pair into place as a renewal does: the certificate first, then the key."""
    for kind in ("crt", "key"):
        shutil.copy(f"{path}.{kind}", f"{folder}/next")
        os.rename(f"{folder}/next", f"{folder}/server.{kind}")


class Tls(Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.first = make_certificate(cls.folder, "first")
        cls.second = make_certificate(cls.folder, "second")
        install(cls.first, cls.folder)
        cls.tls = ssl.create_default_context()
        cls.tls.load_verify_locations(cls.first + ".crt")
        cls.tls.load_verify_locations(cls.second + ".crt")
        cls.flags = {"tls_cert": f"{cls.folder}/server.crt", "tls_key": f"{cls.folder}/server.key",
                     "ping_interval": 20000}
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.folder)

    def certificate(self):
        with connect(self.server.port, self.tls) as s:
            return dict(pair[0] for pair in s.getpeercert()["subject"])["commonName"]

    def test_websocket_works_over_tls(self):
        ws = self.join()
        ws.send('42["message","x"]')
        self.assertEqual(ws.receive_packet(), '42["message-back","x"]')

    def test_polling_and_its_upgrade_work_over_tls(self):
        sid = self.join_polling()
        held = self.hold(sid)
        self.settle()
        self.post(sid, '42["message",1]')
        self.assertEqual(held.answer().text, '42["message-back",1]')
        ws = self.ws(f"EIO=4&transport=websocket&sid={sid}")
        ws.send("2probe")
        self.assertEqual(ws.receive(), "3probe")
        ws.send("5")
        ws.send('42["message",2]')
        self.assertEqual(ws.receive_packet(), '42["message-back",2]')

    def test_large_messages_pass_both_ways(self):
        ws = self.join()
        text = "x" * 300000
        ws.send(f'42["message","{text}"]')
        self.assertEqual(ws.receive_packet(), f'42["message-back","{text}"]')

    def test_dropped_held_get_ends_the_session(self):
        sid = self.join_polling()
        held = self.hold(sid)
        self.settle()
        held.close()
        eventually(lambda: self.poll(sid).status == 400, "session gone")

    def test_http_2_is_not_offered(self):
        context = ssl.create_default_context()
        context.load_verify_locations(self.first + ".crt")
        context.load_verify_locations(self.second + ".crt")
        context.set_alpn_protocols(["h2", "http/1.1"])
        with connect(self.server.port, context) as s:
            self.assertEqual(s.selected_alpn_protocol(), "http/1.1")

    def test_old_protocol_versions_are_refused(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, ConnectionResetError)):
            connect(self.server.port, context)

    def test_plain_http_and_garbage_get_nothing_and_do_no_harm(self):
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00" + b"\x00" * 300):
            with socket.create_connection(("127.0.0.1", self.server.port), 8) as s:
                s.sendall(data)
                try:
                    self.assertNotIn(b"200", s.recv(100))
                except ConnectionResetError:
                    pass
        self.assert_alive()

    def test_renewed_certificate_is_shown_to_who_comes_next(self):
        ws = self.join()
        before = self.certificate()
        after = "second" if before == "first" else "first"
        shutil.copy(f"{self.folder}/{after}.crt", f"{self.folder}/server.crt")  # no such key yet
        self.assertEqual(self.certificate(), before)
        install(os.path.join(self.folder, after), self.folder)
        eventually(lambda: self.certificate() == after, "the new certificate")
        ws.send('42["message","still here"]')
        self.assertEqual(ws.receive_packet(), '42["message-back","still here"]')


class Mistakes(unittest.TestCase):
    def test_unusable_files_are_an_error_at_start(self):
        with tempfile.TemporaryDirectory() as folder:
            one, other = make_certificate(folder, "one"), make_certificate(folder, "other")
            for cert, key, word in ((one + ".crt", other + ".key", "mismatch"),
                                    (one + ".key", one + ".key", "tls-cert"),
                                    (one + ".crt", "/nowhere", "/nowhere"),
                                    (one + ".crt", "", "together")):
                done = subprocess.run([os.environ["ECHO_SERVER"], "--tls-cert", cert, "--tls-key",
                                       key], capture_output=True, text=True, timeout=10)
                self.assertEqual(done.returncode, 1)
                self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
