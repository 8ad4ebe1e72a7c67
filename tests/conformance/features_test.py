"""Acknowledgements the server asks for, volatile events, verdicts that come later, recovery, limits
on strangers, transports and path, and the drain."""

import json
import re
import signal
import subprocess
import time
import unittest

from wire import Case, Closed, Server, WebSocket, eventually


class Asks(Case):
    flags = {"ping_interval": 20000}

    def question(self, ws, args='"?"'):
        ws.send(f'42["ask",{args}]')
        asked = re.fullmatch(r'42(\d+)\["question",(.*)\]', ws.receive_packet())
        self.assertEqual(asked[2], args)
        return asked[1]

    def test_answer_reaches_who_asked(self):
        ws = self.join()
        number = self.question(ws)
        ws.send(f'43{number}["yes",{{"a":1}}]')
        self.assertEqual(ws.receive_packet(), '42["answered","yes",{"a":1}]')

    def test_binary_answer_reaches_who_asked(self):
        ws = self.join()
        number = self.question(ws)
        ws.send(f'461-{number}[{{"_placeholder":true,"num":0}}]')
        ws.send(b"\x01\x02")
        self.assertEqual(ws.receive_packet(),
                         '451-["answered",{"_placeholder":true,"num":0}]')
        self.assertEqual(ws.receive_packet(), b"\x01\x02")

    def test_question_times_out_once_and_a_late_answer_is_ignored(self):
        ws = self.join()
        began = time.monotonic()
        number = self.question(ws)
        self.assertEqual(ws.receive_packet(), '42["unanswered"]')
        self.assert_took(began, 0.2)
        ws.send(f'43{number}["late"]')
        ws.send('42["message",1]')
        self.assertEqual(ws.receive_packet(), '42["message-back",1]')

    def test_second_answer_to_one_question_is_ignored(self):
        ws = self.join()
        number = self.question(ws)
        ws.send(f'43{number}[1]')
        ws.send(f'43{number}[2]')
        ws.send('42["message",3]')
        self.assertEqual(ws.receive_packet(), '42["answered",1]')
        self.assertEqual(ws.receive_packet(), '42["message-back",3]')

    def test_answers_with_strange_ids_are_ignored(self):
        ws = self.join()
        number = self.question(ws)
        for strange in ("99999999999999999999", "18446744073709551616", ""):
            ws.send(f"43{strange}[1]")
        ws.send(f"43{number}[2]")
        self.assertEqual(ws.receive_packet(), '42["answered",2]')

    def test_questions_under_way_are_bounded(self):
        ws = self.join()
        for _ in range(64):
            self.question(ws)
        ws.send('42["ask",0]')
        self.assertEqual(ws.receive_packet(), '42["too-many"]')

    def test_questions_end_with_the_connection(self):
        ws = self.join()
        self.question(ws)
        ws.close()
        self.assert_alive()


class Volatile(Case):
    flags = {"ping_interval": 20000, "queue_bytes": 100000000}

    def test_volatile_event_arrives_where_the_pipe_is_free(self):
        ws = self.join()
        ws.send('42["hint",1]')
        self.assertEqual(ws.receive_packet(), '42["hinted",1]')

    def test_volatile_event_on_polling_needs_a_held_get(self):
        sid = self.join_polling()
        self.post(sid, '42["hint",1]')
        held = self.hold(sid)
        self.settle()
        self.post(sid, '42["hint",2]')
        self.assertEqual(held.answer().text, '42["hinted",2]')

    def test_volatile_event_to_a_choked_client_is_dropped(self):
        ws = self.join()
        ws.send('42["flood",200]')  # 2 MB: more than the kernel takes
        ws.send('42["hint",1]')
        ws.send('42["message",2]')
        got = [ws.receive_packet() for _ in range(201)]
        self.assertEqual(got[-1], '42["message-back",2]')


class Later(Case):
    flags = {"ping_interval": 20000, "connect_timeout": 1000}

    def test_socket_is_accepted_later(self):
        ws = self.open_ws()
        ws.send("40/later,")
        self.assertTrue(ws.receive_packet().startswith('40/later,{"sid":"'))

    def test_socket_is_refused_later_with_data(self):
        ws = self.open_ws()
        ws.send('40/later,{"no":1}')
        self.assertEqual(ws.receive_packet(),
                         '44/later,{"message":"not today","data":{"try":"tomorrow"}}')
        ws.send("40")
        self.assertTrue(ws.receive_packet().startswith("40"))

    def test_client_that_leaves_or_talks_meanwhile_ends_it(self):
        for message in ("41/later,", '42/later,["x"]', "40/later,"):
            ws = self.open_ws()
            ws.send('40/later,{"never":1}')
            ws.send(message)
            if message.startswith("41"):
                ws.send("40")
                self.assertTrue(ws.receive_packet().startswith("40"))
            else:
                self.assertEqual(ws.until_closed(), 1002)

    def test_verdict_that_does_not_come_is_bounded_by_the_join_deadline(self):
        ws = self.open_ws()
        began = time.monotonic()
        ws.send('40/later,{"never":1}')
        ws.until_closed()
        self.assert_took(began, 1.0)

    def test_refusal_carries_data(self):
        ws = self.open_ws()
        ws.send('40/refused,{"code":7}')
        self.assertEqual(ws.receive_packet(),
                         '44/refused,{"message":"no \\"token\\"","data":{"code":7}}')


