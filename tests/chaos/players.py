#!/usr/bin/env python3
"""Simulated players over real Socket.IO WebSockets: they join, wait, lose their connection, return.

players.py BRIDGE_PORT[,PORT...] COUNT SEED HISTORY [DEAF]   runs until SIGTERM, then until each player
                                                             knows what became of his last ticket

DEAF of them stop reading now and then, while they go on asking.
Everything a player asks, gets and hears is a line of the history, one write(2) each. Which bridge a
player connects to is chance, so a return is usually a return to another one.
"""
import asyncio
import base64
import json
import os
import random
import signal
import struct
import sys
import time

JOIN_S, PATIENCE_S, QUIET_S = 5.0, 30.0, 4.0
OVER = {"MATCHED", "CANCELLED", "EXPIRED"}


class Gone(Exception):
    """The connection is lost."""


class Socket:
    """One Socket.IO connection in namespace /, over a WebSocket."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.acks, self.next_ack = reader, writer, {}, 0

    @classmethod
    async def open(cls, port, player):
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 3)
            self = cls(reader, writer)
            key = base64.b64encode(os.urandom(16)).decode()
            writer.write(("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
                          f"Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 3)
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise Gone
            self.send("40" + json.dumps({"playerId": player}))
            while not (await asyncio.wait_for(self.receive(), 5)).startswith("40"):
                pass
            return self
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError,
                asyncio.LimitOverrunError) as e:
            raise Gone from e

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        size = len(data)
        head = bytes([0x81, 0x80 | size]) if size < 126 else \
            struct.pack("!BBH", 0x81, 0xfe, size)
        body = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.writer.write(head + mask + body)

    async def frame(self):
        try:
            first, second = await self.reader.readexactly(2)
            size = second & 0x7f
            if size == 126:
                size = struct.unpack("!H", await self.reader.readexactly(2))[0]
            elif size == 127:
                size = struct.unpack("!Q", await self.reader.readexactly(8))[0]
            return first & 0x0f, await self.reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError) as e:
            raise Gone from e

    async def receive(self):
        """The next Engine.IO message that is no heartbeat."""
        while True:
            opcode, data = await self.frame()
            if opcode == 8:
                raise Gone
            text = data.decode()
            if text == "2":
                self.send("3")
            elif opcode == 1 and text != "6":
                return text

    def abort(self):
        self.writer.transport.abort()


class Player:
    def __init__(self, name, ports, say, chance, stopping):
        self.name, self.ports, self.say, self.random = name, ports, say, chance
        self.stopping = stopping
        self.socket, self.reading, self.serial = None, None, 0
        self.ticket, self.ended, self.match = None, asyncio.Event(), None
        self.answered, self.answering, self.over = set(), set(), set()

    async def think(self, low, high):
        """A person's pause; none when all are to end."""
        try:
            await asyncio.wait_for(self.stopping.wait(), self.random.uniform(low, high))
        except asyncio.TimeoutError:
            pass

    async def back_off(self):
        """Between two tries, whether all are to end or not."""
        until = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(self.random.uniform(0.05, 0.3), until.set_result, None)
        await until

    async def connect(self):
        while self.socket is None:
            try:
                self.socket = await Socket.open(self.random.choice(self.ports), self.name)
                self.say(op="conn", p=self.name)
                self.reading = asyncio.create_task(self.read(self.socket))
            except Gone:
                await self.back_off()

    async def read(self, socket):
        try:
            while True:
                self.take(socket, await socket.receive())
        except Gone:
            if self.socket is socket:
                self.lose()

    def lose(self):
        self.say(op="disc", p=self.name)
        for ack in self.socket.acks.values():
            if not ack.done():
                ack.set_result(None)
        self.socket.abort()
        self.socket = None

    def take(self, socket, text):
        if text.startswith("43"):
            digits = text[2:text.index("[")]
            ack = socket.acks.pop(int(digits), None)
            if ack and not ack.done():
                ack.set_result(json.loads(text[2 + len(digits):])[0])
        elif text.startswith("42"):
            event = json.loads(text[2:])
            self.hear(event[0], event[1] if len(event) > 1 else {})

    def hear(self, name, body):
        ticket, match = body.get("ticket") or {}, body.get("match") or {}
        if name == "match_acceptance":
            self.say(op="rx", p=self.name, ev=name, ticket="", state="", match=body.get("matchId", ""),
                     players=body.get("acceptedPlayerIds", []) + body.get("waitingPlayerIds", []))
            return
        if name.startswith("match_"):
            match = body
        if name == "match_found":
            mine = [m.get("ticketId") for team in body.get("teams", [])
                    for m in team.get("players", []) if m.get("playerId") == self.name]
            ticket = {"ticketId": mine[0] if mine else "", "state": "MATCHED"}
            self.match = match.get("matchId")
        players = [p.get("playerId") for p in ticket.get("players", [])] or \
            [m.get("playerId") for team in match.get("teams", []) for m in team.get("players", [])]
        self.say(op="rx", p=self.name, ev=name, ticket=ticket.get("ticketId", ""),
                 state=ticket.get("state", ""), match=match.get("matchId", ""), players=players)
        if ticket.get("state") in OVER:
            self.over.add(ticket.get("ticketId"))  # perhaps before he has heard that he has joined
            if self.ticket in self.over:
                self.ended.set()
        if name == "match_proposed":
            self.answering.add(task := asyncio.create_task(self.answer(match.get("matchId", ""))))
            task.add_done_callback(self.answering.discard)

    async def answer(self, match):
        """To a proposal: mostly yes; now and then no, or nothing. Once, whatever becomes of it."""
        dice = self.random.random()
        if match in self.answered or dice < 0.1:
            return
        self.answered.add(match)
        name = "decline_match" if dice < 0.2 else "accept_match"
        self.say(op="answer", ph="inv", p=self.name, match=match, yes=dice >= 0.2)
        answer = await self.ask(name, {"matchId": match}, JOIN_S)
        code = "OK" if answer and answer.get("ok") else \
            (answer or {}).get("error", {}).get("code", "UNAVAILABLE")
        self.say(op="answer", ph="end", p=self.name, match=match, yes=dice >= 0.2, code=code)

    async def ask(self, name, body, patience):
        """The acknowledgement, or None when it is not known."""
        socket = self.socket
        if socket is None:
            return None
        socket.next_ack += 1
        ack = asyncio.get_running_loop().create_future()
        socket.acks[socket.next_ack] = ack
        socket.send(f"42{socket.next_ack}" + json.dumps([name, body]))
        try:
            return await asyncio.wait_for(ack, patience)
        except asyncio.TimeoutError:
            return None

    async def join(self):
        """Joins until it is known whether he has, with one request id. The ticket or None."""
        self.serial += 1
        request = f"{self.name}-{os.getpid()}-{self.serial}"
        body = {"queue": self.random.choice(["duel", "ready", "arena"]), "attributes": {"skill": self.random.randrange(100)},
                "requestId": request}
        self.say(op="join", ph="inv", p=self.name, r=request)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            await self.connect()
            answer = await self.ask("join_queue", body, JOIN_S)
            if answer and answer.get("ok"):
                ticket = answer.get("ticket", {}).get("ticketId", "")
                self.say(op="join", ph="ok", p=self.name, r=request, ticket=ticket)
                if answer.get("ticket", {}).get("state") in OVER:
                    self.say(op="known", p=self.name, ticket=ticket)
                    return None
                return ticket
            code = (answer or {}).get("error", {}).get("code", "UNAVAILABLE")
            if code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "RESOURCE_EXHAUSTED"):
                self.say(op="join", ph="fail", p=self.name, r=request, code=code)
                return None
            await self.back_off()
        self.say(op="join", ph="info", p=self.name, r=request)
        return None

    async def settle(self):
        """Waits for the end of his ticket; in quiet asks for it, as an app would after a reconnect."""
        if self.ticket in self.over:
            return
        until = time.monotonic() + PATIENCE_S
        while not self.ended.is_set() and time.monotonic() < until:
            await self.connect()
            try:
                await asyncio.wait_for(self.ended.wait(), QUIET_S)
            except asyncio.TimeoutError:
                answer = await self.ask("get_ticket", {"ticketId": self.ticket}, JOIN_S)
                state = ((answer or {}).get("ticket") or {}).get("state", "")
                code = ((answer or {}).get("error") or {}).get("code", "")
                self.say(op="look", p=self.name, ticket=self.ticket, state=state, code=code)
                if state in OVER or code == "NOT_FOUND":
                    return

    async def live(self):
        while not self.stopping.is_set():
            await self.connect()
            self.ended.clear()
            self.ticket = await self.join()
            if self.ticket:
                if self.random.random() < 0.5:
                    await self.drop()
                elif self.random.random() < 0.1:
                    self.say(op="leave", ph="inv", p=self.name, ticket=self.ticket)
                    answer = await self.ask("leave_queue", {"ticketId": self.ticket}, JOIN_S)
                    self.say(op="leave", ph="end", p=self.name, ticket=self.ticket,
                             ok=bool(answer and answer.get("ok")))
                await self.settle()
                await self.leave_match()
                self.ticket = None
            await self.think(0.05, 0.6)

    async def leave_match(self):
        """Of matches that hold him: mostly, after a while; else until it ends."""
        match, self.match = self.match, None
        if not match or self.random.random() < 0.2:
            return
        await self.think(0, 1)
        self.serial += 1
        line = {"op": "life", "r": f"{self.name}-{os.getpid()}-{self.serial}", "do": "leave",
                "match": match, "p": self.name}
        self.say(ph="inv", **line)
        answer = await self.ask("leave_match", {"matchId": match}, JOIN_S) or {}
        code = "OK" if answer.get("ok") else answer.get("error", {}).get("code", "UNAVAILABLE")
        known = code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "RESOURCE_EXHAUSTED")
        self.say(ph="ok" if code == "OK" else "fail" if known else "info", code=code, **line)

    async def drop(self):
        """The cable is pulled, with luck just as the match comes."""
        await self.think(0, 0.15)
        if self.socket:
            self.say(op="drop", p=self.name)
            self.socket.abort()
            self.lose()
        await self.think(0, 0.4)


