// waiting.js - the tickets that wait in a queue, a page at a time; each says why.
import { h, keep, setText } from "./dom.js";
import { skillOf, ticketButton } from "./stream.js";
import { NONE, decimal, duration } from "./words.js";

const PAGE = 15, FRESH_MS = 2000;

function row(app, ticketId) {
  const who = ticketButton(app, ticketId, ""), cells = ["", "", ""].map(() => h("td", { class: "number" }));
  const element = h("tr", null, h("th", { scope: "row" }, who), cells);
  element.update = (ticket, now_ms) => {
    const names = ticket.players.map((p) => p.playerId);
    const skills = ticket.players.map(skillOf).filter((s) => s !== null);
    const mean = skills.length ? decimal(skills.reduce((a, b) => a + b, 0) / skills.length) : NONE;
    setText(who, names.length > 2 ? `${names[0]} and ${names.length - 1} others` : names.join(" and "));
    setText(cells[0], mean);
    setText(cells[1], duration(Math.max(0, now_ms - ticket.createTimeMs)));
    setText(cells[2], ticket.etaP90Ms ? duration(ticket.etaP90Ms) : NONE);
  };
  return element;
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
      const tickets = new Map(answer.tickets.map((t) => [t.ticketId, t]));
      keep(body, [...tickets.keys()], (id) => row(app, id), (tr, id) => tr.update(tickets.get(id), now_ms));
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
  element.refresh = () => {
    if (!token && Date.now() - asked_ms >= FRESH_MS) ask("");
  };
  return element;
}
