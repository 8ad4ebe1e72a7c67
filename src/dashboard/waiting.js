// waiting.js - the tickets that wait in a queue, a page at a time; each says why.
import { h } from "./dom.js";
import { skillOf, ticketButton } from "./stream.js";
import { NONE, decimal, duration } from "./words.js";

const PAGE = 25, FRESH_MS = 2000;

function row(app, ticket, now_ms) {
  const names = ticket.players.map((p) => p.playerId);
  const skills = ticket.players.map(skillOf).filter((s) => s !== null);
  const mean = skills.length ? skills.reduce((a, b) => a + b, 0) / skills.length : null;
  const text = names.length > 2 ? `${names[0]} and ${names.length - 1} others` : names.join(" and ");
  return h("tr", null,
    h("th", { scope: "row" }, ticketButton(app, ticket.ticketId, text)),
    h("td", { class: "number" }, mean === null ? NONE : decimal(mean)),
    h("td", { class: "number" }, duration(Math.max(0, now_ms - ticket.createTimeMs))),
    h("td", { class: "number" }, ticket.etaP90Ms ? duration(ticket.etaP90Ms) : NONE));
}

// `refresh()` is called each second; it asks every other one while the first page is shown.
export function waitingList(app, queue) {
  const body = h("tbody"), none = h("p", { class: "none" }, "Nobody waits.");
  const first = h("button", { type: "button", class: "quiet" }, "Oldest");
  const next = h("button", { type: "button", class: "quiet" }, "Younger");
  let token = "", nextToken = "", asked_ms = 0;

  async function ask(from) {
    asked_ms = Date.now();
    try {
      const answer = await app.link.ask("list_tickets", { queue, pageSize: PAGE, pageToken: from });
      token = from;
      nextToken = answer.nextPageToken ?? "";
      const now_ms = app.store.now?.time_ms ?? Date.now();
      body.replaceChildren(...answer.tickets.map((t) => row(app, t, now_ms)));
      none.hidden = answer.tickets.length > 0;
      first.disabled = !token;
      next.disabled = !nextToken;
    } catch {
      asked_ms = 0; // the connection says what is wrong; ask again with the next numbers
    }
  }

  first.addEventListener("click", () => ask(""));
  next.addEventListener("click", () => ask(nextToken));
  const element = h("div", { class: "waiting" },
    h("table", { class: "grid-table" },
      h("thead", null, h("tr", null, ["Players", "Skill", "Waits for", "Expected at most"].map((n, i) =>
        h("th", { scope: "col", class: i ? "number" : null }, n)))), body),
    none, h("div", { class: "row pager" }, first, next));
  first.disabled = next.disabled = true;
  // Not under the reader's hand: who has the focus in the table keeps his rows.
  element.refresh = () => {
    if (!token && Date.now() - asked_ms >= FRESH_MS && !body.contains(document.activeElement)) ask("");
  };
  return element;
}