class Deaf(Player):
    """He joins, then reads nothing and asks on, until his connection is cut."""

    async def live(self):
        while not self.stopping.is_set():
            await self.connect()
            self.ended.clear()
            self.ticket = await self.join()
            if self.socket:
                await self.flood(self.socket)
            if self.ticket:
                await self.settle()
                self.ticket = None
            await self.think(0.05, 0.6)

    async def flood(self, socket):
        self.say(op="deaf", p=self.name)
        self.reading.cancel()  # what comes stays in the buffers, and then in the bridge's queue
        await asyncio.gather(self.reading, return_exceptions=True)
        began = time.monotonic()
        try:
            while time.monotonic() < began + PATIENCE_S:
                for i in range(100):
                    socket.send(f"42{i}" + json.dumps(["get_ticket", {"x" * 300: 1}]))
                await asyncio.wait_for(socket.writer.drain(), PATIENCE_S)
                await self.think(0.01, 0.01)
        except (OSError, asyncio.TimeoutError):
            pass
        self.say(op="cut", p=self.name, cut=socket.writer.transport.is_closing())
        if self.socket is socket:
            self.lose()


async def main():
    ports = [int(p) for p in sys.argv[1].split(",")]
    count, seed = int(sys.argv[2]), int(sys.argv[3])
    out = os.open(sys.argv[4], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def say(**line):
        os.write(out, (json.dumps({"t": time.monotonic_ns(), **line}) + "\n").encode())

    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    deaf = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    players = [(Deaf if i < deaf else Player)(f"w{i}", ports, say, random.Random(seed * 1000 + i),
                                              stopping) for i in range(count)]
    await asyncio.gather(*(p.live() for p in players))
    await asyncio.gather(*(a for p in players for a in p.answering))
    say(op="done", p="players")


if __name__ == "__main__":
    asyncio.run(main())
