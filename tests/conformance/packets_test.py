"""Socket.IO packets: namespaces, events, acknowledgements, binary, rooms, and violations."""

import json
import re
import unittest

from wire import Case, Closed


class Packets(Case):
    flags = {"ping_interval": 20000, "connect_timeout": 20000}

    def closes(self, *messages, ws=None):
        ws = ws or self.join()
        for message in messages:
            try:
                ws.send(message)
            except (BrokenPipeError, ConnectionResetError):
                break
        self.assertEqual(ws.until_closed(), 1002, messages)

    def echoes(self, ws=None, sent='42["message",1]', want='42["message-back",1]'):
        ws = ws or self.join()
        ws.send(sent)
        self.assertEqual(ws.receive_packet(), want)


class Connect(Packets):
    def test_connect_answers_with_a_new_id_and_nothing_else(self):
        ids = set()
        for _ in range(2):
            ws = self.ws()
            secret = json.loads(ws.receive()[1:])["sid"]
            ws.send("40")
            reply = ws.receive_packet()
            self.assertRegex(reply, re.compile(r'^40\{"sid":"[A-Za-z0-9_-]{20}"\}$'))
            ids |= {secret, json.loads(reply[2:])["sid"]}
        self.assertEqual(len(ids), 4)

    def test_payload_reaches_the_application_unchanged(self):
        for sent, want in (("", "{}"), ('{"token":"123"}', '{"token":"123"}'), ("{}", "{}"),
                           ('{"__proto__":1,"constructor":{}}', '{"__proto__":1,"constructor":{}}'),
                           ('{"a":1,"a":2}', '{"a":1,"a":2}')):
            ws = self.open_ws()
            ws.send("40" + sent)
            ws.receive_packet()
            self.assertEqual(ws.receive_packet(), f'42["auth",{want}]')

    def test_custom_namespace_with_payload(self):
        ws = self.open_ws()
        ws.send('40/custom,{"token":"abc"}')
        self.assertRegex(ws.receive_packet(), re.compile(r'^40/custom,\{"sid":"[^"]{20}"\}$'))
        self.assertEqual(ws.receive_packet(), '42/custom,["auth",{"token":"abc"}]')

    def test_comma_behind_a_bare_namespace_is_optional(self):
        for packet in ("40/custom", "40/custom,"):
            ws = self.open_ws()
            ws.send(packet)
            self.assertTrue(ws.receive_packet().startswith('40/custom,{"sid"'))

    def test_two_namespaces_on_one_connection(self):
        ws = self.join()
        ws.send("40/custom")
        self.assertTrue(ws.receive_packet().startswith("40/custom,"))
        self.assertTrue(ws.receive_packet().startswith("42/custom,"))
        self.echoes(ws, '42/custom,["message","c"]', '42/custom,["message-back","c"]')
        self.echoes(ws)

    def test_unknown_namespace_is_refused_and_the_connection_stays(self):
        ws = self.open_ws()
        for nsp in ("/random", "/custom?a=b", "/", "/custom/")[:2]:
            ws.send(f"40{nsp},")
            self.assertEqual(ws.receive_packet(), f'44{nsp},{{"message":"Invalid namespace"}}')
        ws.send("40")
        self.assertTrue(ws.receive_packet().startswith("40"))

    def test_refusal_carries_the_application_s_words_escaped(self):
        ws = self.open_ws()
        ws.send("40/refused,{}")
        self.assertEqual(ws.receive_packet(), '44/refused,{"message":"no \\"token\\""}')
        ws.send("40")
        self.assertTrue(ws.receive_packet().startswith("40"))

    def test_violations_of_connect_close(self):
        for packet in ("40[]", '40"x"', "40null", "401", "40{", "40{}x", "4012{}", "40/custom,[]"):
            self.closes(packet, ws=self.open_ws())

    def test_connecting_twice_closes(self):
        self.closes("40")

    def test_anything_before_connect_closes(self):
        for packet in ('42["message"]', "43[1]", "41", "431[]",
                       '451-["message",{"_placeholder":true,"num":0}]'):
            self.closes(packet, ws=self.open_ws())

    def test_packets_to_a_namespace_not_joined_close(self):
        for packet in ('42/custom,["message"]', "41/custom,", "43/custom,1[]"):
            self.closes(packet)

    def test_overlong_namespace_closes(self):
        self.closes("40/" + "n" * 300, ws=self.open_ws())


class NamespaceLimit(Case):
    flags = {"namespaces": 2, "ping_interval": 20000}

    def test_namespaces_of_one_connection_are_bounded(self):
        ws = self.open_ws()
        for nsp in ("", "/custom,"):
            ws.send("40" + nsp)
            ws.receive_packet()
            ws.receive_packet()
        ws.send("41/custom,")
        ws.send("40/custom,")
        self.assertTrue(ws.receive_packet().startswith("40/custom"))
        ws.receive_packet()
        ws.send("40/later,")
        self.assertEqual(ws.until_closed(), 1002)


