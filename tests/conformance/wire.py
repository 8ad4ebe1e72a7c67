"""Engine.IO and Socket.IO by hand, over plain sockets: what the conformance tests are written with.

Everything has a deadline; nothing sleeps for luck. Waiting for the server to act is reading from a
socket, or asking again until it has.
"""

import base64
import json
import os
import socket
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from muster_fixture import wait_until  # noqa: E402

DEADLINE = 5.0
PATH = "/socket.io/"


class Server:
    """The echo server in a process of its own, with short heartbeats unless told otherwise."""

    def __init__(self, **flags):
        flags = {"ping_interval": 300, "ping_timeout": 200, "connect_timeout": 1000} | flags
        command = [os.environ["ECHO_SERVER"]]
        for name, value in flags.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        """Ends it in order; its log. A sanitizer's report or a crash is an error."""
        self.process.terminate()
        try:
            _, log = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the server did not stop")
        log = log.decode()
        if self.process.returncode != 0:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{log[-4000:]}")
        return log

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Case(unittest.TestCase):
    """Tests of one file share one server; `flags` sets it up."""

    flags = {}
    tls = None  # an ssl.SSLContext: connections speak TLS

    @classmethod
    def setUpClass(cls):
        cls.server = Server(**cls.flags)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.opened = []

    def tearDown(self):
        for thing in self.opened:
            thing.close()

    def http(self, *args, **kwargs):
        request = Http(self.server.port, *args, tls=self.tls, **kwargs)
        self.opened.append(request)
        return request

    def get(self, query="", **kwargs):
        return self.http("GET", query, **kwargs).answer()

    def post(self, sid, body, **kwargs):
        return self.http("POST", f"EIO=4&transport=polling&sid={sid}", body=body, **kwargs).answer()

    def poll(self, sid, **kwargs):
        return self.get(f"EIO=4&transport=polling&sid={sid}", **kwargs)

    def hold(self, sid):
        return self.http("GET", f"EIO=4&transport=polling&sid={sid}")

    def open_polling(self):
        return json.loads(self.get("EIO=4&transport=polling").body[1:])["sid"]

    def ws(self, query="EIO=4&transport=websocket", **kwargs):
        ws = WebSocket(self.server.port, query, tls=self.tls, **kwargs)
        self.opened.append(ws)
        return ws

    def open_ws(self):
        ws = self.ws()
        self.assertEqual(ws.receive()[0], "0")
        return ws

    def join(self, nsp="", auth=""):
        """A WebSocket that has joined a namespace and read what comes of it."""
        ws = self.open_ws()
        ws.send(f"40{nsp}{auth}")
        self.assertTrue(ws.receive_packet().startswith("40"))
        self.assertTrue(ws.receive_packet().startswith("42"))
        return ws

    def join_polling(self):
        sid = self.open_polling()
        self.assertEqual(self.post(sid, "40").body, b"ok")
        text = ""
        while "auth" not in text:
            text += self.poll(sid).text
        return sid

    def settle(self):
        """What was sent before this has been read by the server when it returns: it has one thread,
        accepts in order, and answers this on a connection that came later."""
        self.assertEqual(self.get(path="/healthz").status, 200)

    def assert_gone(self, sid):
        answer = self.poll(sid)
        self.assertEqual((answer.status, answer.json()["code"]), (400, 1))

    def assert_took(self, began, seconds):
        """Never early; late only as much as a crowded machine may make it."""
        took = time.monotonic() - began
        self.assertGreater(took, seconds - 0.05)
        self.assertLess(took, seconds + 0.5)

    def assert_alive(self):
        """The server still serves: the one thing no attack may change."""
        self.assertEqual(self.get("EIO=4&transport=polling").status, 200)


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0] else 0
        self.headers = {k.lower(): v.strip() for k, _, v in (l.partition(":") for l in lines[1:])}
        self.raw = raw

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


