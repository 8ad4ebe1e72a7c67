// The official JavaScript client against the echo server: whatever the protocol has.
//     node echo.cjs URL TRANSPORTS       TRANSPORTS: default, websocket or polling
// The server's recovery is on.
"use strict";
const assert = require("node:assert");
const path = require("node:path");
const { io } = require(path.join(process.env.INTEROP_NODE_MODULES, "socket.io-client"));

const [url, transports] = process.argv.slice(2);
const options = {
  forceNew: true,
  reconnectionDelay: 50,
  randomizationFactor: 0,
  ...(transports === "default" ? {} : { transports: [transports] }),
};
const patience = 10000;

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${patience} ms: ${what}`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const once = (socket, event) =>
  within(event, new Promise((resolve) => socket.once(event, (...args) => resolve(args))));
const open = (namespace, more = {}) => io(url + namespace, { ...options, ...more });

async function connected(namespace, more) {
  const socket = open(namespace, more);
  await once(socket, "connect");
  return socket;
}

async function usesTheTransport(socket) {
  const engine = socket.io.engine;
  if (transports === "default" && engine.transport.name !== "websocket")
    await within("upgrade", new Promise((resolve) => engine.once("upgrade", resolve)));
  assert.equal(engine.transport.name, transports === "polling" ? "polling" : "websocket");
}

async function events(socket) {
  const values = [1, "zwei", [3, { vier: null }], "\u{1f600}\u2028", -0.5e-7, true, {}];
  const back = once(socket, "message-back");
  socket.emit("message", ...values);
  assert.deepEqual((await back).slice(0, values.length), values);
}

async function manyInOrder(socket) {
  const got = [];
  const all = new Promise((resolve) => {
    socket.on("message-back", (n) => got.push(n) === 200 && resolve());
  });
  for (let i = 0; i < 200; i++) socket.emit("message", i);
  await within("200 echoes", all);
  assert.deepEqual(got, [...Array(200).keys()]);
  socket.off("message-back");
}

async function binary(socket) {
  const big = Buffer.alloc(100000, "0123456789");
  const back = once(socket, "message-back");
  socket.emit("message", Buffer.from([0, 255, 30, 98]), { deep: [big, "text"] }, new Uint8Array(0));
  const [small, { deep }, empty] = await back;
  assert.deepEqual([...Buffer.from(small)], [0, 255, 30, 98]);
  assert.equal(Buffer.compare(Buffer.from(deep[0]), big), 0);
  assert.equal(deep[1], "text");
  assert.equal(empty.byteLength ?? empty.length, 0);
}

async function acks(socket) {
  const ask = (...args) => socket.timeout(patience).emitWithAck("message-with-ack", ...args);
  assert.equal(await ask("a"), "a");
  assert.deepEqual([...Buffer.from(await ask(Buffer.from([1, 2])))], [1, 2]);
  const together = await Promise.all([...Array(50).keys()].map((n) => ask(n)));
  assert.deepEqual(together, [...Array(50).keys()]);
}

async function acksTheServerAsksFor(socket) {
  socket.once("question", (word, answer) => answer(`${word}!`, Buffer.from([7])));
  const answered = once(socket, "answered");
  socket.emit("ask", "really");
  const [word, bytes] = await answered;
  assert.equal(word, "really!");
  assert.deepEqual([...Buffer.from(bytes)], [7]);
  const unanswered = once(socket, "unanswered");
  socket.once("question", () => {});
  socket.emit("ask", "silence");
  await unanswered;
}

async function namespaces() {
  const custom = open("/custom", { auth: { token: "123" } });
  const [auth] = await once(custom, "auth");
  assert.equal(auth.token, "123");
  const [invalid] = await once(open("/nowhere"), "connect_error");
  assert.equal(invalid.message, "Invalid namespace");
  const [refused] = await once(open("/refused", { auth: { who: "me" } }), "connect_error");
  assert.equal(refused.message, 'no "token"');
  assert.deepEqual(refused.data, { who: "me" });
  const later = await connected("/later");
  for (const socket of [custom, later]) socket.close();
}

async function rooms(socket) {
  const member = await connected("/");
  await member.timeout(patience).emitWithAck("join", "room");
  const heard = once(member, "heard");
  socket.emit("shout", "room", { x: 1 });
  assert.deepEqual((await heard).slice(0, 2), ["room", { x: 1 }]);
  const told = once(member, "heard");
  socket.emit("tell", "", "others");
  assert.equal((await told)[1], "others");
  member.close();
}

async function kicked() {
  const socket = await connected("/");
  await usesTheTransport(socket); // an end in the middle of an upgrade may come as either
  const gone = once(socket, "disconnect");
  socket.emit("kick");
  assert.equal((await gone)[0], "io server disconnect");
  socket.close();
}

async function recovers(speaker) {
  const socket = open("/");
  await once(socket, "auth");
  await socket.timeout(patience).emitWithAck("join", "away");
  const got = [];
  socket.on("heard", (_, n) => got.push(n));
  speaker.emit("shout", "away", 1);
  await within("the first", new Promise((resolve) => {
    const wait = () => (got.length ? resolve() : setImmediate(wait));
    wait();
  }));
  const id = socket.id;
  const gone = once(socket, "disconnect");
  socket.io.engine.close();
  const [reason] = await gone;
  assert.equal(reason, "forced close");
  for (const n of [2, 3]) await speaker.timeout(patience).emitWithAck("shout", "away", n);
  await once(socket, "connect");
  assert.equal(socket.recovered, true);
  assert.equal(socket.id, id);
  await speaker.timeout(patience).emitWithAck("shout", "away", 4);
  await within("what was missed and what is new", new Promise((resolve) => {
    const wait = () => (got.length >= 4 ? resolve() : setImmediate(wait));
    wait();
  }));
  assert.deepEqual(got, [1, 2, 3, 4]);
  socket.close();
}

async function main() {
  const socket = open("/", { auth: { a: 1 } });
  const [auth] = await once(socket, "auth");
  assert.deepEqual(auth, { a: 1 });
  await usesTheTransport(socket);
  await events(socket);
  await manyInOrder(socket);
  await binary(socket);
  await acks(socket);
  await acksTheServerAsksFor(socket);
  await namespaces();
  await rooms(socket);
  await kicked();
  await recovers(socket);
  socket.close();
}

main().then(
  () => {
    console.log(`ok ${transports}`);
    process.exit(0);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
