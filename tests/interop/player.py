"""Two players of python-socketio queue, are matched, and are told.

    player.py URL TRANSPORTS API     TRANSPORTS: default, websocket or polling; API: the door at which a
                                     back end, $TEST_BINARY, says where they play
"""
import os
import queue
import subprocess
import sys

import socketio

URL, TRANSPORTS, API = sys.argv[1:4]
PATIENCE = 20


class Player:
    def __init__(self, name, **auth):
        self.id = f"{name}-py-{os.getpid()}"
        self.events = queue.Queue()
        self.refusals = []
        self.socket = socketio.Client(reconnection=False)
        self.socket.on("connect_error", self.refusals.append)
        for event in ("ticket_updated", "match_found", "resync", "match_proposed", "match_updated",
                      "match_acceptance", "match_cancelled", "match_assigned"):
            self.socket.on(event, lambda data, event=event: self.events.put((event, data)))
        options = {} if TRANSPORTS == "default" else {"transports": [TRANSPORTS]}
        try:
            self.socket.connect(URL, auth=auth or {"playerId": self.id}, wait_timeout=PATIENCE,
                                **options)
        except socketio.exceptions.ConnectionError:
            if not self.refusals:
                raise

    def ask(self, event, payload=None):
        return self.socket.call(event, payload, timeout=PATIENCE)

    def expect(self, wanted):
        while True:
            event, data = self.events.get(timeout=PATIENCE)
            if event == wanted:
                return data


def main():
    refused = Player("nobody", wrong="auth").refusals
    assert "playerId" in refused[0]["message"], refused

    ann, bob = Player("ann"), Player("bob")
    names = [row["name"] for row in ann.ask("list_queues")["queues"]]
    assert "1v1_duel" in names, names
    assert ann.ask("dance", {})["error"]["code"] == "UNIMPLEMENTED"

    ticket = {"queue": "1v1_duel", "attributes": {"skill": 100}, "latenciesMs": {"eu-west": 30}}
    joined = ann.ask("join_queue", ticket)
    assert joined["ok"], joined
    assert ann.expect("ticket_updated")["ticket"]["ticketId"] == joined["ticket"]["ticketId"]
    told = ann.ask("explain_ticket", {})
    assert told["ok"] and told["queues"][0]["reason"], told
    assert bob.ask("explain_ticket", {"ticketId": joined["ticket"]["ticketId"]})["error"][
        "code"] == "NOT_FOUND"
    left = ann.ask("leave_queue", {})
    assert left["ticket"]["state"] == "CANCELLED", left

    for player in (ann, bob):
        answer = player.ask("join_queue", ticket)
        assert answer["ok"], answer
    matches = [player.expect("match_found") for player in (ann, bob)]
    assert matches[0]["matchId"] == matches[1]["matchId"], matches
    named = {"matchId": matches[0]["matchId"]}
    subprocess.run([os.environ["TEST_BINARY"], "match", "assign", named["matchId"], "10.0.0.7:7777",
                    "--api", API], check=True, capture_output=True, timeout=PATIENCE)
    for player in (ann, bob):
        assert player.expect("match_assigned")["connection"] == "10.0.0.7:7777"
    assert ann.ask("leave_match", named)["match"]["leftPlayerIds"] == [ann.id]
    assert bob.expect("match_updated")["leftPlayerIds"] == [ann.id]
    mates = {player: [{"playerId": f"{player.id}-mate"}] for player in (ann, bob)}
    for player in (ann, bob):
        answer = player.ask("join_queue", {"queue": "ready_2v2", "party": mates[player]})
        assert answer["ok"], answer
    proposed = [player.expect("match_proposed") for player in (ann, bob)]
    assert ann.ask("accept_match", {})["ok"]
    assert bob.expect("match_acceptance")["acceptedPlayerIds"] == [ann.id]
    assert bob.ask("decline_match", {"matchId": proposed[0]["matchId"]})["ok"]
    assert ann.expect("match_cancelled")["reason"] == "a player declined"
    assert ann.expect("ticket_updated")["ticket"]["state"] == "QUEUED"
    assert ann.ask("leave_queue", {})["ok"]

    for player in (ann, bob):
        player.socket.disconnect()
    print("ok", TRANSPORTS)


main()
