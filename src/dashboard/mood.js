// mood.js - the verdict in words, a shape and a colour, never in colour alone.
import { h, setAttribute, setText } from "./dom.js";
import { duration, percent, plural } from "./words.js";

const SHAPES = { good: "●", fair: "▲", bad: "■", quiet: "○", away: "✕" };
const WORDS = { good: "happy", fair: "waiting", bad: "unhappy", quiet: "quiet", away: "no data" };

// A small badge: a shape and a word.
export function badge() {
  const shape = h("span", { class: "shape", "aria-hidden": "true" }), word = h("span");
  const element = h("span", { class: "mood" }, shape, word);
  element.update = (mood) => {
    setAttribute(element, "data-mood", mood);
    setText(shape, SHAPES[mood]);
    setText(word, WORDS[mood]);
  };
  return element;
}

const HEADLINES = { good: "Players are happy", fair: "Some players leave without a match", bad: "Players are not happy",
  quiet: "All quiet", away: "No numbers" };

// `queues`: names of those in trouble.
export function headline(verdict, queues = []) {
  if (queues.length > 0)
    return `Players are not happy in ${queues.length <= 2 ? queues.join(" and ") : `${queues.length} queues`}`;
  return verdict.stuck && verdict.left === 0 ? "Players wait, and nobody is matched" : HEADLINES[verdict.mood];
}

// One sentence about those who left the queues lately.
export function sentence(point, verdict) {
  const m = point.minute;
  if (verdict.left === 0)
    return point.queued > 0
      ? `Nobody has left a queue in the last minute; the longest wait is ${duration(point.oldest_ms)}.`
      : "Nobody is waiting, and nobody has left a queue in the last minute.";
  const since = point.young ? "since the matcher took over" : "in the last minute";
  const others = [];
  if (m.cancelled) others.push(`${plural(m.cancelled, "ticket")} left`);
  if (m.expired) others.push(`${plural(m.expired, "ticket")} expired`);
  const waits = point.p50 === null ? "" : `, half of them within ${duration(point.p50)}`;
  return `${percent(verdict.share)} of ${plural(verdict.left, "ticket")} that ended ${since} got a match` +
    `${waits}${others.length ? `; ${others.join(", ")}` : ""}.`;
}
