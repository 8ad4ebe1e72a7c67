"""Hostile bytes at the API's socket: a clear error or a closed connection, and no harm done.

The SP/TCP framing is written by hand: 8 bytes of greeting each way, then a 64-bit big-endian
length before each message; a request starts with a 32-bit id whose top bit is set.
"""
import os
import socket
import struct
import sys
import unittest
import unittest.mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from muster_fixture import Muster, wait_until  # noqa: E402

REQ, REP = 0x30, 0x31
OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED = 0, 3, 8, 12


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def envelope(method, payload=b"", request_id=b"r-1", timeout_ms=3000):
    return (field(1, method) + field(2, payload) + varint(3 << 3) + varint(timeout_ms) +
            field(5, request_id))


def status_of(response):
    """(code, message) of an encoded muster.v1.Response."""
    code, message = 0, ""

    def read_varint(data, at):
        n = shift = 0
        while True:
            n |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                return n, at

    def fields(data):
        at = 0
        while at < len(data):
            key, at = read_varint(data, at)
            if key & 7 == 0:
                value, at = read_varint(data, at)
            else:
                size, at = read_varint(data, at)
                value, at = data[at:at + size], at + size
            yield key >> 3, value

    for number, value in fields(response):
        if number == 1:
            for inner, v in fields(value):
                if inner == 1:
                    code = v
                elif inner == 2:
                    message = v.decode()
    return code, message


class Pipe:
    def __init__(self, address, greet=True):
        host, port = address.removeprefix("tcp://").rsplit(":", 1)
        self.s = socket.create_connection((host, int(port)), timeout=10)
        if greet:
            self.s.sendall(b"\0SP\0" + struct.pack(">HH", REQ, 0))
            assert self.take(8) == b"\0SP\0" + struct.pack(">HH", REP, 0)

    def take(self, size):
        data = b""
        while len(data) < size:
            got = self.s.recv(size - len(data))
            if not got:
                raise ConnectionError("closed")
            data += got
        return data

    def request(self, body):
        message = struct.pack(">I", 0x80000001) + body
        self.s.sendall(struct.pack(">Q", len(message)) + message)
        size, = struct.unpack(">Q", self.take(8))
        answer = self.take(size)
        assert answer[:4] == struct.pack(">I", 0x80000001)
        return status_of(answer[4:])

    def closed(self):
        """Whether the peer has closed; waits up to the socket's timeout."""
        try:
            while self.s.recv(65536):
                pass
            return True
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.s.close()


CREATE = b"muster.v1.Tickets/CreateTicket"
CREATE_MANY = b"muster.v1.Tickets/CreateTickets"


def ticket(player_id, skill=b"\x09" + struct.pack("<d", 50.0)):
    attribute = field(1, b"skill") + field(2, skill)
    return field(1, b"1v1_duel") + field(2, field(1, player_id) + field(2, attribute))


