// play.js - simulated players who come and go, for a server without real ones (--dashboard play).
//
// They live in this page: leave it, and nobody new comes. Who has waited longer than his patience
// leaves; who is asked to accept a match mostly does.
import { h, setText } from "./dom.js";
import { charts } from "./queue.js";
import { count, plural } from "./words.js";

const BATCH = 200; // tickets of one request: the server's limit is 1,000
const TURN_MS = 250;
const REGIONS = { "eu-west": 30, "us-east": 110, "in-central": 140, "asia-se": 180 };

// Near normal, of mean 0 and deviation 1: the sum of twelve.
function bell() {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += Math.random();
  return sum;
}

const attributesOf = (definition) => definition.ruleset?.playerAttributes ?? [];

// What a queue's numbers are about: the first one's default, or 90 as in the sample queues.
export function middleOf(definition) {
  return attributesOf(definition).find((a) => a.type === "number" && a.default > 0)?.default ?? 90;
}

// What a player brings to a queue of this definition; his numbers are near `middle`.
export function invent(definition, middle) {
  const attributes = {};
  for (const { name, type, default: fallback } of attributesOf(definition)) {
    if (type === "number") attributes[name] = Math.max(0, Math.round(middle * (1 + bell() / 6)));
    else if (fallback !== undefined) attributes[name] = fallback;
  }
  const home = Math.floor(Math.random() * 4);
  const latenciesMs = Object.fromEntries(Object.entries(REGIONS).map(([region, far], i) =>
    [region, Math.max(5, Math.round((i === home ? 30 : far) + 12 * bell()))]));
  return { attributes, latenciesMs };
}

// The crowd of one queue.
export class Crowd {
  constructor(app, onChange) {
    Object.assign(this, { app, onChange, perS: 0, owed: 0, patience_s: 60, came: 0, refused: 0, error: "" });
    this.leaving = []; // { due_ms, ticketId }
    this.run = Math.random().toString(36).slice(2, 7);
    this.last_ms = 0;
    this.timer = 0;
  }

  async choose(queue) {
    const answer = await this.app.link.ask("get_queue", { name: queue });
    this.definition = JSON.parse(answer.queue.definitionJson);
    this.queue = queue;
    this.middle = middleOf(this.definition);
  }

  add(players) {
    this.owed += players;
    this.start();
  }

  start() {
    if (this.timer || !this.queue) return;
    this.last_ms = performance.now();
    this.timer = setInterval(() => this.turn(), TURN_MS);
  }

  // Nobody new comes; who is here may still leave.
  stop() {
    this.perS = 0;
    this.owed = 0;
  }

  turn() {
    const now_ms = performance.now();
    this.owed += (this.perS * (now_ms - this.last_ms)) / 1000;
    this.last_ms = now_ms;
    const due = Math.min(Math.floor(this.owed), BATCH);
    this.owed -= due;
    if (due > 0) this.come(due);
    this.leave(now_ms);
    if (this.definition.acceptanceRequired) this.accept();
    if (this.perS > 0 || this.owed >= 1 || this.leaving.length > 0) return;
    clearInterval(this.timer);
    this.timer = 0;
  }

  async come(players) {
    const tickets = Array.from({ length: players }, () => ({
      queues: [this.queue],
      players: [{ playerId: `sim-${this.run}-${this.came++}`, ...invent(this.definition, this.middle) }],
    }));
    try {
      const answer = await this.app.link.ask("create_tickets", { tickets });
      const now_ms = performance.now();
      for (const ticketId of answer.ticketIds.filter(Boolean))
        this.leaving.push({ due_ms: now_ms + this.patience_s * 1000 * (0.5 + Math.random()), ticketId });
      this.refused += answer.failures?.length ?? 0;
      this.error = answer.failures?.[0]?.status.message ?? "";
    } catch (refusal) {
      this.refused += players;
      this.error = refusal.message;
    }
    this.onChange();
  }

  // Most are matched by then, and the server says so: that is no error.
  leave(now_ms) {
    const gone = this.leaving.filter((l) => l.due_ms <= now_ms).slice(0, 20);
    this.leaving = this.leaving.filter((l) => !gone.includes(l));
    for (const { ticketId } of gone) this.app.link.ask("cancel_ticket", { ticketId }).catch(() => {});
  }

