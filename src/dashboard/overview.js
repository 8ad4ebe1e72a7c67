// overview.js - one glance: are players happy, and if not, in which queue.
import { sparkline } from "./chart.js";
import { h, keep, setAttribute, setText } from "./dom.js";
import { badge, headline, sentence } from "./mood.js";
import { ruleWords } from "./fails.js";
import { happeningList, matchList } from "./stream.js";
import { troubled, verdict } from "./store.js";
import { NONE, count, duration, percent, rate } from "./words.js";

const orNone = (value, format) => (value === null || value === undefined ? NONE : format(value));

const TILES = [
  { name: "Waiting", text: (p) => count(p.players), unit: "players", value: (p) => p.players },
  { name: "Arriving", text: (p) => rate(p.arrivals), unit: "tickets/s", value: (p) => p.arrivals },
  { name: "Matches", text: (p) => rate(p.matches), unit: "per second", value: (p) => p.matches },
  { name: "Nine in ten wait", text: (p) => orNone(p.p90, duration), unit: "or less", value: (p) => p.p90 },
  { name: "Quality", text: (p) => orNone(p.quality, (q) => q.toFixed(0)), unit: "of 100", value: (p) => p.quality },
  { name: "Longest wait", text: (p) => (p.queued ? duration(p.oldest_ms) : NONE), unit: "of those waiting",
    value: (p) => p.oldest_ms },
];

function tile(t) {
  const number = h("dd", null, NONE), spark = sparkline(t.value);
  const element = h("div", { class: "tile" }, h("dt", null, t.name), number,
    h("dd", { class: "unit" }, t.unit), spark);
  element.update = (store) => {
    setText(number, store.now ? t.text(store.now) : NONE);
    spark.update(store.history);
  };
  return element;
}

function hero() {
  const title = h("h1"), text = h("p");
  const element = h("section", { class: "hero", "aria-label": "Verdict" }, title, text);
  element.update = (store, state) => {
    const known = store.now && !store.trouble && state === "open";
    const v = known ? verdict(store.now) : { mood: "away" };
    const where = known ? troubled([...store.queues.values()]).map((q) => q.name) : [];
    setAttribute(element, "data-mood", where.length > 0 ? "bad" : v.mood);
    setText(title, headline(v, where));
    setText(text, known ? sentence(store.now, v)
      : store.trouble ? `The server says: ${store.trouble}` : "Waiting for the server.");
  };
  return element;
}

const COLUMNS = [
  { name: "Waiting", text: (p) => count(p.queued), spark: (p) => p.queued },
  { name: "In /s", text: (p) => rate(p.arrivals), spark: (p) => p.arrivals },
  { name: "Matches /s", text: (p) => rate(p.matches), spark: (p) => p.matches },
  { name: "p50", text: (p) => orNone(p.p50, duration) },
  { name: "p90", text: (p) => orNone(p.p90, duration) },
  { name: "p99", text: (p) => orNone(p.p99, duration) },
  { name: "Quality", text: (p) => orNone(p.quality, (q) => q.toFixed(0)) },
  { name: "Oldest", text: (p) => (p.queued ? duration(p.oldest_ms) : NONE) },
  { name: "Matched", text: (p) => orNone(verdict(p).share, percent) },
  { name: "Mostly in the way", text: (p) => (p.rejections[0] ? ruleWords(p.rejections[0].name) : NONE), wide: true },
];

function queueRow(name) {
  const mood = badge();
  const cells = COLUMNS.map((c) => {
    const text = h("span", { class: "value" }), spark = c.spark ? sparkline(c.spark) : null;
    return { ...c, text, read: c.text, spark,
      cell: h("td", { "data-name": c.name, class: spark ? "sparked" : c.wide ? "wide" : null }, text, spark) };
  });
  const element = h("tr", null,
    h("th", { scope: "row" }, h("a", { href: `#/queue/${encodeURIComponent(name)}` }, name)),
    h("td", { "data-name": "Players are", class: "mood-cell" }, mood), cells.map((c) => c.cell));
  element.update = (queue) => {
    mood.update(verdict(queue.now).mood);
    for (const c of cells) {
      setText(c.text, c.read(queue.now));
      c.spark?.update(queue.history);
    }
  };
  return element;
}

function queueTable() {
  const body = h("tbody"), none = h("p", { class: "none" }, "No queues yet."), more = h("p", { class: "none" });
  const element = h("section", { class: "panel" },
    h("h2", null, "Queues"),
    h("table", { class: "queues" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Queue"), h("th", { scope: "col" }, "Players are"),
        COLUMNS.map((c) => h("th", { scope: "col", class: c.wide ? "wide" : null }, c.name)))), body), none, more);
  element.update = (store) => {
    keep(body, [...store.queues.keys()], queueRow, (row, name) => row.update(store.queues.get(name)));
    none.hidden = store.queues.size > 0 || !store.now;
    more.hidden = store.queuesLeftOut === 0;
    setText(more, `${count(store.queuesLeftOut)} more with fewer tickets waiting are not shown.`);
  };
  return element;
}

export function overview(app) {
  const verdictPanel = hero(), tiles = TILES.map(tile), queues = queueTable();
  const matches = matchList(app, { limit: 12 }), happenings = happeningList(app, { limit: 12, notable: () => true });
  const element = h("div", { class: "view" },
    verdictPanel, h("dl", { class: "tiles" }, tiles), queues,
    h("div", { class: "columns" },
      h("section", { class: "panel" }, h("h2", null, "Latest matches"), matches),
      h("section", { class: "panel" }, h("h2", null, "Trouble and changes"), happenings)));
  return {
    title: "Overview",
    element,
    update() {
      verdictPanel.update(app.store, app.state);
      for (const t of tiles) t.update(app.store);
      queues.update(app.store);
      matches.update();
      happenings.update();
    },
  };
}