class Disconnect(Packets):
    def test_disconnected_namespace_can_be_joined_again(self):
        ws = self.join()
        ws.send("41")
        ws.send("40")
        self.assertTrue(ws.receive_packet().startswith('40{"sid"'))
        self.assertEqual(ws.receive_packet(), '42["auth",{}]')
        self.echoes(ws)

    def test_disconnect_leaves_other_namespaces_alone(self):
        ws = self.join()
        ws.send("40/custom,")
        ws.receive_packet(), ws.receive_packet()
        ws.send("41/custom,")
        self.echoes(ws)
        self.closes('42/custom,["message"]', ws=ws)

    def test_event_after_disconnect_closes(self):
        self.closes("41", '42["message"]')

    def test_server_can_disconnect_a_namespace(self):
        ws = self.join()
        ws.send('42["leave-me"]')
        self.assertEqual(ws.receive_packet(), "41")
        ws.send("40")
        self.assertTrue(ws.receive_packet().startswith("40"))

    def test_server_can_close_the_connection(self):
        ws = self.join()
        ws.send('42["kick"]')
        self.assertEqual(ws.receive_packet(), "41")
        with self.assertRaises(Closed) as closed:
            ws.receive_packet()
        self.assertEqual(closed.exception.code, 1000)


class Events(Packets):
    def test_arguments_pass_through_as_they_are_written(self):
        ws = self.join()
        for args in ('1,"2",{"3":[true]}', "1e400,-0,12345678901234567890", '"\\ud800 \\u0000"',
                     '{"__proto__":{"x":1}}', '{"a":1,"a":2}', ' 1 , [ ] ', '"\u2028\U0001f600"'):
            self.echoes(ws, f'42["message",{args}]', f'42["message-back",{args}]')

    def test_event_without_arguments(self):
        self.echoes(sent='42["message"]', want='42["message-back"]')
        self.echoes(sent='42[ "message" ] ', want='42["message-back"]')

    def test_escaped_name_is_the_same_name(self):
        self.echoes(sent='42["m\\u0065ssage",1]')

    def test_number_and_odd_names_are_allowed(self):
        ws = self.join()
        for name in ("1", '"connection"', '"error"', '"toString"', '"__proto__"', '""',
                     '"\\u0000"'):
            ws.send(f"42[{name}]")
        self.echoes(ws)

    def test_reserved_names_close(self):
        for name in ("connect", "connect_error", "disconnect", "disconnecting", "newListener",
                     "removeListener", "conn\\u0065ct"):
            self.closes(f'42["{name}"]')

    def test_malformed_events_close(self):
        for payload in ("", "{}", "[]", "[null]", "[{}]", "[[]]", "[true]", '["x"', '["x"]y',
                        '["x",]', '["x",01]', "['x']", '["x",nul]', '["\\x"]', '["\\u12g4"]',
                        '["x",+1]', '["x",1.]', '["x",.5]', '["x" 1]', '["x",{"a"}]',
                        '["x",{1:2}]', '["\t"]', '["x",NaN]', '["x",-]', '["x",1e]', "\\"):
            self.closes("42" + payload)

    def test_nesting_is_bounded(self):
        ws = self.join()
        self.echoes(ws, '42["message",' + "[" * 63 + "]" * 63 + "]",
                    '42["message-back",' + "[" * 63 + "]" * 63 + "]")
        self.closes('42["message",' + "[" * 64 + "]" * 64 + "]", ws=ws)
        self.closes('42["message",' + "[" * 100000)

    def test_unknown_packet_types_close(self):
        for packet in ("4", "47", "49", "4x", "44", '44{"message":"x"}', "4-1"):
            self.closes(packet)


class Acks(Packets):
    def test_ack_carries_id_and_arguments(self):
        self.echoes(sent='42456["message-with-ack",1,"2",{"3":[false]}]',
                    want='43456[1,"2",{"3":[false]}]')

    def test_ack_in_a_namespace(self):
        ws = self.open_ws()
        ws.send("40/custom")
        ws.receive_packet(), ws.receive_packet()
        self.echoes(ws, '42/custom,7["x","y"]', '43/custom,7["y"]')

    def test_ids_are_echoed_verbatim(self):
        for text in ("0", "007", "9007199254740993", "12345678901234567890"):
            self.echoes(sent=f'42{text}["x"]', want=f"43{text}[]")

    def test_bad_ids_close(self):
        for text in ("123456789012345678901", "-1", " ", "1e3", "+1", "1.5"):
            self.closes(f'42{text}["x"]')

    def test_acks_nobody_asked_for_are_ignored(self):
        ws = self.join()
        for packet in ("431[]", "43[]", '439["x",{}]'):
            ws.send(packet)
        self.echoes(ws)

    def test_malformed_acks_close(self):
        for payload in ("1{}", "1", "", '1"x"', "1[", "{}"):
            self.closes("43" + payload)


