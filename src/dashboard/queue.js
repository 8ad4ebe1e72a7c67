// queue.js - one queue: its lines over time, where tickets fail, who waits longest, its rules.
import { chart } from "./chart.js";
import { h, setAttribute, setText } from "./dom.js";
import { HEADLINES, badge, sentence } from "./mood.js";
import { matchList } from "./stream.js";
import { rulesPanel } from "./rules.js";
import { HISTORY_S, verdict } from "./store.js";
import { waitingList } from "./waiting.js";
import { count, duration, rate } from "./words.js";

function charts() {
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

export function queueView(app, name) {
  const mood = badge(), title = h("h1", null, name), text = h("p");
  const rules = rulesPanel(app, name), waiting = waitingList(app, name);
  const drawn = charts(), matches = matchList(app, { limit: 20, queue: name });
  const missing = h("p", { class: "none", hidden: true }, "There is no such queue.");
  const hero = h("section", { class: "hero" }, h("div", { class: "row" }, title, mood), text, missing);
  const element = h("div", { class: "view" }, hero,
    h("div", { class: "charts" }, drawn.map((c) => h("div", { class: "panel" }, c))),
    h("div", { class: "columns" },
      h("section", { class: "panel" }, h("h2", null, "Waiting, and why"), waiting),
      h("section", { class: "panel" }, h("h2", null, "Rules"), rules)),
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
      setText(text, known ? sentence(queue.now, v) : HEADLINES.away);
      if (queue) for (const c of drawn) c.update(queue.history);
      matches.update();
      if (known) {
        waiting.refresh();
        rules.refresh(queue.version);
      }
    },
  };
}
