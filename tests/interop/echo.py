"""python-socketio against the echo server: events, binary, acknowledgements both ways, namespaces.

    echo.py URL TRANSPORTS       TRANSPORTS: default, websocket or polling
"""
import queue
import sys

import socketio

URL, TRANSPORTS = sys.argv[1:3]
PATIENCE = 10
OPTIONS = {} if TRANSPORTS == "default" else {"transports": [TRANSPORTS]}


class Client:
    def __init__(self, namespaces=("/",), auth=None):
        self.events = queue.Queue()
        self.socket = socketio.Client(reconnection=False)
        for namespace in namespaces:
            self.socket.on("*", self.note, namespace=namespace)
            for event in ("connect", "connect_error", "disconnect"):
                self.socket.on(event, lambda *args, event=event: self.note(event, *args),
                               namespace=namespace)
            self.socket.on("question", lambda word, *_: (word + "!", b"\x07"), namespace=namespace)
        self.socket.connect(URL, namespaces=list(namespaces), auth=auth, wait_timeout=PATIENCE,
                            **OPTIONS)

    def note(self, event, *args):
        self.events.put((event, *args))

    def expect(self, wanted):
        while True:
            event, *args = self.events.get(timeout=PATIENCE)
            if event == wanted:
                return args


def main():
    client = Client(("/", "/custom"), {"token": "123"})
    assert client.expect("auth")[0] == {"token": "123"}
    client.socket.emit("message", (1, {"a": [None, "é"]}, "\u2028"))
    assert client.expect("message-back")[:3] == [1, {"a": [None, "é"]}, "\u2028"]
    client.socket.emit("message", {"bytes": b"\x00\x1eb\xff", "more": [b"x" * 100000]})
    back = client.expect("message-back")[0]
    assert back == {"bytes": b"\x00\x1eb\xff", "more": [b"x" * 100000]}, len(str(back))
    answer = client.socket.call("message-with-ack", ("one", b"two"), timeout=PATIENCE)
    assert list(answer) == ["one", b"two"], answer
    for n in range(100):
        client.socket.emit("message", n)
    assert [client.expect("message-back")[0] for _ in range(100)] == list(range(100))
    client.socket.emit("ask", "really")
    assert client.expect("answered")[:2] == ["really!", b"\x07"]

    refused = Client.__new__(Client)
    try:
        refused.__init__(("/refused",), {"who": "me"})
        raise AssertionError("was not refused")
    except socketio.exceptions.ConnectionError:
        assert refused.expect("connect_error")[0]["data"] == {"who": "me"}
    client.socket.emit("kick")
    client.expect("disconnect")
    client.socket.wait()
    print("ok", TRANSPORTS)


main()
