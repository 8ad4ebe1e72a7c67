"""Engine.IO without Socket.IO on it: what the protocol's own suite asks of a server that echoes."""

import json
import unittest

from wire import Case, b64


class Engine(Case):
    flags = {"bare": 1, "path": "/engine.io/", "connect_timeout": 3600000}

    def http(self, *args, **kwargs):
        return super().http(*args, **({"path": "/engine.io/"} | kwargs))

    def ws(self, *args, **kwargs):
        return super().ws(*args, **({"path": "/engine.io/"} | kwargs))

    def poll_messages(self, sid):
        """The next body that is no ping; pings are answered."""
        while (text := self.poll(sid).text) == "2":
            self.post(sid, "3")
        return text

    def test_payload_of_one_text_packet_comes_back(self):
        sid = self.open_polling()
        self.assertEqual(self.post(sid, "4hello").text, "ok")
        self.assertEqual(self.poll_messages(sid), "4hello")

    def test_payload_of_several_text_packets_comes_back(self):
        sid = self.open_polling()
        self.assertEqual(self.post(sid, "4test1\x1e4test2\x1e4test3").text, "ok")
        self.assertEqual(self.poll_messages(sid), "4test1\x1e4test2\x1e4test3")

    def test_payload_of_text_and_binary_comes_back(self):
        sid = self.open_polling()
        body = "4hello\x1e" + b64(b"\x01\x02\x03\x04")
        self.assertEqual(self.post(sid, body).text, "ok")
        self.assertEqual(self.poll_messages(sid), body)

    def test_text_and_binary_messages_of_a_websocket_come_back(self):
        ws = self.open_ws()
        ws.send("4hello")
        self.assertEqual(ws.receive_packet(), "4hello")
        ws.send(b"\x01\x02\x03\x04")
        self.assertEqual(ws.receive_packet(), b"\x01\x02\x03\x04")

    def test_upgraded_session_echoes_on_its_websocket(self):
        sid = self.open_polling()
        ws = self.ws(f"EIO=4&transport=websocket&sid={sid}")
        ws.send_together("2probe", "5")
        self.assertEqual(ws.receive(), "3probe")
        ws.send("4hello")
        self.assertEqual(ws.receive_packet(), "4hello")
        answer = self.poll(sid)
        self.assertEqual((answer.status, json.loads(answer.body)["code"]), (400, 3))


if __name__ == "__main__":
    unittest.main(verbosity=2)
