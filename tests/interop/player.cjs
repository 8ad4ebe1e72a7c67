// Two players of the official JavaScript client queue, are matched, and are told.
//     node player.cjs URL TRANSPORTS API      TRANSPORTS: default, websocket or polling; API: the door
//                                             at which a back end, $TEST_BINARY, says where they play
"use strict";
const assert = require("node:assert");
const { execFileSync } = require("node:child_process");
const path = require("node:path");
const { io } = require(path.join(process.env.INTEROP_NODE_MODULES, "socket.io-client"));

const [url, transports, api] = process.argv.slice(2);
const options = transports === "default" ? {} : { transports: [transports] };
const suffix = `${process.pid}`;
const patience = 20000;

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${patience} ms: ${what}`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const once = (socket, event) =>
  within(event, new Promise((resolve) => socket.once(event, resolve)));
const ask = (socket, event, ...args) => socket.timeout(patience).emitWithAck(event, ...args);

async function join(name) {
  const socket = io(url, { ...options, forceNew: true, auth: { playerId: `${name}-${suffix}` } });
  await once(socket, "connect");
  return socket;
}

async function refusesWithoutPlayerId() {
  const socket = io(url, { ...options, forceNew: true });
  const error = await once(socket, "connect_error");
  assert.match(error.message, /playerId/);
  socket.close();
}

async function usesTheTransport(socket) {
  const engine = socket.io.engine;
  if (transports === "default" && engine.transport.name !== "websocket")
    await within("upgrade", new Promise((resolve) => engine.once("upgrade", resolve)));
  assert.equal(engine.transport.name, transports === "polling" ? "polling" : "websocket");
}

async function answersWithErrors(socket) {
  const unknown = await ask(socket, "dance", {});
  assert.equal(unknown.ok, false);
  assert.equal(unknown.error.code, "UNIMPLEMENTED");
  const missing = await ask(socket, "join_queue", { queue: "no-such-queue" });
  assert.equal(missing.ok, false);
  assert.equal(missing.error.code, "NOT_FOUND");
  const none = await ask(socket, "get_ticket");
  assert.equal(none.error.code, "NOT_FOUND");
  const bytes = await ask(socket, "join_queue", { queue: Buffer.from("1v1_duel") });
  assert.equal(bytes.error.code, "INVALID_ARGUMENT");
  assert.match(bytes.error.message, /binary/);
  assert.equal(socket.connected, true);
}

async function joinsAndLeaves(socket) {
  const queued = once(socket, "ticket_updated");
  const joined = await ask(socket, "join_queue", { queue: "1v1_duel", attributes: { skill: 1 } });
  assert.equal(joined.ok, true, JSON.stringify(joined));
  assert.equal(joined.ticket.state, "QUEUED");
  assert.equal((await queued).ticket.ticketId, joined.ticket.ticketId);
  const told = await ask(socket, "explain_ticket");
  assert.equal(told.ok, true, JSON.stringify(told));
  assert.equal(told.ticket.ticketId, joined.ticket.ticketId);
  assert.equal(told.queues[0].queue, "1v1_duel");
  assert.ok(told.sentences.length >= 3, JSON.stringify(told));
  const cancelled = once(socket, "ticket_updated");
  const left = await ask(socket, "leave_queue");
  assert.equal(left.ticket.state, "CANCELLED", JSON.stringify(left));
  assert.equal((await cancelled).ticket.state, "CANCELLED");
}

async function matches(first, second) {
  const found = [once(first, "match_found"), once(second, "match_found")];
  const ticket = { queue: "1v1_duel", attributes: { skill: 100 }, latenciesMs: { "eu-west": 30 } };
  const joined = await ask(first, "join_queue", ticket);
  assert.equal(joined.ok, true, JSON.stringify(joined));
  const both = { queues: ["2v2_clash", "1v1_duel"], attributes: ticket.attributes,
    latenciesMs: ticket.latenciesMs };
  assert.equal((await ask(second, "join_queue", both)).ok, true);
  const [one, other] = await Promise.all(found);
  assert.equal(one.matchId, other.matchId);
  assert.equal(one.queue, "1v1_duel");
  const players = one.teams.flatMap((team) => team.players.map((p) => p.playerId)).sort();
  assert.deepEqual(players, [`ann-${suffix}`, `bob-${suffix}`]);
  const mine = await ask(first, "get_ticket", { ticketId: joined.ticket.ticketId });
  assert.equal(mine.ticket.state, "MATCHED");
  assert.equal(mine.match.matchId, one.matchId);
  return one.matchId;
}

async function areToldWhereToPlay(first, second, matchId) {
  const told = [once(first, "match_assigned"), once(second, "match_assigned")];
  execFileSync(process.env.TEST_BINARY,
    ["match", "assign", matchId, "10.0.0.7:7777", "--api", api], { timeout: patience });
  for (const match of await Promise.all(told)) {
    assert.equal(match.matchId, matchId);
    assert.equal(match.state, "MATCH_ASSIGNED");
    assert.equal(match.connection, "10.0.0.7:7777");
  }
}

async function leavesAndTheOtherIsTold(leaver, other, matchId) {
  const told = [once(leaver, "match_updated"), once(other, "match_updated")];
  const unnamed = await ask(leaver, "leave_match", {});
  assert.equal(unnamed.error.code, "INVALID_ARGUMENT");
  const left = await ask(leaver, "leave_match", { matchId });
  assert.equal(left.ok, true, JSON.stringify(left));
  assert.deepEqual(left.match.leftPlayerIds, [`bob-${suffix}`]);
  for (const update of await Promise.all(told)) {
    assert.deepEqual(update.leftPlayerIds, [`bob-${suffix}`]);
    assert.equal(update.match.matchId, matchId);
  }
}

// A queue whose matches look for players by themselves.
async function fillsARunningMatch(first, second) {
  const ticket = { queue: "endless_duel" };
  const found = [once(first, "match_found"), once(second, "match_found")];
  for (const socket of [first, second])
    assert.equal((await ask(socket, "join_queue", ticket)).ok, true);
  const [match] = await Promise.all(found);
  const left = once(second, "match_updated");
  assert.equal((await ask(first, "leave_match", { matchId: match.matchId })).ok, true);
  await left;
  const joined = [once(first, "match_found"), once(second, "match_updated")];
  assert.equal((await ask(first, "join_queue", ticket)).ok, true);
  const [again, update] = await Promise.all(joined);
  assert.equal(again.matchId, match.matchId);
  assert.deepEqual(update.joinedPlayerIds, [`ann-${suffix}`]);
  for (const socket of [first, second])
    assert.equal((await ask(socket, "leave_match", { matchId: match.matchId })).ok, true);
}

async function acceptsAndIsToldHowFarItIs(first, second) {
  const party = (socket, name) => ask(socket, "join_queue", { queue: "ready_2v2",
    party: [{ playerId: `${name}-mate-${suffix}` }] });
  const proposed = [once(first, "match_proposed"), once(second, "match_proposed")];
  assert.equal((await party(first, "ann")).ok, true);
  assert.equal((await party(second, "bob")).ok, true);
  const [match] = await Promise.all(proposed);
  assert.equal(match.state, "MATCH_PROPOSED");
  assert.ok(match.expireTimeMs > Date.now());
  const stranger = await ask(first, "accept_match", { matchId: "01ARZ3NDEKTSV4RRFFQ69G5FAV" });
  assert.equal(stranger.error.code, "NOT_FOUND");
  const progress = once(second, "match_acceptance");
  const accepted = await ask(first, "accept_match", {});
  assert.equal(accepted.match.matchId, match.matchId, JSON.stringify(accepted));
  assert.deepEqual((await progress).acceptedPlayerIds, [`ann-${suffix}`]);
  const over = [once(first, "match_cancelled"), once(second, "match_cancelled")];
  const mine = once(first, "ticket_updated"), his = once(second, "ticket_updated");
  assert.equal((await ask(second, "decline_match", { matchId: match.matchId })).ok, true);
  for (const cancelled of await Promise.all(over)) assert.equal(cancelled.reason, "a player declined");
  assert.equal((await mine).ticket.state, "QUEUED");
  assert.equal((await his).ticket.reason, "declined the match");
  const barred = await party(second, "bob");
  assert.equal(barred.error.code, "FAILED_PRECONDITION");
  assert.ok(barred.error.retryAfterMs > 0, JSON.stringify(barred));
  assert.equal((await ask(first, "leave_queue")).ok, true);
}

async function isToldAfterComingBack(socket) {
  socket.close();
  const again = io(url, { ...options, forceNew: true, auth: { playerId: `ann-${suffix}` } });
  const match = await once(again, "match_assigned");
  assert.equal(match.connection, "10.0.0.7:7777");
  again.close();
}

// The connection breaks; the client comes back by itself, is sent what it missed, and knows it.
async function goesOnWhereItWas() {
  const eve = { playerId: `eve-${suffix}` };
  const socket = io(url, { ...options, forceNew: true, reconnectionDelay: 1000,
    auth: { ...eve, resume: true } });
  await once(socket, "connect");
  const queued = once(socket, "ticket_updated");
  const ticket = { queue: "1v1_duel", attributes: { skill: 9000 } };
  assert.equal((await ask(socket, "join_queue", ticket)).ok, true);
  await queued;
  const states = [];
  socket.on("ticket_updated", (update) => states.push(update.ticket.state));
  const back = once(socket, "connect");
  socket.io.engine.close();
  const other = io(url, { ...options, forceNew: true, auth: eve });
  await once(other, "connect");
  assert.equal((await ask(other, "leave_queue")).ok, true);
  assert.equal((await ask(other, "join_queue", ticket)).ok, true);
  assert.equal((await ask(other, "leave_queue")).ok, true);
  await back;
  assert.equal(socket.recovered, true);
  while (states.length < 3) await once(socket, "ticket_updated");
  assert.deepEqual(states, ["CANCELLED", "QUEUED", "CANCELLED"]);
  other.close();
  socket.close();
}

async function main() {
  await refusesWithoutPlayerId();
  const first = await join("ann");
  const second = await join("bob");
  await usesTheTransport(first);
  const list = await ask(first, "list_queues");
  assert.ok(list.queues.some((queue) => queue.name === "1v1_duel"), JSON.stringify(list));
  await answersWithErrors(first);
  await joinsAndLeaves(first);
  await acceptsAndIsToldHowFarItIs(first, second);
  await fillsARunningMatch(first, second);
  const matchId = await matches(first, second);
  await areToldWhereToPlay(first, second, matchId);
  await leavesAndTheOtherIsTold(second, first, matchId);
  await isToldAfterComingBack(first);
  second.close();
  await goesOnWhereItWas();
}

main().then(() => console.log(`ok ${transports}`), (error) => {
  console.error(error);
  process.exit(1);
});
