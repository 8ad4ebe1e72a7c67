"""Engine.IO over HTTP long polling: handshake, GET, POST, CORS, heartbeat, close."""

import json
import re
import time
import unittest

from wire import DEADLINE, Case, b64, eventually


class Handshake(Case):
    def refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.json()["code"]), (status, code))
        self.assertEqual(answer.headers["content-type"], "application/json")

    def test_open_packet_has_exactly_the_five_keys(self):
        answer = self.get("EIO=4&transport=polling")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "text/plain; charset=UTF-8")
        self.assertEqual(answer.headers["cache-control"], "no-store")
        self.assertEqual(answer.text[0], "0")
        packet = json.loads(answer.text[1:])
        self.assertEqual(set(packet),
                         {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"})
        self.assertRegex(packet["sid"], re.compile("^[A-Za-z0-9_-]{20}$"))
        self.assertEqual(packet["upgrades"], ["websocket"])
        self.assertEqual((packet["pingInterval"], packet["pingTimeout"]), (300, 200))
        self.assertEqual(packet["maxPayload"], 1000000)

    def test_every_answer_closes_its_connection(self):
        for query in ("EIO=4&transport=polling", "EIO=3&transport=polling"):
            self.assertEqual(self.get(query).headers["connection"], "close")

    def test_missing_or_other_protocol_version_is_code_5(self):
        for query in ("transport=polling", "EIO=3&transport=polling", "EIO=5&transport=polling",
                      "EIO=44&transport=polling"):
            self.refused(self.get(query), 400, 5)

    def test_missing_or_unknown_transport_is_code_0(self):
        for name in ("", "webtransport", "__proto__", "constructor", "pollingpolling"):
            self.refused(self.get(f"EIO=4&transport={name}"), 400, 0)
        self.refused(self.get("EIO=4"), 400, 0)

    def test_websocket_transport_by_plain_get_is_code_3(self):
        self.refused(self.get("EIO=4&transport=websocket"), 400, 3)

    def test_unknown_sid_is_code_1(self):
        for sid in ("__proto__", "x" * 20, "x" * 21, "x" * 500):
            self.refused(self.get(f"EIO=4&transport=polling&sid={sid}"), 400, 1)

    def test_empty_sid_opens_a_session(self):
        self.assertEqual(self.get("EIO=4&transport=polling&sid=").text[0], "0")

    def test_last_of_duplicate_keys_wins(self):
        self.refused(self.get("EIO=4&EIO=3&transport=polling"), 400, 5)
        self.assertEqual(self.get("EIO=3&EIO=4&transport=polling").status, 200)

    def test_percent_encoded_values_are_decoded_and_unknown_keys_ignored(self):
        answer = self.get("t=abc&b64=1&EIO=%34&transport=%70olling&x=y")
        self.assertEqual(answer.status, 200)

    def test_other_methods_without_sid_are_code_2(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = self.http(method, "EIO=4&transport=polling", body="x").answer()
            self.refused(answer, 400, 2)
        self.assertEqual(self.http("HEAD", "EIO=4&transport=polling").answer().status, 400)

    def test_other_methods_on_a_session_are_400_and_leave_it_alone(self):
        sid = self.open_polling()
        answer = self.http("PUT", f"EIO=4&transport=polling&sid={sid}", body="x").answer()
        self.assertEqual(answer.status, 400)
        self.assertEqual(self.post(sid, "40").status, 200)

    def test_only_the_exact_path_is_served(self):
        for path in ("/socket.io", "/socket.io/x", "/other/", "/"):
            self.assertEqual(self.get("EIO=4&transport=polling", path=path).status, 404)

    def test_other_paths_are_the_application_s(self):
        answer = self.get(path="/healthz")
        self.assertEqual((answer.status, answer.body), (200, b"ok\n"))


class Cors(Case):
    def test_any_origin_is_allowed_by_default_on_answers_and_errors(self):
        for query in ("EIO=4&transport=polling", "EIO=3&transport=polling"):
            answer = self.get(query, headers=["Origin: http://game.example"])
            self.assertEqual(answer.headers["access-control-allow-origin"], "*")

    def test_no_origin_no_header(self):
        self.assertNotIn("access-control-allow-origin",
                         self.get("EIO=4&transport=polling").headers)

    def test_preflight_repeats_the_wanted_headers(self):
        answer = self.http("OPTIONS", "EIO=4&transport=polling", headers=[
            "Origin: http://game.example", "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: content-type"]).answer()
        self.assertEqual(answer.status, 204)
        self.assertEqual(answer.headers["access-control-allow-headers"], "content-type")
        self.assertIn("POST", answer.headers["access-control-allow-methods"])


class OriginList(Case):
    flags = {"origins": "http://a.example,http://b.example"}

    def test_listed_origin_is_repeated_with_vary(self):
        answer = self.get("EIO=4&transport=polling", headers=["Origin: http://b.example"])
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["access-control-allow-origin"], "http://b.example")
        self.assertEqual(answer.headers["vary"], "Origin")

    def test_other_origin_is_forbidden(self):
        answer = self.get("EIO=4&transport=polling", headers=["Origin: http://c.example"])
        self.assertEqual((answer.status, answer.json()["code"]), (403, 4))
        self.assertNotIn("access-control-allow-origin", answer.headers)

    def test_no_origin_passes(self):
        self.assertEqual(self.get("EIO=4&transport=polling").status, 200)

    def test_other_origin_gets_no_websocket(self):
        ws = self.ws(headers=["Origin: http://c.example"])
        self.assertEqual(ws.answer.status, 403)

    def test_listed_origin_gets_a_websocket(self):
        ws = self.ws(headers=["Origin: http://a.example"])
        self.assertEqual(ws.answer.status, 101)
        self.assertEqual(ws.answer.headers["access-control-allow-origin"], "http://a.example")


class Polling(Case):
    flags = {"ping_interval": 20000, "connect_timeout": 20000}

    def test_event_by_post_comes_back_by_get(self):
        sid = self.join_polling()
        answer = self.post(sid, '42["message",1,"2",{"3":[]}]')
        self.assertEqual((answer.status, answer.text), (200, "ok"))
        self.assertEqual(answer.headers["content-type"], "text/html")
        self.assertEqual(self.poll(sid).text, '42["message-back",1,"2",{"3":[]}]')

    def test_get_is_held_until_there_is_something(self):
        sid = self.join_polling()
        held = self.hold(sid)
        self.assertEqual(self.post(sid, '42["message","x"]').text, "ok")
        self.assertEqual(held.answer().text, '42["message-back","x"]')

    def test_held_get_can_be_answered_again_and_again(self):
        sid = self.join_polling()
        for i in range(20):
            held = self.hold(sid)
            self.post(sid, f'42["message",{i}]')
            self.assertEqual(held.answer().text, f'42["message-back",{i}]')

    def test_several_packets_go_in_one_body_without_trailing_separator(self):
        sid = self.join_polling()
        body = "\x1e".join(f'42["message",{i}]' for i in range(5))
        self.assertEqual(self.post(sid, body).text, "ok")
        self.assertEqual(self.poll(sid).text,
                         "\x1e".join(f'42["message-back",{i}]' for i in range(5)))

    def test_binary_goes_as_base64_both_ways(self):
        sid = self.join_polling()
        text = '["message",{"_placeholder":true,"num":0}]'
        for data in (b"", b"a", b"ab", b"abc", bytes(range(256))):
            self.post(sid, "451-" + text + "\x1e" + b64(data))
            want = '451-["message-back",{"_placeholder":true,"num":0}]\x1e' + b64(data)
            got = self.poll(sid).text
            while len(got) < len(want):
                got += "\x1e" + self.poll(sid).text
            self.assertEqual(got, want)

    def test_bad_base64_closes(self):
        for text in ("b!!!!", "bAQI", "bAQID-_==", "bAR==", "bAQI=AQID"):
            sid = self.join_polling()
            self.post(sid, '451-["message",{"_placeholder":true,"num":0}]')
            self.assertEqual(self.post(sid, text).status, 400)
            self.assert_gone(sid)

    def test_second_get_ends_the_session(self):
        sid = self.join_polling()
        held = self.hold(sid)
        second = self.poll_when_held(sid, held)
        self.assertEqual(second.status, 400)
        self.assertEqual(held.answer().text, "1")
        self.assert_gone(sid)

    def poll_when_held(self, sid, held):
        self.settle()
        held.socket.setblocking(False)
        with self.assertRaises(BlockingIOError):
            held.socket.recv(1)
        held.socket.settimeout(DEADLINE)
        return self.poll(sid)

    def test_second_post_ends_the_session(self):
        sid = self.join_polling()
        first = self.http("POST", f"EIO=4&transport=polling&sid={sid}", body="42", length=100)
        self.settle()
        self.assertEqual(self.post(sid, '42["message"]').status, 400)
        self.assertEqual(first.answer().raw, b"")
        self.assert_gone(sid)

    def test_dropped_get_ends_the_session_at_once(self):
        sid = self.join_polling()
        held = self.hold(sid)
        self.settle()
        held.close()
        began = time.monotonic()
        eventually(lambda: self.post(sid, "3").status == 400, "session gone")
        self.assertLess(time.monotonic() - began, 0.5)
        self.assert_gone(sid)

    def test_dropped_post_ends_the_session(self):
        sid = self.join_polling()
        half = self.http("POST", f"EIO=4&transport=polling&sid={sid}", body="42", length=100)
        self.settle()
        half.close()
        eventually(lambda: self.post(sid, "3").status == 400, "session gone")

    def test_bad_bodies_end_the_session(self):
        for body in ("", "\x1e", '42["message"]\x1e', "9", "x", "2", '42["message"]\x1eabc\x1e3',
                     b"4\xff\xfe"):
            sid = self.join_polling()
            self.assertEqual(self.post(sid, body).status, 400, body)
            self.assert_gone(sid)

    def test_packets_before_a_bad_one_are_acted_on(self):
        sid, other = self.join_polling(), self.join_polling()
        self.post(other, '42["join","good"]')
        self.post(sid, '42["shout","good"]\x1eabc')
        self.assertEqual(self.poll(other).text, '42["heard","good"]')

    def test_octet_stream_ends_the_session(self):
        sid = self.join_polling()
        headers = ["Content-Type: application/octet-stream"]
        self.assertEqual(self.post(sid, "3", headers=headers).status, 400)
        self.assert_gone(sid)

    def test_packets_of_the_wrong_direction_are_ignored(self):
        sid = self.join_polling()
        for body in ("0", "5", "6", "3"):
            self.assertEqual(self.post(sid, body).status, 200)
        self.post(sid, '42["message"]')
        self.assertEqual(self.poll(sid).text, '42["message-back"]')

    def test_body_of_exactly_the_limit_passes(self):
        sid = self.join_polling()
        head, tail = '42["other","', '"]'
        body = head + "x" * (1000000 - len(head) - len(tail)) + tail
        self.assertEqual(self.post(sid, body).status, 200)

    def test_body_over_the_limit_is_413_and_the_session_lives(self):
        sid = self.join_polling()
        self.assertEqual(self.post(sid, "4" * 1000001).status, 413)
        self.post(sid, '42["message"]')
        self.assertEqual(self.poll(sid).text, '42["message-back"]')

    def test_body_far_over_the_limit_is_refused_before_it_is_read(self):
        sid = self.join_polling()
        request = self.http("POST", f"EIO=4&transport=polling&sid={sid}", length=10**12)
        self.assertEqual(request.answer().status, 413)

    def test_length_is_required_and_checked(self):
        sid = self.join_polling()
        query = f"EIO=4&transport=polling&sid={sid}"
        self.assertEqual(self.http("POST", query).answer().status, 411)
        gzip = ["Transfer-Encoding: gzip"]
        self.assertEqual(self.http("POST", query, headers=gzip).answer().status, 411)
        for length in ("-1", "1x", "0x10", "+3"):
            self.assertEqual(self.http("POST", query, length=length).answer().status, 400, length)

    def chunked(self, sid, *pieces):
        post = self.http("POST", f"EIO=4&transport=polling&sid={sid}",
                         headers=["Transfer-Encoding: chunked"])
        try:
            for piece in pieces:
                post.socket.sendall(piece if isinstance(piece, bytes) else piece.encode())
                self.settle()  # the server has read it
        except (BrokenPipeError, ConnectionResetError):
            pass
        return post.answer()

    def test_body_in_chunks_is_taken_as_go_clients_send_it(self):
        sid = self.join_polling()
        self.assertEqual(self.chunked(sid, '10\r\n42["message","a"', '\r\n1;x=y\r',
                                      '\n]\r\n0\r\nTrailer: x\r\n\r\n').text, "ok")
        self.assertEqual(self.poll(sid).text, '42["message-back","a"]')

    def test_length_and_chunks_together_are_refused(self):
        sid = self.join_polling()
        answer = self.http("POST", f"EIO=4&transport=polling&sid={sid}", length=3,
                           headers=["Transfer-Encoding: chunked"]).answer()
        self.assertEqual(answer.status, 400)

    def test_malformed_chunks_end_the_session(self):
        for body in ("x\r\n", "3\n40\r\n", "2\r\n40x", "0\r\n" + "a: b\r\n" * 40, "0" * 300):
            sid = self.join_polling()
            self.assertIn(self.chunked(sid, body).status, (400, 413), body)
            if not body.startswith("000"):
                self.assert_gone(sid)

    def test_chunks_over_the_limit_are_413_and_the_session_lives(self):
        sid = self.join_polling()
        self.assertEqual(self.chunked(sid, "fffff\r\n").status, 413)
        piece = "80000\r\n" + "x" * 0x80000 + "\r\n"
        self.assertIn(self.chunked(sid, piece, piece).status, (413, 0))
        self.assertEqual(self.chunked(sid, "fffffffffffff\r\n").status, 413)
        self.post(sid, '42["message",1]')
        self.assertEqual(self.poll(sid).text, '42["message-back",1]')

    def test_body_has_at_most_sixteen_packets_as_the_python_client_wants_it(self):
        sid = self.join_polling()
        self.post(sid, "\x1e".join(f'42["message",{n}]' for n in range(40)))
        counts = [self.poll(sid).text.count("message-back") for _ in range(3)]
        self.assertEqual(counts, [16, 16, 8])

    def test_too_many_packets_in_one_body_close(self):
        sid = self.join_polling()
        self.assertEqual(self.post(sid, "\x1e".join(["3"] * 256)).status, 200)
        self.assertEqual(self.post(sid, "\x1e".join(["3"] * 257)).status, 400)
        self.assert_gone(sid)

    def test_close_packet_ends_the_session_and_the_held_get(self):
        sid = self.join_polling()
        held = self.hold(sid)
        self.settle()
        self.assertEqual(self.post(sid, "1").text, "ok")
        self.assertEqual(held.answer().text, "6")
        self.assert_gone(sid)

    def test_server_s_close_reaches_the_held_get(self):
        sid = self.join_polling()
        held = self.hold(sid)
        self.settle()
        self.post(sid, '42["kick"]')
        self.assertIn(held.answer().text, ("41", "41\x1e1"))
        eventually(lambda: self.poll(sid).status == 400, "closed")

    def test_many_packets_in_one_body_are_all_delivered(self):
        sid = self.join_polling()
        want = [f'42["message-back",{i}]' for i in range(200)]
        self.post(sid, "\x1e".join(f'42["message",{i}]' for i in range(200)))
        got = []
        while len(got) < len(want):
            got += self.poll(sid).text.split("\x1e")
        self.assertEqual(got, want)


class Heartbeat(Case):
    def test_ping_comes_after_the_interval(self):
        began = time.monotonic()
        sid = self.open_polling()
        self.assertEqual(self.poll(sid).text, "2")
        self.assert_took(began, 0.3)

    def test_answered_pings_keep_the_session(self):
        sid = self.join_polling()
        for _ in range(4):
            self.assertEqual(self.poll(sid).text, "2")
            self.assertEqual(self.post(sid, "3").status, 200)

    def test_unanswered_ping_ends_the_session(self):
        sid = self.open_polling()
        began = time.monotonic()
        eventually(lambda: self.post(sid, "6").status == 400, "ping timeout")
        self.assert_took(began, 0.5)

    def test_other_traffic_does_not_replace_the_pong(self):
        sid = self.join_polling()
        began = time.monotonic()
        eventually(lambda: self.post(sid, '42["other"]').status == 400, "ping timeout")
        self.assertLess(time.monotonic() - began, 0.7)

    def test_unasked_pongs_do_not_put_off_the_ping(self):
        sid = self.join_polling()
        held = self.hold(sid)
        began = time.monotonic()
        while time.monotonic() - began < 0.2:
            self.post(sid, "3")
        self.assertEqual(held.answer().text, "2")
        self.assertLess(time.monotonic() - began, 0.45)


class JoinDeadline(Case):
    flags = {"ping_interval": 20000, "connect_timeout": 300}

    def test_session_that_joins_nothing_is_closed(self):
        sid = self.open_polling()
        began = time.monotonic()
        self.assertEqual(self.poll(sid).text, "1")
        self.assert_took(began, 0.3)
        self.assert_gone(sid)


class Limits(Case):
    flags = {"connections": 3, "per_ip": 2, "ping_interval": 20000, "connect_timeout": 20000}

    def test_more_sessions_than_an_address_may_have_are_refused(self):
        self.open_polling()
        sid = self.open_polling()
        self.assertEqual(self.get("EIO=4&transport=polling").status, 503)
        self.post(sid, "1")
        self.assertEqual(self.get("EIO=4&transport=polling").status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