  async accept() {
    if (this.accepting) return;
    this.accepting = true;
    try {
      const { matches } = await this.app.link.ask("list_matches", { queue: this.queue, pageSize: 50 });
      for (const match of matches.filter((m) => m.state === "MATCH_PROPOSED")) {
        const playerIds = match.teams.flatMap((t) => t.players).filter((p) => p.answer !== "ACCEPTED")
          .map((p) => p.playerId).filter((id) => id.startsWith(`sim-${this.run}-`));
        if (playerIds.length === 0) continue;
        const event = Math.random() < 0.03 ? "decline_match" : "accept_match";
        this.app.link.ask(event, { matchId: match.matchId, playerIds: event === "accept_match" ? playerIds : playerIds.slice(0, 1) })
          .catch(() => {});
      }
    } catch {
      // the connection says what is wrong
    }
    setTimeout(() => (this.accepting = false), 1000);
  }
}

export function playView(app) {
  const crowd = app.crowd ?? (app.crowd = new Crowd(app, () => app.draw()));
  const choose = h("select", { id: "play-queue" });
  const perS = h("input", { id: "play-rate", type: "range", min: 0, max: 100, step: 1, value: crowd.perS });
  const shown = h("output", { for: "play-rate" });
  const patience = h("input", { id: "play-patience", type: "number", min: 1, max: 3600, value: crowd.patience_s });
  const middle = h("input", { id: "play-middle", type: "number", min: 1, max: 1000000 });
  const many = h("input", { id: "play-count", type: "number", min: 1, max: 20000, value: 200 });
  const drawn = charts(), text = h("p", { role: "status" }), trouble = h("p", { class: "trouble" });

  const begin = async (start) => {
    try {
      if (crowd.queue !== choose.value) await crowd.choose(choose.value);
      start();
    } catch (refusal) {
      crowd.error = refusal.message;
    }
    app.draw();
  };
  perS.addEventListener("input", () => begin(() => {
    crowd.perS = Number(perS.value);
    crowd.start();
  }));
  patience.addEventListener("change", () => (crowd.patience_s = Math.max(1, Number(patience.value))));
  middle.addEventListener("change", () => begin(() => (crowd.middle = Math.max(1, Number(middle.value)))));
  choose.addEventListener("change", () => begin(() => {}));
  const submit = (event) => {
    event.preventDefault();
    begin(() => crowd.add(Number(many.value)));
  };
  const stop = () => {
    crowd.stop();
    perS.value = 0;
    app.draw();
  };

  const element = h("div", { class: "view" },
    h("section", { class: "hero" }, h("h1", null, "Play"),
      h("p", null, "Simulated players join, are matched, or lose patience and leave. They live in this page: close it and nobody new comes.")),
    h("section", { class: "panel" }, h("form", { class: "play", onsubmit: submit },
      h("label", { for: "play-queue" }, "Queue"), choose,
      h("label", { for: "play-rate" }, "Players per second"), h("div", { class: "row" }, perS, shown),
      h("label", { for: "play-patience" }, "Patience, seconds"), patience,
      h("label", { for: "play-middle" }, "Skill, about"), middle,
      h("label", { for: "play-count" }, "At once"), h("div", { class: "row" }, many, h("button", null, "Add players"),
        h("button", { type: "button", class: "quiet", onclick: stop }, "Stop"))),
      text, trouble),
    h("div", { class: "charts" }, drawn.map((c) => h("div", { class: "panel" }, c))));
  return {
    title: "Play",
    element,
    update() {
      const names = [...app.store.queues.keys()];
      if (names.join() !== [...choose.options].map((o) => o.value).join()) {
        const wanted = choose.value || crowd.queue;
        choose.replaceChildren(...names.map((name) => h("option", { value: name, selected: name === wanted }, name)));
        begin(() => {});
      }
      const queue = app.store.queues.get(choose.value);
      if (queue) for (const c of drawn) c.update(queue.history);
      if (document.activeElement !== middle && crowd.queue === choose.value) middle.value = crowd.middle;
      setText(shown, String(crowd.perS));
      setText(text, `${plural(crowd.came, "player")} came from here, ${count(Math.ceil(crowd.owed))} about to; ${count(crowd.refused)} refused.`);
      setText(trouble, crowd.error);
    },
  };
}
