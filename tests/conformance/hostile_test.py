"""What clients do that mean harm, or nothing at all: the server serves on, and rests when idle."""

import json
import os
import resource
import signal
import socket
import struct
import subprocess
import time
import unittest

from wire import Case, Closed, Http, Server, WebSocket, eventually

POLL = "EIO=4&transport=polling"


class Hostile(Case):
    flags = {"ping_interval": 20000, "connect_timeout": 20000}

    def raw(self, data):
        s = socket.create_connection(("127.0.0.1", self.server.port), 8)
        self.opened.append(s)
        s.sendall(data if isinstance(data, bytes) else data.encode())
        return s

    def read_all(self, s):
        data = b""
        try:
            while piece := s.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        return data

    def assert_idle(self):
        """Serves, and uses next to no processor while nothing happens."""
        self.assert_alive()
        silent = self.raw(b"")
        silent.settimeout(0.3)
        before = self.server.cpu_seconds()
        with self.assertRaises(TimeoutError):
            silent.recv(1)
        self.assertLess(self.server.cpu_seconds() - before, 0.1)

    def request(self, method, query=POLL, extra="", body=""):
        return f"{method} /socket.io/?{query} HTTP/1.1\r\nHost: x\r\n{extra}\r\n{body}"


class Http1(Hostile):
    def test_pipelined_get_and_post_in_one_segment_hang_nothing(self):
        sid = self.join_polling()
        for first in (POLL, "EIO=3&transport=polling", f"{POLL}&sid={sid}"):
            post = self.request("POST", f"{POLL}&sid={sid}", "Content-Length: 1\r\n", "3")
            self.raw(self.request("GET", first) + post)
            self.assert_idle()

    def test_pipelined_post_and_post_in_one_segment_hang_nothing(self):
        sid = self.join_polling()
        post = self.request("POST", f"{POLL}&sid={sid}", "Content-Length: 1\r\n", "3")
        data = self.read_all(self.raw(post + post))
        self.assertTrue(data.startswith(b"HTTP/1.1 200"))
        self.assert_idle()

    def test_many_pipelined_requests_get_one_answer(self):
        data = self.read_all(self.raw(self.request("GET") * 50))
        self.assertEqual(data.count(b"HTTP/1.1 200"), 1)
        self.assert_idle()

    def test_request_behind_a_held_get_does_no_harm(self):
        sid = self.join_polling()
        held = self.raw(self.request("GET", f"{POLL}&sid={sid}") + self.request("GET"))
        self.settle()
        self.assert_idle()
        self.post(sid, '42["message",1]')
        data = self.read_all(held)
        self.assertTrue(data.startswith(b"HTTP/1.1 200"))
        self.assertIn(b'42["message-back",1]', data)
        self.assert_idle()

    def test_dropped_held_gets_cost_nothing(self):
        for _ in range(30):
            sid = self.open_polling()
            self.hold(sid).close()
        self.assert_idle()

    def test_half_closed_held_get_costs_nothing(self):
        sid = self.join_polling()
        held = self.raw(self.request("GET", f"{POLL}&sid={sid}"))
        held.shutdown(socket.SHUT_WR)
        self.assert_idle()

    def test_slow_header_is_cut_off(self):
        began = time.monotonic()
        s = self.raw("GET /socket.io/?EIO")
        self.assertEqual(self.read_all(s), b"")
        self.assertLess(time.monotonic() - began, 8)
        self.assert_idle()

    def test_huge_header_and_url_are_refused(self):
        for text in (self.request("GET", extra="X-Long: " + "x" * 40000 + "\r\n"),
                     self.request("GET", POLL + "&x=" + "y" * 40000)):
            try:
                data = self.read_all(self.raw(text))
            except BrokenPipeError:
                data = b""
            self.assertNotIn(b"200 OK", data)
        self.assert_idle()

    def test_nul_in_the_url_does_no_harm(self):
        data = self.read_all(self.raw(self.request("GET", POLL + "&sid=%00")))
        self.assertNotIn(b"500", data[:20])
        self.assert_idle()

    def test_strange_methods_are_refused(self):
        for method in ("TRACE", "FOO", "PROPFIND"):
            data = self.read_all(self.raw(self.request(method)))
            self.assertNotIn(b" 200 ", data[:20])
        s = self.raw("CONNECT example.com:80 HTTP/1.1\r\nHost: x\r\n\r\n")
        self.read_all(s)
        self.assert_idle()

    def test_unknown_upgrade_on_a_connection_does_no_harm(self):
        for upgrade in ("foo", "h2c", "websocketx"):
            extra = f"Upgrade: {upgrade}\r\nConnection: keep-alive, Upgrade\r\n"
            data = self.read_all(self.raw(self.request("GET", extra=extra) * 2))
            self.assertNotIn(b" 101 ", data)
        self.assert_idle()

    def test_two_lengths_are_refused(self):
        sid = self.join_polling()
        extra = "Content-Length: 1\r\nContent-Length: 5\r\n"
        data = self.read_all(self.raw(self.request("POST", f"{POLL}&sid={sid}", extra, "3")))
        self.assertTrue(data.startswith(b"HTTP/1.1 400"), data[:40])

    def test_http_1_0_is_answered_and_closed(self):
        data = self.read_all(self.raw(f"GET /socket.io/?{POLL} HTTP/1.0\r\n\r\n"))
        self.assertIn(b" 200 OK", data)

    def test_slow_reader_of_a_large_answer_gets_it_whole(self):
        sid = self.join_polling()
        text = "x" * 190000
        self.post(sid, f'42["message","{text}"]')
        request = self.http("GET", f"{POLL}&sid={sid}")
        request.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.settle()
        self.assertEqual(request.answer().text, f'42["message-back","{text}"]')

    def test_origin_that_could_end_a_header_line_is_not_repeated(self):
        data = self.read_all(self.raw(self.request("GET", extra="Origin: a\x01b\r\n")))
        self.assertTrue(data.startswith(b"HTTP/1.1 400"))
        self.assertIn(b'"code":3', data)


    def test_expect_100_continue_is_not_waited_for(self):
        sid = self.join_polling()
        s = self.raw(self.request("POST", f"{POLL}&sid={sid}",
                                  "Content-Length: 1\r\nExpect: 100-continue\r\n", "3"))
        self.assertIn(b" 200 OK", self.read_all(s))

    def test_requests_without_host_or_without_a_version_are_served_and_closed(self):
        data = self.read_all(self.raw(f"GET /socket.io/?{POLL} HTTP/1.1\r\n\r\n"))
        self.assertTrue(data.startswith(b"HTTP/1.1 200"))
        self.assertIn(b"Connection: close",
                      self.read_all(self.raw(f"GET /socket.io/?{POLL}\r\n\r\n")))
        self.assert_idle()

    def test_answers_are_not_compressed(self):
        answer = self.get(POLL, headers=["Accept-Encoding: gzip, deflate, br"])
        self.assertNotIn("content-encoding", answer.headers)
        self.assertTrue(answer.text.startswith("0{"))

    def test_header_whose_name_begins_a_known_one_does_no_harm(self):
        # As the last header it makes the library wait for more until its deadline.
        s = self.raw(self.request("GET", extra="X-Auth: token\r\n"))
        self.settle()
        self.assert_alive()
        self.read_all(s)
        self.assert_idle()


