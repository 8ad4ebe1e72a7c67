// A page in a real browser, of another origin than the server, over each transport.
//     node page.cjs ALLOWING_URL REFUSING_URL
// The first server lets any origin in, the second's list has not this one.
"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const modules = process.env.INTEROP_NODE_MODULES;
const { chromium } = require(path.join(modules, "playwright-core"));
const [allowing, refusing] = process.argv.slice(2);

const client = fs.readFileSync(path.join(modules, "socket.io-client/dist/socket.io.min.js"));
const site = http.createServer((request, response) => {
  const script = request.url === "/client.js";
  response.setHeader("Content-Type", script ? "text/javascript" : "text/html; charset=utf-8");
  response.end(script ? client : '<!doctype html><script src="/client.js"></script>');
});

// Runs in the page.
async function play({ url, transports }) {
  const options = transports ? { transports } : {};
  const socket = io(url, { ...options, auth: { a: 1 } });
  const once = (event) =>
    new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`not within 10 s: ${event}`)), 10000);
      socket.once(event, (...args) => resolve(args));
    });
  const [auth] = await once("auth");
  const engine = socket.io.engine;
  if (!transports && engine.transport.name === "polling")
    await new Promise((resolve) => engine.once("upgrade", resolve));
  const back = once("message-back");
  socket.emit("message", "text \u{1f600}", new Uint8Array([0, 255, 30]), { deep: new Blob(["b"]) });
  const [text, bytes, { deep }] = await back;
  const acknowledged = await socket.timeout(10000).emitWithAck("message-with-ack", 7);
  const many = new Promise((resolve) => {
    let sum = 0, count = 0;
    socket.on("message-back", (n) => ((sum += n), ++count === 100 && resolve(sum)));
  });
  for (let i = 0; i < 100; i++) socket.emit("message", i);
  const result = {
    auth,
    text,
    bytes: [...new Uint8Array(bytes)],
    deep: new TextDecoder().decode(deep),
    acknowledged,
    sum: await many,
    transport: engine.transport.name,
  };
  socket.close();
  return result;
}

// Runs in the page: what a connection comes to that the server should refuse.
function tryIn({ url, transports }) {
  const socket = io(url, { transports, reconnection: false });
  return new Promise((resolve) => {
    socket.once("connect", () => resolve("connected"));
    socket.once("connect_error", () => resolve("refused"));
  });
}

async function main() {
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({
    executablePath: process.env.INTEROP_CHROMIUM,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  for (const transports of [undefined, ["websocket"], ["polling"]]) {
    const result = await page.evaluate(play, { url: allowing, transports });
    assert.deepEqual(result, {
      auth: { a: 1 },
      text: "text \u{1f600}",
      bytes: [0, 255, 30],
      deep: "b",
      acknowledged: 7,
      sum: 4950,
      transport: transports?.[0] ?? "websocket",
    });
  }
  for (const transports of [["websocket"], ["polling"]])
    assert.equal(await page.evaluate(tryIn, { url: refusing, transports }), "refused");
  console.log("ok", browser.version());
  await browser.close();
  site.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