def connect(port, tls=None):
    s = socket.create_connection(("127.0.0.1", port), DEADLINE)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(s, server_hostname="localhost") if tls else s


class Http:
    """One request on one connection; answer() reads until the server closes it."""

    def __init__(self, port, method, query, body=None, headers=(), path=PATH, length=None,
                 tls=None):
        self.socket = connect(port, tls)
        target = path + ("?" + query if query else "")
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *headers]
        if body is not None:
            body = body.encode() if isinstance(body, str) else body
            length = len(body) if length is None else length
        if length is not None:
            lines.append(f"Content-Length: {length}")
        self.socket.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        try:
            self.socket.sendall(body or b"")
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer came before the body was through

    def answer(self):
        raw = b""
        while True:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            raw += piece
            head, end, body = raw.partition(b"\r\n\r\n")
            length = [l for l in head.lower().split(b"\r\n") if l.startswith(b"content-length:")]
            if end and length and len(body) >= int(length[0].split(b":")[1]):
                break
        self.socket.close()
        return Answer(raw)

    def close(self):
        self.socket.close()


class Closed(Exception):
    """The server closed the WebSocket; `code` is that of its close frame, None without one."""

    def __init__(self, code=None):
        super().__init__(f"closed with {code}")
        self.code = code


class WebSocket:
    def __init__(self, port, query, headers=(), path=PATH, method="GET", version="13", key=True,
                 upgrade="websocket", tls=None):
        self.socket = connect(port, tls)
        lines = [f"{method} {path}?{query} HTTP/1.1", "Host: localhost", f"Upgrade: {upgrade}",
                 "Connection: Upgrade", *headers]
        if version:
            lines.append(f"Sec-WebSocket-Version: {version}")
        if key:
            lines.append("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                break
            self.buffer += piece
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.answer = Answer(head + b"\r\n\r\n")
        if self.answer.status != 101:
            while piece := self.socket.recv(65536):
                self.buffer += piece
            self.answer = Answer(head + b"\r\n\r\n" + self.buffer)

    def close(self):
        self.socket.close()

    def send_together(self, *messages):
        """Several text messages in one segment."""
        frames = []
        real, self.socket = self.socket, self
        self.sendall = frames.append
        for message in messages:
            self.send(message)
        self.socket = real
        self.socket.sendall(b"".join(frames))

    def send_frame(self, opcode, payload=b"", final=True, reserved=0, claimed=None):
        mask = b"\x01\x02\x03\x04"
        size = len(payload) if claimed is None else claimed
        head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += struct.pack(">BH", 0x80 | 126, size)
        else:
            head += struct.pack(">BQ", 0x80 | 127, size)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        self.socket.sendall(head + mask + masked)

    def send(self, message):
        if isinstance(message, str):
            self.send_frame(1, message.encode())
        else:
            self.send_frame(2, message)

    def read(self, size):
        while len(self.buffer) < size:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                raise Closed()
            self.buffer += piece
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def receive_frame(self):
        first, size = self.read(2)
        if size == 126:
            (size,) = struct.unpack(">H", self.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.read(8))
        return first & 15, self.read(size)

    def receive(self):
        """The next message; raises Closed, and TimeoutError after the deadline."""
        opcode, payload = self.receive_frame()
        if opcode == 8:
            raise Closed(struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None)
        return payload.decode() if opcode == 1 else payload

    def receive_packet(self):
        """The next message that is no ping; pings are answered."""
        while True:
            message = self.receive()
            if message != "2":
                return message
            self.send("3")

    def until_closed(self):
        """Reads on until the server closes; the code."""
        try:
            while True:
                self.receive_packet()
        except Closed as closed:
            return closed.code


def eventually(condition, what):
    return wait_until(what, condition, DEADLINE, 0.005)


def b64(data):
    return "b" + base64.b64encode(data).decode()


if __name__ == "__main__":
    sys.exit("a library: run the *_test.py files")
