// link.js - Socket.IO v5 over one WebSocket: a namespace, its events, and requests with an answer.
//
//   new Link({ url, namespace, auth, onEvent, onState }).open()
//
// Reconnects by itself until closed, ever more slowly. Speaks Engine.IO v4: its text packets only,
// for that is all that an admin namespace sends.

const BACKOFF_MS = [300, 600, 1200, 2500, 5000];
const ANSWER_MS = 10000;

// "42/admin,7[...]" -> { type: "2", namespace: "/admin", id: 7, data: [...] }; null: malformed.
export function parsePacket(text) {
  const match = /^([0-6])(?:(\/[^,]*),?)?(\d+)?([[{].*)?$/s.exec(text);
  if (!match) return null;
  try {
    return {
      type: match[1],
      namespace: match[2] ?? "/",
      id: match[3] === undefined ? null : Number(match[3]),
      data: match[4] === undefined ? null : JSON.parse(match[4]),
    };
  } catch {
    return null;
  }
}

export class Refusal extends Error {
  constructor({ code, message, field }) {
    super(message);
    this.code = code;
    this.field = field ?? "";
  }
}

const away = (message) => new Refusal({ code: "UNAVAILABLE", message });

export class Link {
  // `auth()`: the CONNECT payload of each try. `onState(state, text)`: "connecting", "open",
  // "refused" (and no more tries until open() is called again) or "away".
  constructor({ url, namespace, auth, onEvent, onState }) {
    Object.assign(this, { url, namespace, auth, onEvent, onState });
    this.socket = null;
    this.open_ = false;
    this.tries = 0;
    this.timer = 0;
    this.nextId = 0;
    this.waiting = new Map(); // id -> { resolve, reject, timer }
  }

  open() {
    this.close();
    this.onState("connecting", "");
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onmessage = (message) => socket === this.socket && this.#packet(message.data);
    socket.onclose = () => socket === this.socket && this.#lost("the server is away");
    this.#watch(ANSWER_MS);
  }

  close() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    this.#end("closed");
    socket?.close();
  }

  get isOpen() {
    return this.open_;
  }

  // Resolves with the acknowledgement's object; rejects with a Refusal.
  ask(event, body = {}) {
    return new Promise((resolve, reject) => {
      if (!this.open_) {
        reject(away("not connected"));
        return;
      }
      const id = this.nextId++;
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Refusal({ code: "DEADLINE_EXCEEDED", message: `no answer to ${event}` }));
      }, ANSWER_MS);
      this.waiting.set(id, { resolve, reject, timer });
      this.socket.send(`42${this.namespace},${id}${JSON.stringify([event, body])}`);
    });
  }

  #end(why) {
    this.open_ = false;
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(away(why));
    }
    this.waiting.clear();
  }

  #lost(why) {
    const wait = BACKOFF_MS[Math.min(this.tries++, BACKOFF_MS.length - 1)];
    this.close();
    this.onState("away", why);
    this.timer = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }

  // A server that is silent for longer than its pings allow is gone.
  #watch(silence_ms) {
    this.silence_ms = silence_ms;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#lost("the server is silent"), silence_ms);
  }

  #packet(text) {
    if (typeof text !== "string") return;
    if (text[0] === "0") {
      const { pingInterval, pingTimeout } = JSON.parse(text.slice(1));
      this.#watch(pingInterval + pingTimeout);
      this.socket.send(`40${this.namespace},${JSON.stringify(this.auth())}`);
      return;
    }
    this.#watch(this.silence_ms);
    if (text[0] === "2") this.socket.send("3");
    if (text[0] === "1") this.#lost("the server closed the connection");
    if (text[0] === "4") this.#message(parsePacket(text.slice(1)));
  }

  #message(packet) {
    if (!packet || packet.namespace !== this.namespace) return;
    if (packet.type === "0") {
      this.open_ = true;
      this.tries = 0;
      this.onState("open", "");
    } else if (packet.type === "1") {
      this.#lost("the server closed the connection");
    } else if (packet.type === "2") {
      this.onEvent(packet.data[0], packet.data[1]);
    } else if (packet.type === "3") {
      this.#answered(packet.id, packet.data[0]);
    } else if (packet.type === "4") {
      this.close();
      this.onState("refused", packet.data?.message ?? "refused");
    }
  }

  #answered(id, answer) {
    const asked = this.waiting.get(id);
    if (!asked) return;
    this.waiting.delete(id);
    clearTimeout(asked.timer);
    if (answer.ok) asked.resolve(answer);
    else asked.reject(new Refusal(answer.error));
  }
}
