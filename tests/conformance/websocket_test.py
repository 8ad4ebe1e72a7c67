"""Engine.IO over WebSocket: handshake, frames, limits, heartbeat, close."""

import json
import socket
import struct
import time
import unittest

from wire import Case, Closed, eventually


class Handshake(Case):
    def test_open_packet_offers_no_upgrade(self):
        ws = self.ws()
        self.assertEqual(ws.answer.status, 101)
        packet = json.loads(ws.receive()[1:])
        self.assertEqual(packet["upgrades"], [])
        self.assertEqual(len(packet), 5)

    def refused(self, status, text, **kwargs):
        query = kwargs.pop("query", "EIO=4&transport=websocket")
        answer = self.ws(query, **kwargs).answer
        self.assertEqual(answer.status, status)
        if text:
            self.assertEqual(answer.text, text)
        return answer

    def test_other_protocol_version_is_refused_before_101(self):
        self.refused(400, "Unsupported protocol version", query="EIO=3&transport=websocket")
        self.refused(400, "Unsupported protocol version", query="transport=websocket")

    def test_unknown_transport_is_refused(self):
        self.refused(400, "Transport unknown", query="EIO=4&transport=x")
        self.refused(400, "Transport unknown", query="EIO=4")

    def test_polling_transport_with_upgrade_is_refused(self):
        self.refused(400, "Bad request", query="EIO=4&transport=polling")

    def test_unknown_sid_is_refused(self):
        self.refused(400, "Session ID unknown", query="EIO=4&transport=websocket&sid=nobody")

    def test_sid_of_a_websocket_session_cannot_be_taken_over(self):
        first = self.ws()
        sid = json.loads(first.receive()[1:])["sid"]
        second = self.ws(f"EIO=4&transport=websocket&sid={sid}")
        self.assertEqual(second.until_closed(), 1000)
        first.send("40")
        self.assertTrue(first.receive_packet().startswith("40"))

    def test_polling_on_a_websocket_session_is_code_3(self):
        ws = self.ws()
        sid = json.loads(ws.receive()[1:])["sid"]
        for answer in (self.poll(sid), self.post(sid, "3")):
            self.assertEqual((answer.status, answer.json()["code"]), (400, 3))

    def test_other_websocket_version_is_426(self):
        answer = self.refused(426, None, version="8")
        self.assertEqual(answer.headers["sec-websocket-version"], "13")
        self.refused(426, None, version=None)

    def test_missing_key_is_400(self):
        self.refused(400, None, key=False)

    def test_upgrade_by_post_is_400(self):
        self.refused(400, None, method="POST")

    def test_upgrade_on_a_foreign_path_is_404(self):
        self.refused(404, None, path="/healthz")

    def test_permessage_deflate_is_not_negotiated(self):
        ws = self.ws(headers=["Sec-WebSocket-Extensions: permessage-deflate"])
        self.assertEqual(ws.answer.status, 101)
        self.assertNotIn("sec-websocket-extensions", ws.answer.headers)