class Recovery(Case):
    flags = {"ping_interval": 20000, "recovery": 20000}

    def connect(self, auth=""):
        """A WebSocket, what came before CONNECT, and CONNECT's answer."""
        ws = self.open_ws()
        ws.send("40" + auth)
        before = []
        while not (packet := ws.receive_packet()).startswith("40"):
            before.append(packet)
        return ws, before, json.loads(packet[2:])

    def back(self, pid, offset=None):
        auth = {"pid": pid} | ({"offset": offset} if offset else {})
        return self.connect(json.dumps(auth))

    def start(self):
        """A joined socket, its answer, and the offset of its last event."""
        ws, before, answer = self.connect()
        self.assertEqual(before, [])
        auth = json.loads(ws.receive_packet()[2:])
        self.assertEqual(auth[:2], ["auth", {}])
        return ws, answer, auth[2]

    def shout(self, room, word):
        ws, _, _ = self.start()
        ws.send(f'42["shout","{room}","{word}"]')
        ws.send('427["message"]')
        while not ws.receive_packet().startswith("437"):
            pass
        ws.close()

    def missed(self, packets):
        return [json.loads(p[2:])[2] for p in packets if "heard" in p]

    def test_connect_names_a_secret_besides_the_id(self):
        _, answer, _ = self.start()
        self.assertEqual(sorted(answer), ["pid", "sid"])
        self.assertNotEqual(answer["pid"], answer["sid"])

    def test_missed_events_come_first_then_connect_with_the_old_id(self):
        ws, answer, offset = self.start()
        ws.send('42["join","r"]')
        ws.send('421["message",0]')
        last = [ws.receive_packet(), ws.receive_packet()]
        offset = json.loads(last[0][2:])[-1]
        ws.close()
        for word in ("one", "two"):
            self.shout("r", word)
        self.shout("elsewhere", "three")
        again, before, second = self.back(answer["pid"], offset)
        self.assertEqual(second, answer)
        self.assertEqual(self.missed(before), ["one", "two"])
        self.shout("r", "four")
        self.assertIn("four", self.missed([again.receive_packet(), again.receive_packet()]))

    def test_client_that_has_seen_nothing_gets_everything(self):
        ws, answer, _ = self.start()
        ws.close()
        _, before, second = self.back(answer["pid"])
        self.assertEqual(second, answer)
        self.assertEqual(len(before), 1)

    def test_secret_works_once_at_a_time(self):
        ws, answer, offset = self.start()
        ws.close()
        first, _, second = self.back(answer["pid"], offset)
        self.assertEqual(second, answer)
        taker, _, third = self.back(answer["pid"], offset)
        self.assertEqual(third, answer)
        packets = []
        while (packet := first.receive_packet()) != "41":
            packets.append(packet)
        taker.send('42["message",1]')
        while "message-back" not in taker.receive_packet():
            pass

    def test_who_said_goodbye_starts_anew(self):
        ws, answer, offset = self.start()
        ws.send("41")
        ws.send("1")
        ws.until_closed()
        _, before, second = self.back(answer["pid"], offset)
        self.assertEqual(before, [])
        self.assertNotEqual(second["sid"], answer["sid"])
        self.assertNotEqual(second["pid"], answer["pid"])

    def test_kicked_client_starts_anew(self):
        ws, answer, offset = self.start()
        ws.send('42["kick"]')
        ws.until_closed()
        self.assertNotEqual(self.back(answer["pid"], offset)[2]["pid"], answer["pid"])

    def test_unknown_secrets_and_offsets_start_anew(self):
        for offset in ("0", "-1", "x", "999999", "99999999999999999999", "\\u0031"):
            ws, answer, _ = self.start()
            ws.close()
            second = self.back(answer["pid"], offset)[2]
            self.assertNotEqual(second["pid"], answer["pid"], offset)
        for auth in ('{"pid":"nobody","offset":"1"}', '{"pid":7,"offset":8}', '{"pid":null}',
                     '{"pid":""}', '{"pid":"' + "x" * 500 + '"}'):
            self.assertEqual(len(self.connect(auth)[2]["pid"]), 20)

    def test_polling_session_recovers_too(self):
        sid = self.open_polling()
        self.post(sid, "40")
        text = ""
        while "auth" not in text:
            text += self.poll(sid).text
        answer = json.loads(re.search(r"40(\{[^}]*\})", text)[1])
        offset = re.search(r'"auth",\{\},"(\d+)"', text)[1]
        self.hold(sid).close()
        eventually(lambda: self.poll(sid).status == 400, "session gone")
        self.assertEqual(self.back(answer["pid"], offset)[2], answer)

    def test_volatile_binary_and_asking_events_carry_no_offset(self):
        ws, _, _ = self.start()
        ws.send('42["hint",1]')
        self.assertEqual(ws.receive_packet(), '42["hinted",1]')
        ws.send('42["ask",1]')
        self.assertTrue(ws.receive_packet().endswith('["question",1]'))