class Bytes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A sanitizer keeps freed memory for a while; here its size is what is looked at.
        with unittest.mock.patch.dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=1"):
            cls.m = Muster()

    @classmethod
    def tearDownClass(cls):
        cls.m.close()

    def setUp(self):
        self.pipes = []

    def tearDown(self):
        for pipe in self.pipes:
            pipe.close()
        done = self.m.cli("status")  # whatever was sent, it still serves
        self.assertEqual(done.returncode, 0, done.stderr)

    def pipe(self, greet=True):
        self.pipes.append(Pipe(self.m.api, greet))
        return self.pipes[-1]

    def rss_kb(self):
        with open(f"/proc/{self.m.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def test_a_good_request_written_by_hand_is_answered(self):
        self.assertEqual(self.pipe().request(envelope(CREATE, ticket(b"by-hand")))[0], OK)

    def test_garbage_instead_of_a_greeting_closes(self):
        for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(64), b"\0SP\1aaaa"):
            pipe = self.pipe(greet=False)
            pipe.s.sendall(garbage)
            self.assertTrue(pipe.closed(), garbage)

    def test_half_a_greeting_and_half_a_frame_do_no_harm(self):
        for part in (b"\0SP", b"\0SP\0" + struct.pack(">HH", REQ, 0) + b"\0\0\0",
                     b"\0SP\0" + struct.pack(">HHQ", REQ, 0, 100) + b"half"):
            self.pipe(greet=False).s.sendall(part)
        self.assertEqual(self.pipe().request(envelope(b"muster.v1.System/Check"))[0], OK)

    def test_a_claimed_length_of_16_gib_closes_and_takes_no_memory(self):
        before = self.rss_kb()
        for _ in range(8):
            pipe = self.pipe()
            pipe.s.sendall(struct.pack(">Q", 1 << 34) + b"x" * 1000)
            self.assertTrue(pipe.closed())
        self.assertLess(self.rss_kb() - before, 32 * 1024)

    def test_bytes_that_are_no_envelope_are_refused(self):
        for body in (b"", b"\xff" * 40, b"\x0a\xff\xff\xff\xff\x7f", os.urandom(200)):
            self.assertEqual(self.pipe().request(body)[0], INVALID_ARGUMENT
                             if body else UNIMPLEMENTED, body)

    def test_an_unknown_method_names_the_nearest(self):
        code, message = self.pipe().request(envelope(b"muster.v1.Tickets/CreateTickt"))
        self.assertEqual(code, UNIMPLEMENTED)
        self.assertIn("Tickets/CreateTicket", message)

    def test_a_payload_that_is_none_is_refused(self):
        code, _ = self.pipe().request(envelope(CREATE, b"\x12\x05ab"))
        self.assertEqual(code, INVALID_ARGUMENT)

    def test_invalid_utf8_and_nul_in_a_name_are_refused(self):
        for name in (b"\xc3\x28", b"ann\0admin", b"\xed\xa0\x80", b""):
            code, message = self.pipe().request(envelope(CREATE, ticket(name)))
            self.assertEqual(code, INVALID_ARGUMENT, name)
            self.assertTrue(message)

    def test_nan_and_infinity_are_refused(self):
        for number in (float("nan"), float("inf"), float("-inf")):
            skill = b"\x09" + struct.pack("<d", number)
            code, _ = self.pipe().request(envelope(CREATE, ticket(b"nan-player", skill)))
            self.assertEqual(code, INVALID_ARGUMENT, number)

    def test_ten_thousand_levels_of_nesting_are_refused(self):
        body = b""
        for _ in range(10000):
            body = field(2, body)
        for payload in (body, field(2, body)):
            code, _ = self.pipe().request(envelope(CREATE, payload))
            self.assertIn(code, (INVALID_ARGUMENT, RESOURCE_EXHAUSTED))
        code, _ = self.pipe().request(body)
        self.assertNotEqual(code, OK)

    def test_a_megabyte_of_empty_messages_is_refused_in_flat_memory(self):
        before = self.rss_kb()
        bomb = b"\x0a\x00" * (1 << 19)
        for _ in range(20):
            code, _ = self.pipe().request(envelope(CREATE_MANY, bomb))
            self.assertIn(code, (INVALID_ARGUMENT, RESOURCE_EXHAUSTED))
        after = self.rss_kb()
        for _ in range(40):
            self.pipe().request(envelope(CREATE_MANY, bomb))
        self.assertLess(self.rss_kb() - after, 0.2 * after + 16 * 1024)
        self.assertLess(after, before + 512 * 1024)

    def test_a_missing_request_id_is_named(self):
        code, message = self.pipe().request(envelope(CREATE, ticket(b"no-id"), request_id=b""))
        self.assertEqual(code, INVALID_ARGUMENT)
        self.assertIn("request_id", message)

    def test_an_idle_half_open_peer_is_dropped(self):
        pipe = self.pipe(greet=False)
        pipe.s.settimeout(30)  # nng gives a greeting ten seconds
        self.assertTrue(pipe.closed())

    def test_a_thousand_abrupt_connections_leave_it_serving(self):
        for i in range(1000):
            pipe = Pipe(self.m.api, greet=i % 2 == 0)
            if i % 3 == 0:
                pipe.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            pipe.close()
        wait_until("it serves", lambda: self.m.cli("status").returncode == 0, 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