class Frames(Case):
    flags = {"ping_interval": 20000}

    def closes(self, ws, code):
        self.assertEqual(ws.until_closed(), code)

    def test_fragments_are_joined_and_pings_between_them_answered(self):
        ws = self.join()
        ws.send_frame(1, b'42["mess', final=False)
        ws.send_frame(9, b"hi")
        ws.send_frame(0, b'age","x', final=False)
        ws.send_frame(0, b'"]')
        got = [ws.receive_frame(), ws.receive_frame()]  # a control frame may come at any place
        self.assertCountEqual(got, [(10, b"hi"), (1, b'42["message-back","x"]')])

    def test_stray_pong_frame_is_ignored(self):
        ws = self.join()
        ws.send_frame(10, b"x")
        ws.send('42["message"]')
        self.assertEqual(ws.receive_packet(), '42["message-back"]')

    def test_empty_text_message_closes(self):
        ws = self.join()
        ws.send("")
        self.closes(ws, 1002)

    def test_junk_and_wrong_direction_close(self):
        for message in ("x", "9", "2", "2probe", "b!"):
            ws = self.join()
            ws.send(message)
            self.closes(ws, 1002)

    def test_harmless_packets_are_ignored(self):
        ws = self.join()
        for message in ("0", "3", "5", "6"):
            ws.send(message)
        ws.send('42["message"]')
        self.assertEqual(ws.receive_packet(), '42["message-back"]')

    def test_close_packet_closes_at_once(self):
        ws = self.join()
        began = time.monotonic()
        ws.send("1")
        ws.until_closed()
        self.assertLess(time.monotonic() - began, 0.2)

    def test_close_frame_is_answered(self):
        ws = self.join()
        ws.send_frame(8, struct.pack(">H", 1000))
        self.closes(ws, 1000)

    def test_text_b_is_binary(self):
        ws = self.join()
        ws.send('451-["message",{"_placeholder":true,"num":0}]')
        ws.send("bAQID")
        self.assertTrue(ws.receive_packet().startswith("451-"))
        self.assertEqual(ws.receive_packet(), b"\x01\x02\x03")

    def test_empty_binary_is_an_attachment(self):
        ws = self.join()
        ws.send('451-["message",{"_placeholder":true,"num":0}]')
        ws.send(b"")
        self.assertTrue(ws.receive_packet().startswith("451-"))
        self.assertEqual(ws.receive_packet(), b"")

    def test_bad_utf8_is_1007(self):
        ws = self.join()
        ws.send_frame(1, b"4\xff\xfe")
        self.closes(ws, 1007)

    def test_bad_utf8_across_fragments_is_1007(self):
        ws = self.join()
        ws.send_frame(1, b'42["\xe2\x82', final=False)
        ws.send_frame(0, b'x"]')
        self.closes(ws, 1007)

    def test_reserved_bits_and_unknown_opcodes_are_1002(self):
        for frame in ({"opcode": 1, "reserved": 4}, {"opcode": 3}, {"opcode": 0}):
            ws = self.join()
            ws.send_frame(payload=b"x", **frame)
            self.closes(ws, 1002)

    def test_message_over_the_limit_is_1009(self):
        ws = self.join()
        try:
            ws.send("4" * 1000001)
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertIn(ws.until_closed(), (1009, None))

    def test_announced_size_over_the_limit_is_1009_before_it_comes(self):
        ws = self.join()
        ws.send_frame(1, b"4", claimed=10**9)
        self.closes(ws, 1009)

    def test_sum_of_fragments_over_the_limit_is_1009(self):
        ws = self.join()
        ws.send_frame(1, b"4" * 600000, final=False)
        try:
            ws.send_frame(0, b"4" * 600000, claimed=600000)
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertIn(ws.until_closed(), (1009, None))

    def test_message_of_exactly_the_limit_passes(self):
        ws = self.join()
        head, tail = '42["other","', '"]'
        ws.send(head + "x" * (1000000 - len(head) - len(tail)) + tail)
        ws.send('42["message"]')
        self.assertEqual(ws.receive_packet(), '42["message-back"]')

    def test_large_echo_comes_back_whole(self):
        ws = self.join()
        text = "x" * 200000
        ws.send(f'42["message","{text}"]')
        self.assertEqual(ws.receive_packet(), f'42["message-back","{text}"]')

    def test_reset_connection_ends_the_session(self):
        watcher = self.join()
        watcher.send('42["join","r"]')
        ws = self.join()
        ws.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ws.socket.close()
        watcher.send('42["shout","r"]')
        self.assertEqual(watcher.receive_packet(), '42["heard","r"]')


class Heartbeat(Case):
    def test_ping_comes_after_the_interval_and_again_after_the_pong(self):
        ws = self.join()
        for _ in range(3):
            began = time.monotonic()
            self.assertEqual(ws.receive(), "2")
            self.assertLess(time.monotonic() - began, 0.4)
            ws.send("3")

    def test_silent_client_is_closed_after_interval_and_timeout(self):
        ws = self.open_ws()
        began = time.monotonic()
        ws.socket.settimeout(2)
        with self.assertRaises(Closed):
            while True:
                ws.receive()
        self.assert_took(began, 0.5)

    def test_events_do_not_replace_the_pong(self):
        ws = self.join()
        began = time.monotonic()
        with self.assertRaises((Closed, ConnectionError)):  # whichever of the two notices first
            while time.monotonic() - began < 2:
                ws.send('42["message"]')
                ws.receive()
        self.assertLess(time.monotonic() - began, 0.8)

    def test_pong_flood_does_not_put_off_the_ping(self):
        ws = self.join()
        began = time.monotonic()
        ws.socket.settimeout(0.02)
        message = None
        while message is None and time.monotonic() - began < 2:
            ws.send("3")
            try:
                message = ws.receive()
            except TimeoutError:
                pass
        self.assertEqual(message, "2")
        self.assertLess(time.monotonic() - began, 0.45)


class JoinDeadline(Case):
    def test_session_that_joins_nothing_is_closed_on_time(self):
        ws = self.open_ws()
        began = time.monotonic()
        ws.until_closed()
        self.assert_took(began, 1.0)

    def test_refused_or_unknown_namespaces_do_not_stop_the_deadline(self):
        ws = self.open_ws()
        ws.send("40/nowhere")
        ws.send("40/refused")
        began = time.monotonic()
        ws.until_closed()
        self.assert_took(began, 1.0)

    def test_joined_session_stays(self):
        ws = self.join()
        began = time.monotonic()
        while time.monotonic() - began < 1.3:
            ws.send('42["message"]')
            self.assertEqual(ws.receive_packet(), '42["message-back"]')
            self.assertEqual(ws.receive(), "2")
            ws.send("3")


class Limits(Case):
    flags = {"connections": 2, "ping_interval": 20000, "connect_timeout": 20000}

    def test_more_connections_than_allowed_are_refused_with_503(self):
        first, _ = self.open_ws(), self.open_ws()
        self.assertEqual(self.ws().answer.status, 503)
        first.close()
        eventually(lambda: self.ws().answer.status == 101, "room for another")


if __name__ == "__main__":
    unittest.main(verbosity=2)
