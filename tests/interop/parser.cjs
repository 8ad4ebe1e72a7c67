// Our packet parser and npm's socket.io-parser on the same corpus: what ours takes, theirs takes as
// the same; what only theirs takes falls under a rule that is written down here.
//     sio_packet_dump FOLDER | node parser.cjs FOLDER
"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { Decoder } = require(path.join(process.env.INTEROP_NODE_MODULES, "socket.io-parser"));
const folder = process.argv[2];

const CONNECT = 0, DISCONNECT = 1, EVENT = 2, ACK = 3, CONNECT_ERROR = 4;

// What theirs makes of it: a packet, or null.
function decode(text) {
  const decoder = new Decoder();
  let packet = null;
  decoder.on("decoded", (decoded) => (packet = decoded));
  try {
    decoder.add(text);
    const due = decoder.reconstructor?.reconPack.attachments ?? 0;
    const head = decoder.reconstructor?.reconPack;
    for (let i = 0; i < due && !packet; i++) decoder.add(Buffer.from([i]));
    if (head && !packet) return { ...head };
    return packet;
  } catch {
    return null;
  }
}

function depth(value) {
  if (value === null || typeof value !== "object") return 0;
  return 1 + Object.values(value).reduce((deepest, v) => Math.max(deepest, depth(v)), 0);
}

// Why ours refuses what theirs takes; tests/conformance/README.md has the cases.
const STRICTER = [
  ["a type that is no digit", (p, text) => !/^\d/.test(text)], // Number("\t") is 0
  ["an event or an acknowledgement without arguments", (p) => [EVENT, ACK, 5, 6].includes(p.type) && p.data === undefined],
  ["an id on CONNECT or DISCONNECT", (p) => [CONNECT, DISCONNECT].includes(p.type) && p.id !== undefined],
  ["CONNECT_ERROR from a client", (p) => p.type === CONNECT_ERROR],
  ["an id that is not 1 to 20 digits", (p, text) => /^\d(?:\d*-)?(?:\/[^,]*,?)?(?:\d{21,}|\d*\s)/.test(text)],
  ["a namespace of more than 256 bytes", (p) => Buffer.byteLength(p.nsp) > 256],
  ["arguments nested deeper than 64", (p) => depth(p.data) > 64],
  ["a count of attachments that is not one or two digits", (p, text) => /^[56]/.test(text) && !/^[56]\d{1,2}-/.test(text)],
  ["a placeholder out of range, or without a number", (p, text) => /^[56]/.test(text) && text.includes("_placeholder")],
  ["a connect payload that is no object", (p) => p.type === CONNECT && p.data !== undefined && (typeof p.data !== "object" || p.data === null || Array.isArray(p.data))],
  ["white space before the arguments", (p, text) => /^\d(?:\d*-)?(?:\/[^,]*,?)?\d*\s/.test(text)],
];

let same = 0, refused = 0;
const reasons = new Map();
for (const line of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const ours = JSON.parse(line);
  if (ours.utf8 === false) continue; // refused before any parser sees it
  const text = fs.readFileSync(path.join(folder, ours.file), "utf8");
  const theirs = decode(text);
  if (!ours.ok) {
    if (!theirs) {
      refused++;
      continue;
    }
    const rule = STRICTER.find(([, applies]) => applies(theirs, text));
    assert.ok(rule, `only theirs takes ${ours.file}: ${JSON.stringify(text)}`);
    reasons.set(rule[0], (reasons.get(rule[0]) ?? 0) + 1);
    continue;
  }
  if (!theirs && ours.type >= 5 && ours.count === 0) continue; // "50-": to us a plain event
  assert.ok(theirs, `only ours takes ${ours.file}: ${JSON.stringify(text)}`);
  const what = `${ours.file}: ${JSON.stringify(text)}`;
  assert.equal(theirs.type, { 5: EVENT, 6: ACK }[ours.type] ?? ours.type, what); // once complete
  assert.equal(theirs.nsp, ours.nsp, what);
  assert.equal(theirs.id, ours.id === "" ? undefined : Number(ours.id), what);
  if (ours.count === 0) assert.deepEqual(theirs.data ?? null, ours.payload, what);
  same++;
}
for (const [reason, count] of reasons) console.log(`stricter, ${count}: ${reason}`);
console.log(`${same} taken alike, ${refused} refused alike`);
assert.ok(same > 20 && refused > 20, "a corpus with both kinds");