class WebSocketOddities(Hostile):
    def test_frame_without_a_mask_does_no_harm(self):
        ws = self.join()
        text = b'42["message","bare"]'
        ws.socket.sendall(bytes([0x81, len(text)]) + text)
        try:
            self.assertEqual(ws.receive_packet(), '42["message-back","bare"]')
        except Closed:
            pass  # what RFC 6455 asks for; the library delivers it
        self.assert_idle()

    def test_subprotocol_nobody_knows_gets_no_websocket_and_does_no_harm(self):
        ws = self.ws(headers=["Sec-WebSocket-Protocol: chat"])
        self.assertNotEqual(ws.answer.status, 101)
        self.assert_idle()


class Slow(Hostile):
    def test_websocket_client_that_does_not_read_is_cut(self):
        ws = self.join()
        began = time.monotonic()
        for _ in range(40):
            try:
                ws.send('42["flood",50]')
            except (BrokenPipeError, ConnectionResetError):
                break
        received = 0
        try:
            while True:
                ws.receive()
                received += 1
        except Closed:
            pass
        self.assertLess(received, 40 * 50)
        self.assertLess(time.monotonic() - began, 5)
        self.assert_idle()

    def test_polling_client_that_does_not_fetch_is_cut(self):
        sid = self.join_polling()
        self.post(sid, '42["flood",300]')
        eventually(lambda: self.post(sid, "3").status == 400, "session cut")
        self.assert_idle()

    def test_one_slow_client_does_not_hold_up_the_others(self):
        slow, quick = self.join(), self.join()
        slow.send('42["flood",25]')
        quick.send('42["message"]')
        self.assertEqual(quick.receive_packet(), '42["message-back"]')
        for _ in range(25):
            self.assertTrue(slow.receive_packet().startswith('42["flood"'))

    def test_choked_client_that_reads_late_gets_everything_in_order(self):
        ws = self.join()
        ws.send('42["flood",25]')
        for i in range(20):
            ws.send(f'42["message",{i}]')
        self.settle()
        got = [ws.receive_packet() for _ in range(45)]
        self.assertEqual(got[25:], [f'42["message-back",{i}]' for i in range(20)])


