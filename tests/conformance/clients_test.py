"""What client libraries send first, replayed: each opens as its default says, joins, and plays.

The requests are those of the versions named; user agents and odd headers are theirs."""

import json
import time
import unittest

from wire import Case, eventually


class FirstBytes(Case):
    flags = {"ping_interval": 20000, "connect_timeout": 20000}

    def joins(self, ws):
        ws.send("40")
        self.assertTrue(ws.receive_packet().startswith('40{"sid"'))
        self.assertEqual(ws.receive_packet(), '42["auth",{}]')
        ws.send('42["message","hello"]')
        self.assertEqual(ws.receive_packet(), '42["message-back","hello"]')

    def opens(self, query, headers=()):
        answer = self.http("GET", query, headers=headers).answer()
        self.assertEqual(answer.status, 200)
        packet = json.loads(answer.text[1:])
        self.assertIn("websocket", packet["upgrades"])
        return packet["sid"]

    def upgrade(self, ws):
        ws.send("2probe")
        self.assertEqual(ws.receive(), "3probe")
        ws.send("5")

    def test_javascript_4_8_posts_polls_and_probes_in_parallel(self):
        agent = ["Accept: */*", "Connection: close", "User-Agent: node-XMLHttpRequest"]
        sid = self.opens("EIO=4&transport=polling&t=p5c9a1x2", agent)
        query = f"EIO=4&transport=polling&t=p5c9a1y3&sid={sid}"
        post = self.http("POST", query, body="40",
                         headers=agent + ["Content-Type: text/plain;charset=UTF-8"])
        held = self.http("GET", query, headers=agent)
        ws = self.ws(f"EIO=4&transport=websocket&sid={sid}", headers=[
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"])
        self.assertEqual(post.answer().text, "ok")
        text = held.answer().text
        self.upgrade(ws)
        while "auth" not in text:
            text += ws.receive_packet()
        self.assertIn('40{"sid"', text)
        ws.send('42["message",1]')
        self.assertEqual(ws.receive_packet(), '42["message-back",1]')

    def test_java_2_1_opens_by_polling_and_upgrades(self):
        agent = ["User-Agent: okhttp/3.12.12", "Accept: */*", "Accept-Encoding: gzip",
                 "Connection: Keep-Alive"]
        sid = self.opens("EIO=4&transport=polling&t=OJtQ5mK", agent)
        posted = self.http("POST", f"EIO=4&transport=polling&sid={sid}&t=OJtQ5nB", body="40",
                           headers=agent + ["Content-Type: text/plain;charset=UTF-8"])
        self.assertEqual(posted.answer().text, "ok")
        text = ""
        while "auth" not in text:
            text += self.poll(sid, headers=agent).text
        ws = self.ws(f"EIO=4&transport=websocket&sid={sid}&t=OJtQ5pC", headers=agent[:1])
        self.upgrade(ws)
        ws.send('42["message",1]')
        self.assertEqual(ws.receive_packet(), '42["message-back",1]')

    def test_swift_16_asks_for_base64_and_polls_while_it_probes(self):
        sid = self.opens("transport=polling&b64=1&EIO=4")
        held = self.http("GET", f"transport=polling&b64=1&EIO=4&sid={sid}")
        ws = self.ws(f"transport=websocket&EIO=4&sid={sid}")
        self.upgrade(ws)
        self.assertEqual(held.answer().text, "6")  # a "1" would be taken for a disconnect
        self.joins(ws)

    def test_swift_with_version_two_is_told_that_it_is_too_old(self):
        answer = self.get("transport=polling&b64=1")
        self.assertEqual((answer.status, answer.json()["code"]), (400, 5))

    def test_cpp_3_1_and_unreal_open_the_websocket_at_once(self):
        ws = self.ws("EIO=4&transport=websocket&t=1732000000",
                     headers=["User-Agent: WebSocket++/0.8.2"])
        self.assertEqual(ws.receive()[0], "0")
        self.joins(ws)

    def test_python_5_probes_before_any_further_get_or_post(self):
        sid = self.opens("transport=polling&EIO=4&t=1732000000.123",
                         ["User-Agent: python-requests/2.31", "Accept-Encoding: gzip, deflate"])
        ws = self.ws(f"transport=websocket&EIO=4&sid={sid}&t=1732000000.2")
        self.upgrade(ws)
        self.joins(ws)

    def test_dotnet_4_upgrades_with_the_sid_of_its_get(self):
        sid = self.opens("EIO=4&transport=polling&t=1732000000")
        ws = self.ws(f"EIO=4&transport=websocket&sid={sid}")
        self.upgrade(ws)
        self.joins(ws)

    def test_dart_3_opens_by_polling_with_its_own_timestamp(self):
        sid = self.opens("EIO=4&transport=polling&t=mb3k2l9q", ["User-Agent: Dart/3.5 (dart:io)"])
        self.assertEqual(self.post(sid, "40").text, "ok")
        text = ""
        while "auth" not in text:
            text += self.poll(sid).text

    def test_rust_0_6_upgrades_when_it_is_offered(self):
        sid = self.opens("EIO=4&transport=polling&t=1732000000")
        ws = self.ws(f"EIO=4&transport=websocket&sid={sid}&t=1732000001")
        self.upgrade(ws)
        self.joins(ws)

    def test_godot_opens_the_websocket_at_once(self):
        ws = self.ws("EIO=4&transport=websocket", headers=["User-Agent: GodotEngine/4.3"])
        self.assertEqual(ws.receive()[0], "0")
        self.joins(ws)


class Unity(Case):
    flags = {"return_timeout": 400, "ping_interval": 20000}

    def test_polling_session_that_is_only_asked_for_its_upgrades_goes_away(self):
        sid = json.loads(self.get("EIO=4&transport=polling&t=1").text[1:])["sid"]
        began = time.monotonic()
        ws = self.ws("EIO=4&transport=websocket")  # a session of its own
        other = json.loads(ws.receive()[1:])["sid"]
        self.assertNotEqual(other, sid)
        ws.send("40")
        eventually(lambda: time.monotonic() - began > 0.5, "the deadline of the first")
        self.assert_gone(sid)
        ws.send('42["message",1]')
        while (packet := ws.receive_packet()).startswith(("40", '42["auth"')):
            pass
        self.assertEqual(packet, '42["message-back",1]')


if __name__ == "__main__":
    unittest.main(verbosity=2)
