// ticket.js - why a ticket is not matched: in words first, then in numbers, kept fresh while open.
import { h } from "./dom.js";
import { count, decimal, duration, plural } from "./words.js";

const FRESH_MS = 2000;
const STATES = { QUEUED: "waiting", PROPOSED: "asked to accept", MATCHED: "matched", CANCELLED: "cancelled",
  EXPIRED: "expired" };

// An attribute's value as text; players may bring numbers, texts, lists and maps.
export function valueText(value) {
  if (typeof value === "number") return decimal(value);
  if (Array.isArray(value)) return value.map(String).join(", ");
  if (value && typeof value === "object") {
    const map = value.map?.values ?? value;
    return Object.entries(map).map(([key, n]) => `${key} ${valueText(n)}`).join(", ");
  }
  return String(value);
}

function fact(name, ...text) {
  return h("div", null, h("dt", null, name), h("dd", null, ...text));
}

function playerTable(ticket) {
  return h("table", { class: "grid-table" },
    h("thead", null, h("tr", null, ["Player", "Brings", "Latencies"].map((n) => h("th", { scope: "col" }, n)))),
    h("tbody", null, ticket.players.map((p) => h("tr", null,
      h("th", { scope: "row" }, p.playerId),
      h("td", null, Object.entries(p.attributes ?? {}).map(([k, v]) => `${k} ${valueText(v)}`).join(" · ")),
      h("td", null, Object.entries(p.latenciesMs ?? {}).sort((a, b) => a[1] - b[1])
        .map(([region, ms]) => `${region} ${ms} ms`).join(" · "))))));
}

function numberText(n) {
  const then = n.nextInMs ? ` → ${decimal(n.next ?? 0)} in ${duration(n.nextInMs)}` : "";
  return `${n.name} ${decimal(n.now ?? 0)}${then}`;
}

function ruleRow(rule, near) {
  const rejected = rule.rejectedTickets ?? 0;
  const outcome = rule.fails ? "fails" : rule.ofPairs ? `${count(rejected)} of ${count(near)}` : "holds";
  return h("tr", { "data-bad": rule.fails || rejected > 0 },
    h("th", { scope: "row" }, rule.name, " ", h("span", { class: "muted" }, rule.type)),
    h("td", null, (rule.numbers ?? []).map(numberText).join(" · ")),
    h("td", null, outcome, rule.fails && rule.bound !== undefined
      ? h("span", { class: "muted" }, ` ${decimal(rule.measured ?? 0)}, allowed ${decimal(rule.bound)}`) : null),
    h("td", { class: "number" }, rule.rejectedAloneTickets ? count(rule.rejectedAloneTickets) : ""));
}

function ruleTable(q) {
  if (!q.rules?.length) return null;
  return h("table", { class: "grid-table" },
    h("caption", null, `Rules, and how many of the ${plural(q.nearTickets ?? 0, "ticket")} nearest in skill they reject`),
    h("thead", null, h("tr", null, ["Rule", "Now", "Rejects", "Alone"].map((n) => h("th", { scope: "col" }, n)))),
    h("tbody", null, q.rules.map((r) => ruleRow(r, q.nearTickets ?? 0))));
}

function filled(kind, rows) {
  if (!rows?.length) return null;
  return fact(kind, rows.map((r) =>
    `${r.name} ${r.players ?? 0} of ${r.playersMin ?? 0}${r.playersMax > r.playersMin ? `–${r.playersMax}` : ""}`).join(" · "));
}

function expectedWait(q) {
  const most = q.etaP90Ms ? `at most ${duration(q.etaP90Ms)} for nine in ten`
                          : "more than one in ten must leave before a match";
  return `${duration(q.etaP50Ms)}, ${most}`;
}

function queuePart(q) {
  const miss = q.nearestMiss;
  return h("section", null, h("h3", null, `In ${q.queue}`),
    h("dl", { class: "facts" },
      fact("Place", `${count(q.position ?? 0)} of ${count(q.ticketsQueued ?? 0)} by age`),
      fact("Waits for", duration(q.ageMs ?? 0)),
      q.etaP50Ms ? fact("Expected wait", expectedWait(q)) : null,
      fact("Fit", `${count(q.fittingTickets ?? 0)} of ${count(q.nearTickets ?? 0)} near`,
        q.ticketsElsewhere ? `; ${count(q.ticketsElsewhere)} differ in mode or map` : ""),
      fact("Best group", `${plural(q.groupPlayers ?? 0, "player")} of ${count(q.playersMin ?? 0)}`,
        q.missingPlayers ? `; ${count(q.missingPlayers)} missing` : ""),
      q.nextExpansionInMs ? fact("Rules relax", `in ${duration(q.nextExpansionInMs)}`) : null,
      q.anyMatchInMs ? fact("Any legal match", `in ${duration(q.anyMatchInMs)}`) : null,
      miss ? fact("Nearest miss", `${decimal(miss.measured ?? 0)} where ${miss.rule} allows ${decimal(miss.bound ?? 0)}`,
        miss.willBeAdmitted ? `; admitted in ${duration(miss.admittedInMs ?? 0)}` : "") : null,
      filled("Teams", q.teams), filled("Roles", q.roles)),
    ruleTable(q));
}

function answerPart({ ticket, sentences, queues }) {
  return [
    h("ul", { class: "sentences" }, (sentences ?? []).map((s) => h("li", null, s))),
    ...(queues ?? []).map(queuePart),
    h("h3", null, ticket.players.length === 1 ? "Who" : "Party"), playerTable(ticket),
    h("p", { class: "muted" }, `ticket ${ticket.ticketId}${ticket.matchId ? ` · match ${ticket.matchId}` : ""}`),
  ];
}

// Returns explain({ ticketId } or { playerId }): opens the dialog on it.
export function ticketDialog(app, dialog) {
  const title = h("h2", { id: "ticket-title" }), state = h("span", { class: "chip" });
  const body = h("div", { class: "explained" });
  dialog.append(h("header", { class: "row" }, title, state,
    h("form", { method: "dialog" }, h("button", { class: "quiet" }, "Close"))), body);
  let timer = 0, shown = 0;

  async function refresh(key, turn) {
    try {
      const answer = await app.link.ask("explain_ticket", key);
      if (turn !== shown) return;
      const names = answer.ticket.players.map((p) => p.playerId);
      title.textContent = names.length > 2 ? `${names[0]} and ${names.length - 1} others` : names.join(" and ");
      state.textContent = STATES[answer.ticket.state] ?? answer.ticket.state;
      body.replaceChildren(...answerPart(answer));
      if (["QUEUED", "PROPOSED"].includes(answer.ticket.state))
        timer = setTimeout(() => refresh({ ticketId: answer.ticket.ticketId }, turn), FRESH_MS);
    } catch (refusal) {
      if (turn !== shown) return;
      body.prepend(h("p", { class: "trouble", role: "alert" }, refusal.message));
    }
  }

  dialog.addEventListener("close", () => {
    shown++;
    clearTimeout(timer);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return (key) => {
    clearTimeout(timer);
    title.textContent = key.playerId ?? "Ticket";
    state.textContent = "…";
    body.replaceChildren();
    if (!dialog.open) dialog.showModal();
    refresh(key, ++shown);
  };
}