class Binary(Packets):
    TEXT = '["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'

    def test_attachments_come_back(self):
        ws = self.join()
        ws.send("452-" + self.TEXT)
        ws.send(b"\x01\x02\x03")
        ws.send(b"\x04\x05\x06")
        self.assertEqual(ws.receive_packet(), "452-" + self.TEXT.replace("message", "message-back"))
        self.assertEqual(ws.receive_packet(), b"\x01\x02\x03")
        self.assertEqual(ws.receive_packet(), b"\x04\x05\x06")

    def test_binary_acknowledgement(self):
        ws = self.join()
        ws.send('452-789["message-with-ack",{"_placeholder":true,"num":0},'
                '{"_placeholder":true,"num":1}]')
        ws.send(b"\x01")
        ws.send(b"\x02")
        self.assertEqual(ws.receive_packet(),
                         '462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
        self.assertEqual((ws.receive_packet(), ws.receive_packet()), (b"\x01", b"\x02"))

    def test_placeholder_may_be_used_twice(self):
        ws = self.join()
        ws.send('451-["message",{"_placeholder":true,"num":0},[{"num":0,"_placeholder":true}]]')
        ws.send(b"x")
        self.assertTrue(ws.receive_packet().startswith("451-"))
        self.assertEqual(ws.receive_packet(), b"x")

    def test_zero_attachments_is_a_plain_event(self):
        ws = self.join()
        self.echoes(ws, '450-["message",1]')
        self.echoes(ws)

    def test_bad_counts_close(self):
        for count in ("11-", "-1-", "1.5-", "1e0-", "", "99999999999999999999-", "-", "1"):
            self.closes(f"45{count}" + self.TEXT)

    def test_placeholder_out_of_range_closes(self):
        for number in ("1", "-1", '"0"', "0.5", "null", "1e0", "99999999999999999999999"):
            self.closes(f'451-["message",{{"_placeholder":true,"num":{number}}}]', b"x")
        self.closes('451-["message",{"_placeholder":true}]', b"x")

    def test_placeholder_in_a_plain_event_is_left_alone(self):
        self.echoes(sent='42["message",{"_placeholder":true,"num":5}]',
                    want='42["message-back",{"_placeholder":true,"num":5}]')

    def test_text_between_attachments_closes(self):
        self.closes("452-" + self.TEXT, b"x", '42["message"]')

    def test_pong_between_attachments_is_fine(self):
        ws = self.join()
        ws.send("451-" + '["message",{"_placeholder":true,"num":0}]')
        ws.send("3")
        ws.send(b"x")
        self.assertTrue(ws.receive_packet().startswith("451-"))

    def test_attachment_nobody_announced_closes(self):
        self.closes(b"x")

    def test_binary_where_the_application_takes_none_closes(self):
        ws = self.open_ws()
        ws.send("40/custom")
        ws.receive_packet(), ws.receive_packet()
        self.closes('451-/custom,["message",{"_placeholder":true,"num":0}]', b"x", ws=ws)

    def test_binary_ack_nobody_asked_for_is_ignored_with_its_attachments(self):
        ws = self.join()
        ws.send('461-5[{"_placeholder":true,"num":0}]')
        ws.send(b"x")
        self.echoes(ws)

    def test_attachments_together_are_bounded(self):
        self.closes("452-" + self.TEXT, b"x" * 600000, b"x" * 600000)


class Rooms(Packets):
    def test_room_members_hear_and_others_do_not(self):
        inside, outside, speaker = self.join(), self.join(), self.join()
        inside.send('42["join","r"]')
        inside.send('42["join","r"]')
        self.echoes(inside)
        self.echoes(outside)
        speaker.send('42["shout","r",1]')
        self.assertEqual(inside.receive_packet(), '42["heard","r",1]')
        self.echoes(inside)
        self.echoes(outside)
        self.echoes(speaker)

    def test_left_room_is_silent(self):
        ws = self.join()
        ws.send('42["join","left"]')
        ws.send('42["leave","left"]')
        ws.send('42["shout","left"]')
        self.echoes(ws)

    def test_rooms_end_with_the_namespace(self):
        ws = self.join()
        ws.send('42["join","again"]')
        ws.send("41")
        ws.send("40")
        self.assertTrue(ws.receive_packet().startswith("40"))
        ws.receive_packet()
        ws.send('42["shout","again"]')
        self.echoes(ws)


if __name__ == "__main__":
    unittest.main(verbosity=2)
