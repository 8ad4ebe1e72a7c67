// chart.js - lines over time, drawn as SVG: a chart with axes, and a sparkline.
import { h, setAttribute, setText, svg } from "./dom.js";
import { clock, duration } from "./words.js";

const WIDTH = 600, HEIGHT = 160; // of the drawing; it is stretched to its place
const GAP_MS = 5000; // readings farther apart are not joined

// The least of 1, 2, 4, 6 times a power of ten that is not below `n`: its half is round as well.
export function niceCeiling(n) {
  if (!(n > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  for (const step of [1, 2, 4, 6, 10]) if (step * power >= n * 0.999) return step * power;
  return 10 * power;
}

// "M0 10L5 8": through the points that have a value; a gap in time or value lifts the pen.
export function path(points, value, x, y) {
  let text = "", last = null;
  for (const p of points) {
    const v = value(p);
    if (v === null) {
      last = null;
      continue;
    }
    const joined = last !== null && p.time_ms - last <= GAP_MS;
    text += `${joined ? "L" : "M"}${x(p.time_ms).toFixed(1)} ${y(v).toFixed(1)}`;
    last = p.time_ms;
  }
  return text;
}

function area(points, value, x, y, floor) {
  const line = path(points, value, x, y);
  const first = points.find((p) => value(p) !== null), last = points.findLast((p) => value(p) !== null);
  if (!line || (line.match(/M/g) ?? []).length > 1) return "";
  return `${line}L${x(last.time_ms).toFixed(1)} ${floor}L${x(first.time_ms).toFixed(1)} ${floor}Z`;
}

// Of the time shown: as much as there is, from a minute to `span_s`.
function since(points, span_s) {
  const end = points.at(-1)?.time_ms ?? 0, age_s = (end - (points[0]?.time_ms ?? 0)) / 1000;
  return { end, shown_s: Math.max(60, Math.min(span_s, age_s)) };
}

// A small line without axes: `update(points)` draws the last two minutes.
export function sparkline(value, span_s = 120) {
  const line = svg("path", { class: "line" }), below = svg("path", { class: "area" });
  const element = svg("svg", { class: "spark", viewBox: "0 0 100 24", preserveAspectRatio: "none",
    "aria-hidden": "true" }, below, line);
  element.update = (all) => {
    const { end, shown_s } = since(all, span_s);
    const points = all.filter((p) => end - p.time_ms <= shown_s * 1000);
    const top = Math.max(1, ...points.map((p) => value(p) ?? 0));
    const x = (t) => 100 - ((end - t) / (shown_s * 1000)) * 100;
    const y = (v) => 22.5 - (v / top) * 21;
    setAttribute(line, "d", path(points, value, x, y));
    setAttribute(below, "d", area(points, value, x, y, 24));
  };
  return element;
}

// `series`: [{ name, value(point) -> number or null, style: "a" | "b" | "c", fill }];
// `format`: a value as text; `least`: the lowest top of the axis; `top`: where it is fixed.
// `update(points)` draws them.
export function chart({ title, series, format, span_s, least = 1, top }) {
  const grid = svg("path", { class: "grid", d: `M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}` });
  const cursor = svg("path", { class: "cursor" });
  const lines = series.map((s) => ({
    ...s,
    line: svg("path", { class: `line ${s.style}` }),
    area: s.fill ? svg("path", { class: `area ${s.style}` }) : null,
    shown: h("b", null, "–"),
  }));
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    grid, lines.map((l) => l.area), lines.map((l) => l.line), cursor);
  const high = h("span"), middle = h("span"), low = h("span", null, format(0));
  const when = h("span", { class: "when" }), ago = h("span");
  const element = h("figure", { class: "chart" },
    h("figcaption", null, h("span", { class: "title" }, title), when,
      h("span", { class: "legend" }, lines.map((l) =>
        h("span", { class: `key ${l.style}` }, l.name, " ", l.shown)))),
    h("div", { class: "plot" },
      h("div", { class: "axis", "aria-hidden": "true" }, high, middle, low), drawing),
    h("div", { class: "times", "aria-hidden": "true" },
      ago, h("span", null, "now")));

  let points = [], at = null, shown_s = span_s;
  const show = () => {
    const p = at ?? points.at(-1);
    for (const l of lines) {
      const v = p ? l.value(p) : null;
      setText(l.shown, v === null ? "–" : format(v));
    }
    setText(when, at ? clock(at.time_ms) : "");
  };
  const x = (t) => WIDTH - (((points.at(-1)?.time_ms ?? 0) - t) / (shown_s * 1000)) * WIDTH;
  const point = (event) => {
    const box = drawing.getBoundingClientRect();
    const wanted = ((event.clientX - box.left) / box.width) * WIDTH;
    const near = (p) => Math.abs(x(p.time_ms) - wanted);
    at = points.reduce((best, p) => (best && near(best) <= near(p) ? best : p), null);
    setAttribute(cursor, "d", at ? `M${x(at.time_ms).toFixed(1)} 0V${HEIGHT}` : "");
    show();
  };
  const leave = () => {
    at = null;
    setAttribute(cursor, "d", "");
    show();
  };
  drawing.addEventListener("pointermove", point);
  drawing.addEventListener("pointerleave", leave);

  element.update = (all) => {
    const span = since(all, span_s);
    shown_s = span.shown_s;
    points = all.filter((p) => span.end - p.time_ms <= shown_s * 1000);
    const most = Math.max(0, ...lines.flatMap((l) => points.map((p) => l.value(p) ?? 0)));
    const ceiling = top ?? niceCeiling(Math.max(most, least));
    const y = (v) => HEIGHT - (Math.min(v, ceiling) / ceiling) * HEIGHT;
    for (const l of lines) {
      setAttribute(l.line, "d", path(points, l.value, x, y));
      if (l.area) setAttribute(l.area, "d", area(points, l.value, x, y, HEIGHT));
    }
    setText(high, format(ceiling));
    setText(middle, format(ceiling / 2));
    setText(ago, `${duration(shown_s * 1000)} ago`);
    if (at) setAttribute(cursor, "d", `M${x(at.time_ms).toFixed(1)} 0V${HEIGHT}`);
    show();
    setAttribute(drawing, "aria-label", `${title}, last ${duration(shown_s * 1000)}; now ${lines
      .map((l) => `${l.name} ${l.shown.textContent}`).join(", ")}`);
  };
  return element;
}
