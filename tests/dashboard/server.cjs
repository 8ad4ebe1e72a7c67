// server.cjs - a real `muster serve` on free ports, ended by pid, and its command line.
"use strict";
const { execFile, spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const ROOT = path.join(__dirname, "..", "..");
const BINARY = process.env.TEST_BINARY ?? path.join(ROOT, "build/dev/bin/muster");
const QUEUES = path.join(ROOT, "deploy/queues/default.json");
process.env.LSAN_OPTIONS ??= `print_suppressions=0:suppressions=${path.join(ROOT, "tests/support/lsan.supp")}`;

const PATIENCE_MS = 30000, TURN_MS = 50;

// Resolves with the first true value of `condition`, which may be asynchronous.
async function until(what, condition, patience_ms = PATIENCE_MS) {
  const end = Date.now() + patience_ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${patience_ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  }
}

class Server {
  constructor(...options) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "muster-dashboard-"));
    this.options = options;
    this.port = 0; // of the bridge: kept from one start to the next
  }

  async start() {
    const out = path.join(this.folder, "doors"), log = path.join(this.folder, "log");
    this.child = spawn(BINARY, ["serve", "--state", path.join(this.folder, "state"), "--queues", QUEUES,
      "--api-listen", "tcp://127.0.0.1:0", "--events-listen", "tcp://127.0.0.1:0",
      "--metrics-listen", "127.0.0.1:0", "--drain-ms", "0", "--bridge-listen", `127.0.0.1:${this.port}`,
      ...this.options], { stdio: ["ignore", fs.openSync(out, "w"), fs.openSync(log, "a")] });
    this.ended = new Promise((resolve) => this.child.once("exit", resolve));
    const doors = await until("the server is ready", () => {
      if (this.child.exitCode !== null) throw new Error(`the server ended:\n${fs.readFileSync(log, "utf8")}`);
      const text = fs.readFileSync(out, "utf8");
      return /^ready$/m.test(text) && text;
    });
    this.api = /^api ([^,\n]+)/m.exec(doors)[1];
    this.url = /^bridge (\S+)/m.exec(doors)[1];
    this.port = Number(new URL(this.url).port);
    return this;
  }

  async kill(signal = "SIGKILL") {
    this.child.kill(signal);
    await this.ended;
  }

  // What `muster WORDS --api …` prints.
  muster(...words) {
    return new Promise((resolve, reject) =>
      execFile(BINARY, [...words, "--api", this.api], (error, text) => (error ? reject(error) : resolve(text))));
  }

  async stats(queue) {
    return JSON.parse(await this.muster("queue", "stats", queue, "--json"));
  }

  async close() {
    await this.kill("SIGTERM");
    fs.rmSync(this.folder, { recursive: true });
  }
}

module.exports = { Server, until };
