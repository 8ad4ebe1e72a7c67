// words.js - numbers as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 1, notation: "compact" });

export const NONE = "–";

export function count(n) {
  return n < 100000 ? whole.format(n) : short.format(n);
}

// Of something a second.
export function rate(n) {
  return n > 0 && n < 9.95 ? n.toFixed(1) : count(Math.round(n));
}

export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return `${(s / 3600).toFixed(1)} h`;
}

// A share of 0..1; all but exactly everything is not "100".
export function percent(share) {
  const p = share * 100;
  const text = p > 0 && p < 1 ? "<1" : p > 99 && p < 100 ? ">99" : String(Math.round(p));
  return `${text} %`;
}

export function decimal(n) {
  return Number.isInteger(n) ? whole.format(n) : n.toFixed(Math.abs(n) < 10 ? 1 : 0);
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString("en-GB");
}

export function day(ms) {
  return new Date(ms).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}
