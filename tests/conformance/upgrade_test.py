"""The upgrade from polling to WebSocket, step by step and with every step gone wrong."""

import time
import unittest

from wire import Case, Closed, eventually


class Upgrade(Case):
    flags = {"ping_interval": 20000, "connect_timeout": 20000, "upgrade_timeout": 400}

    def probe(self, sid):
        return self.ws(f"EIO=4&transport=websocket&sid={sid}")

    def upgraded(self, sid):
        ws = self.probe(sid)
        ws.send("2probe")
        self.assertEqual(ws.receive(), "3probe")
        ws.send("5")
        return ws

    def assert_polling_works(self, sid):
        self.post(sid, '42["message","still"]')
        text = self.poll(sid).text
        self.assertEqual(text, '42["message-back","still"]')

    def test_upgrade_moves_the_session(self):
        sid = self.join_polling()
        ws = self.upgraded(sid)
        ws.send('42["message",1]')
        self.assertEqual(ws.receive_packet(), '42["message-back",1]')
        for answer in (self.poll(sid), self.post(sid, "3")):
            self.assertEqual((answer.status, answer.json()["code"]), (400, 3))

    def test_upgrade_before_any_get_or_post_as_python_does(self):
        sid = self.open_polling()
        ws = self.upgraded(sid)
        ws.send("40")
        self.assertTrue(ws.receive_packet().startswith('40{"sid"'))

    def test_probe_and_upgrade_in_one_segment_are_both_answered(self):
        sid = self.join_polling()
        ws = self.probe(sid)
        ws.send_together("2probe", "5", '42["message",7]')
        self.assertEqual(ws.receive(), "3probe")
        self.assertEqual(ws.receive_packet(), '42["message-back",7]')

    def test_held_get_is_freed_by_the_probe(self):
        sid = self.join_polling()
        held = self.hold(sid)
        self.settle()
        ws = self.probe(sid)
        began = time.monotonic()
        ws.send("2probe")
        self.assertEqual(held.answer().text, "6")
        self.assertLess(time.monotonic() - began, 0.25)
        self.assertEqual(ws.receive(), "3probe")
        self.assertEqual(self.poll(sid).text, "6")

    def test_messages_while_probing_are_delivered_once(self):
        sid = self.join_polling()
        ws = self.probe(sid)
        ws.send("2probe")
        self.assertEqual(ws.receive(), "3probe")
        self.assertEqual(self.post(sid, '42["message",1]').text, "ok")
        self.assertEqual(self.post(sid, '42["message",2]').text, "ok")
        ws.send("5")
        self.assertEqual(ws.receive_packet(), '42["message-back",1]')
        self.assertEqual(ws.receive_packet(), '42["message-back",2]')
        ws.send('42["message",3]')
        self.assertEqual(ws.receive_packet(), '42["message-back",3]')

    def test_repeated_probe_is_answered_again(self):
        sid = self.join_polling()
        ws = self.probe(sid)
        for _ in range(3):
            ws.send("2probe")
            self.assertEqual(ws.receive(), "3probe")

    def test_wrong_first_packet_drops_the_websocket_only(self):
        for message in ("2", "3", "5", "40", "x", "", b"2probe"):
            sid = self.join_polling()
            ws = self.probe(sid)
            ws.send(message)
            ws.until_closed()
            self.assert_polling_works(sid)

    def test_lost_probe_leaves_polling_alone(self):
        sid = self.join_polling()
        ws = self.probe(sid)
        ws.send("2probe")
        self.assertEqual(ws.receive(), "3probe")
        self.post(sid, '42["message","kept"]')
        ws.close()
        eventually(lambda: "kept" in self.poll(sid).text, "the queued event")
        self.assert_polling_works(sid)
        self.upgraded(sid)

    def test_upgrade_that_is_not_completed_is_closed_and_polling_goes_on(self):
        sid = self.join_polling()
        for first in (None, "2probe"):
            ws = self.probe(sid)
            began = time.monotonic()
            if first:
                ws.send(first)
            ws.until_closed()
            self.assert_took(began, 0.4)
            self.assert_polling_works(sid)

    def test_second_websocket_is_closed_before_and_during_the_probe_and_after_the_upgrade(self):
        sid = self.join_polling()
        first = self.probe(sid)
        self.assertEqual(first.answer.status, 101)
        self.assertEqual(self.probe(sid).until_closed(), 1000)
        first.send("2probe")
        self.assertEqual(first.receive(), "3probe")
        self.assertEqual(self.probe(sid).until_closed(), 1000)
        first.send("5")
        self.settle()
        self.assertEqual(self.probe(sid).until_closed(), 1000)
        first.send('42["message",1]')
        self.assertEqual(first.receive_packet(), '42["message-back",1]')

    def test_losing_the_websocket_after_the_upgrade_ends_the_session(self):
        sid = self.join_polling()
        ws = self.upgraded(sid)
        ws.send('42["message"]')
        ws.receive_packet()
        ws.close()
        eventually(lambda: self.poll(sid).json()["code"] == 1, "session gone")

    def test_session_that_closes_while_probing_closes_the_probe(self):
        sid = self.join_polling()
        ws = self.probe(sid)
        ws.send("2probe")
        self.assertEqual(ws.receive(), "3probe")
        self.post(sid, "1")
        ws.until_closed()
        self.assert_gone(sid)


class UpgradeHeartbeat(Case):
    def test_heartbeat_goes_on_after_the_upgrade(self):
        sid = self.open_polling()
        ws = self.ws(f"EIO=4&transport=websocket&sid={sid}")
        ws.send("2probe")
        self.assertEqual(ws.receive(), "3probe")
        ws.send("5")
        began = time.monotonic()
        self.assertEqual(ws.receive(), "2")
        with self.assertRaises(Closed):
            ws.receive()
        self.assert_took(began, 0.5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