class RecoveryWindow(Case):
    flags = {"ping_interval": 20000, "recovery": 100}

    def test_what_is_too_old_starts_anew(self):
        ws = self.open_ws()
        ws.send("40")
        answer = json.loads(ws.receive_packet()[2:])
        ws.close()
        began = time.monotonic()
        eventually(lambda: time.monotonic() - began > 0.2, "the window to pass")
        again = self.open_ws()
        again.send(json.dumps({"pid": answer["pid"]}).join(["40", ""]))
        self.assertNotEqual(json.loads(again.receive_packet()[2:])["pid"], answer["pid"])


class Strangers(Case):
    flags = {"return_timeout": 300, "strangers": 3, "ping_interval": 20000}

    def test_session_whose_client_does_not_come_back_ends_early(self):
        sid, began = self.open_polling(), time.monotonic()
        sids = [self.open_polling() for _ in range(2)]
        probe = self.ws(f"EIO=4&transport=websocket&sid={sids[0]}")
        eventually(lambda: time.monotonic() - began > 0.4, "the deadline to pass")
        self.assert_gone(sid)
        probe.send("2probe")
        self.assertEqual(probe.receive(), "3probe")

    def test_one_stranger_too_many_drives_out_the_oldest(self):
        sids = [self.open_polling() for _ in range(4)]
        self.assert_gone(sids[0])
        self.assertEqual(self.post(sids[3], "40").text, "ok")


class WebSocketOnly(Case):
    flags = {"transports": 2, "path": "/game/"}

    def test_polling_is_an_unknown_transport(self):
        answer = self.get("EIO=4&transport=polling", path="/game/")
        self.assertEqual((answer.status, answer.json()["code"]), (400, 0))

    def test_websocket_works_on_the_path_given_and_no_other(self):
        ws = self.ws(path="/game/")
        self.assertEqual(json.loads(ws.receive()[1:])["upgrades"], [])
        self.assertEqual(self.ws().answer.status, 404)

    def assert_alive(self):
        self.assertEqual(self.ws(path="/game/").answer.status, 101)


class PollingOnly(Case):
    flags = {"transports": 1}

    def test_no_upgrade_is_offered_or_taken(self):
        answer = self.get("EIO=4&transport=polling")
        self.assertEqual(json.loads(answer.body[1:])["upgrades"], [])
        self.assertEqual(self.ws().answer.status, 400)


class Drain(unittest.TestCase):
    def test_sigterm_spreads_the_disconnects_and_refuses_newcomers(self):
        server = Server(drain=1000, ping_interval=20000)
        sockets = [WebSocket(server.port, "EIO=4&transport=websocket") for _ in range(300)]
        for ws in sockets:
            ws.receive()
        server.process.send_signal(signal.SIGTERM)
        began, times = time.monotonic(), []
        for ws in sockets:
            with self.assertRaises(Closed) as closed:
                while True:
                    ws.receive()
            self.assertEqual(closed.exception.code, 1001)
            times.append(time.monotonic() - began)
            ws.close()
        self.assertLess(times[30], 0.15)
        self.assertGreater(times[-1], 0.2)  # a millisecond each
        self.assertLess(times[-1], 1.0)
        server.stop()

    def test_drain_without_clients_ends_at_once(self):
        server = Server(drain=60000)
        began = time.monotonic()
        server.stop()
        self.assertLess(time.monotonic() - began, 5)

    def test_newcomers_are_refused_while_it_drains(self):
        server = Server(drain=60000, ping_interval=20000)
        sockets = [WebSocket(server.port, "EIO=4&transport=websocket") for _ in range(500)]
        server.process.send_signal(signal.SIGTERM)
        with self.assertRaises(Closed):
            while True:
                sockets[0].receive()
        self.assertEqual(WebSocket(server.port, "EIO=4&transport=websocket").answer.status, 503)
        try:
            server.process.wait(10)
        except subprocess.TimeoutExpired:
            self.fail("the drain does not end")
        server.stop()
        for ws in sockets:
            ws.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
