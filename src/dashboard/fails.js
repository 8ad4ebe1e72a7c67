// fails.js - where tickets fail: which rule stands in the way of a match, and how often.
import { h, keep, setAttribute, setText } from "./dom.js";
import { percent } from "./words.js";

// What is no rule of the queue's own, in words.
const WORDS = {
  "muster.patience": "waits for a better match",
  "muster.players": "too few players",
  "muster.roles": "a role is missing",
  "muster.avoid": "players avoid each other",
};

export function ruleWords(name) {
  return WORDS[name] ?? name;
}

function row(name) {
  const bar = h("span", { class: "bar" }), share = h("span", { class: "number" });
  const element = h("li", null, h("span", { class: "name" }, ruleWords(name)), h("span", { class: "track" }, bar), share);
  element.update = (part) => {
    const width = `${(part * 100).toFixed(1)}%`;
    if (bar.style.width !== width) bar.style.width = width;
    setText(share, percent(part));
  };
  return element;
}

// `update(point)`: shares of the searches of the last minute that found nothing.
export function failList() {
  const list = h("ol", { class: "fails" }), none = h("p", { class: "none" });
  const element = h("div", null, list, none);
  element.update = (point) => {
    const rows = point?.rejections ?? [], sum = rows.reduce((n, r) => n + r.count, 0);
    const counts = new Map(rows.map((r) => [r.name, r.count]));
    keep(list, [...counts.keys()], row, (item, name) => item.update(counts.get(name) / sum));
    none.hidden = rows.length > 0;
    setText(none, "No search has found anything in its way.");
    setAttribute(list, "aria-label", "Share of the searches that found no match, by what was in the way");
  };
  return element;
}