class Floods(Hostile):
    def test_connections_that_send_nothing_end(self):
        silent = [self.raw(b"") for _ in range(50)]
        self.assert_alive()
        began = time.monotonic()
        for s in silent:
            self.assertEqual(self.read_all(s), b"")
        self.assertLess(time.monotonic() - began, 8)

    def test_probe_flood_without_reading_is_cut_or_answered(self):
        sid = self.join_polling()
        ws = self.ws(f"EIO=4&transport=websocket&sid={sid}")
        try:
            for _ in range(2000):
                ws.send("2probe")
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assert_alive()

    def test_unknown_namespace_flood_is_bounded(self):
        ws = self.open_ws()
        try:
            for i in range(5000):
                ws.send(f"40/{'n' * 200}{i},")
        except (BrokenPipeError, ConnectionResetError):
            pass
        ws.close()
        self.assert_idle()


class PerAddress(Hostile):
    flags = {"sockets_per_ip": 5, "ping_interval": 20000, "connect_timeout": 20000}

    def refused(self, s):
        s.settimeout(2)
        try:
            return s.recv(1) == b""
        except ConnectionResetError:
            return True

    def admitted(self):
        """A WebSocket, or None: requests that have just ended may count for a moment more."""
        try:
            ws = self.ws()
        except (ConnectionResetError, IndexError, ValueError):  # no answer at all
            return None
        return ws if ws.answer.status == 101 else None

    def test_silent_connections_of_one_address_are_bounded_and_its_next_come_in_later(self):
        silent = [self.raw(b"") for _ in range(5)]
        eventually(lambda: self.refused(self.raw(b"")), "the sixth to be refused")
        silent[0].close()
        eventually(lambda: self.get(POLL).status == 200, "room for another")
        for s in silent:
            s.close()
        eventually(lambda: [self.get(POLL).status for _ in range(20)] == [200] * 20,
                   "all counts to be given back")

    def test_held_gets_and_websockets_count_and_are_given_back(self):
        for _ in range(4):
            sids = [self.open_polling() for _ in range(2)]
            held = [self.hold(sid) for sid in sids]
            sockets = [eventually(self.admitted, "room for a WebSocket") for _ in range(3)]
            eventually(lambda: self.refused(self.raw(b"")), "the sixth to be refused")
            for thing in held + sockets:
                thing.close()
            eventually(lambda: [self.get(POLL).status for _ in range(9)] == [200] * 9, "room")


class Descriptors(unittest.TestCase):
    def test_running_out_of_descriptors_refuses_and_recovers(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (160, hard))
        try:
            server = Server(ping_interval=20000, connect_timeout=20000)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        crowd = [socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(300)]
        before = server.cpu_seconds()
        crowd[0].settimeout(0.5)
        with self.assertRaises(TimeoutError):
            crowd[0].recv(1)
        self.assertLess(server.cpu_seconds() - before, 0.25)
        for s in crowd:
            s.close()
        eventually(lambda: Http(server.port, "GET", POLL).answer().status == 200, "recovery")
        server.stop()


class Stop(unittest.TestCase):
    def test_sigterm_closes_in_order_and_tells_the_application(self):
        server = Server(ping_interval=20000)
        ws = WebSocket(server.port, "EIO=4&transport=websocket")
        ws.receive()
        ws.send("40")
        ws.receive(), ws.receive()
        sid = json.loads(Http(server.port, "GET", POLL).answer().text[1:])["sid"]
        held = Http(server.port, "GET", f"{POLL}&sid={sid}")
        idle = socket.create_connection(("127.0.0.1", server.port), 5)
        self.assertEqual(Http(server.port, "GET", "", path="/healthz").answer().status, 200)
        server.process.send_signal(signal.SIGTERM)
        with self.assertRaises(Closed) as closed:
            ws.receive()
        self.assertEqual(closed.exception.code, 1001)
        self.assertEqual(held.answer().text, "1")
        ws.send_frame(8, struct.pack(">H", 1001))
        ws.close()
        idle.close()
        began = time.monotonic()
        self.assertIn("disconnect: server shutting down", server.stop())
        self.assertLess(time.monotonic() - began, 3)


class Listen(unittest.TestCase):
    def test_address_in_use_or_malformed_is_an_error_and_not_a_hang(self):
        server = Server()
        for address, want in ((f"127.0.0.1:{server.port}", "in use by another process"),
                              ("127.0.0.1", "is not host:port"), ("x:70000", "is not host:port"),
                              ("no-such-interface:0", "cannot listen on")):
            failed = subprocess.run([os.environ["ECHO_SERVER"], "--listen", address], timeout=10,
                                    capture_output=True, text=True)
            self.assertEqual(failed.returncode, 1, failed.stderr)
            self.assertIn(want, failed.stderr)
        server.stop()

    def test_wildcard_and_ipv6_addresses_are_listened_on(self):
        for address, host in (("0.0.0.0:0", "127.0.0.1"), ("*:0", "127.0.0.1"),
                              ("localhost:0", "127.0.0.1"), ("[::1]:0", "::1")):
            server = Server(listen=address)
            socket.create_connection((host, server.port), 5).close()
            server.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
