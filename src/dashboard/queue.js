// queue.js - one queue: its lines over time, where tickets fail, who waits longest, its rules.
import { chart } from "./chart.js";
import { h, setAttribute, setText } from "./dom.js";
import { failList } from "./fails.js";
import { badge, headline, sentence } from "./mood.js";
import { matchList } from "./stream.js";
import { rulesPanel } from "./rules.js";
import { HISTORY_S, verdict } from "./store.js";
import { waitingList } from "./waiting.js";
import { NONE, count, duration, percent, rate } from "./words.js";

// The lines of one queue.
export function charts() {
  const span_s = HISTORY_S;
  return [
    chart({ title: "Waiting", span_s, format: count, least: 4, series: [
      { name: "tickets", value: (p) => p.queued, style: "a", fill: true },
      { name: "asked to accept", value: (p) => p.proposed, style: "b" }] }),
    chart({ title: "Tickets per second", span_s, format: rate, series: [
      { name: "arriving", value: (p) => p.arrivals, style: "a" },
      { name: "matched", value: (p) => p.matchedRate, style: "b" }] }),
    chart({ title: "Wait until matched, of the last minute", span_s, format: duration, least: 100, series: [
      { name: "p50", value: (p) => p.p50, style: "a" },
      { name: "p90", value: (p) => p.p90, style: "b" },
      { name: "p99", value: (p) => p.p99, style: "c" }] }),
    chart({ title: "Quality, of the last minute", span_s, top: 100, format: (q) => q.toFixed(0), series: [
      { name: "mean", value: (p) => p.quality, style: "a" }] }),
  ];
}

// What the matcher has counted since it took over.
const FACTS = [
  { name: "Tickets matched", text: (s) => count(Number(s.ticketsMatchedTotal ?? 0)) },
  { name: "Left, expired", text: (s) => `${count(Number(s.ticketsCancelledTotal ?? 0))}, ${count(Number(s.ticketsExpiredTotal ?? 0))}` },
  { name: "Matches", text: (s) => count(Number(s.matchesTotal ?? 0)) },
  { name: "Waits p50, p90, p99", text: (s) => s.waitP50Ms ? [s.waitP50Ms, s.waitP90Ms, s.waitP99Ms].map(duration).join(", ") : NONE },
  { name: "Mean quality", text: (s) => (s.matchesTotal ? (s.qualityMean ?? 0).toFixed(0) : NONE) },
  { name: "Waits promised, and kept", text: (s) => s.etaToldTotal ? percent(Number(s.etaKeptTotal ?? 0) / Number(s.etaToldTotal)) : NONE },
  { name: "Who joins now waits", text: (s) => s.eta?.p90Ms ? `${duration(s.eta.p50Ms ?? 0)}, at most ${duration(s.eta.p90Ms)}` : NONE },
  { name: "Proposals, failed", text: (s) => s.proposalsTotal ? `${count(Number(s.proposalsTotal))}, ${count(Number(s.proposalsFailedTotal ?? 0))}` : NONE },
];

function factList() {
  const rows = FACTS.map((f) => ({ ...f, shown: h("dd", null, NONE) }));
  const element = h("dl", { class: "facts" }, rows.map((r) => h("div", null, h("dt", null, r.name), r.shown)));
  element.update = (stats) => {
    for (const r of rows) setText(r.shown, stats ? r.text(stats) : NONE);
  };
  return element;
}

export function queueView(app, name) {
  const mood = badge(), title = h("h1", null, name), text = h("p");
  const rules = rulesPanel(app, name), waiting = waitingList(app, name), fails = failList(), facts = factList();
  const drawn = charts(), matches = matchList(app, { limit: 20, queue: name });
  const missing = h("p", { class: "none", hidden: true }, "There is no such queue.");
  const hero = h("section", { class: "hero" }, h("div", { class: "row" }, title, mood), text, missing);
  const element = h("div", { class: "view" }, hero,
    h("div", { class: "charts" }, drawn.map((c) => h("div", { class: "panel" }, c))),
    h("div", { class: "columns" },
      h("div", { class: "stack" },
        h("section", { class: "panel" }, h("h2", null, "In the way of a match, in the last minute"), fails),
        h("section", { class: "panel" }, h("h2", null, "Waiting, and why"), waiting)),
      h("div", { class: "stack" },
        h("section", { class: "panel" }, h("h2", null, "Rules"), rules),
        h("section", { class: "panel" }, h("h2", null, "Since the matcher took over"), facts))),
    h("section", { class: "panel" }, h("h2", null, "Latest matches"), matches));
  return {
    title: name,
    element,
    update() {
      const queue = app.store.queues.get(name);
      missing.hidden = Boolean(queue) || !app.store.now;
      const known = queue && app.state === "open" && !app.store.trouble;
      const v = known ? verdict(queue.now) : { mood: "away" };
      mood.update(v.mood);
      setAttribute(hero, "data-mood", v.mood);
      setText(text, known ? sentence(queue.now, v) : headline(v));
      if (queue) for (const c of drawn) c.update(queue.history);
      fails.update(queue?.now);
      facts.update(queue?.stats);
      matches.update();
      if (known) {
        waiting.refresh();
        rules.refresh(queue.version);
      }
    },
  };
}
