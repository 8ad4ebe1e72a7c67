// store.js - what each second's numbers become: rates, the last minute, and a verdict.
//
// The server tells totals; what happened in a window is the difference of two of them. When totals
// fall another matcher has taken over, and windows begin anew.

export const HISTORY_S = 600;
const WINDOW_MS = 60000; // what "now" means
const RATE_MS = 5000; // what a rate is taken over
const STUCK_MS = 10000; // a wait that is worth a word when nobody is matched
const CROWD = 20; // tickets that should find each other
const YOUNG_MS = 10000; // a window that is shorter tells too little: all there is counts instead

// `counts`: { upper edge in ms: players }, whose keys an object has in ascending order.
// The wait that `fraction` of the counted players did not exceed; null when nobody is counted.
export function quantile_ms(counts, fraction) {
  const rows = Object.entries(counts), total = rows.reduce((sum, [, n]) => sum + n, 0);
  if (total === 0) return null;
  const wanted = Math.max(1, Math.ceil(fraction * total));
  let seen = 0;
  return Number(rows.find(([, n]) => (seen += n) >= wanted)[0]);
}

const number = (value) => (value === undefined ? 0 : Number(value));

// One second of a queue, from a GetQueueStatsResponse in JSON: defaults are left out there.
export function reading(stats, time_ms) {
  return {
    time_ms,
    queued: number(stats.ticketsQueued),
    proposed: number(stats.ticketsProposed),
    players: number(stats.playersQueued),
    created: number(stats.ticketsCreatedTotal),
    matched: number(stats.ticketsMatchedTotal),
    cancelled: number(stats.ticketsCancelledTotal),
    expired: number(stats.ticketsExpiredTotal),
    matches: number(stats.matchesTotal),
    qualitySum: number(stats.qualityMean) * number(stats.matchesTotal),
    oldest_ms: number(stats.oldestWaitMs),
    rejections: Object.fromEntries((stats.rejections ?? []).map((r) => [r.name, number(r.count)])),
    waits: Object.fromEntries((stats.waits ?? []).map((w) => [w.upToMs, number(w.players)])),
  };
}

function subtract(now, then) {
  return Object.fromEntries(Object.entries(now).map(([edge, n]) => [edge, n - (then[edge] ?? 0)]));
}

// The latest reading that is at least `age_ms` older than `now`, or the oldest there is.
function before(readings, now, age_ms) {
  let at = readings.length - 1;
  while (at > 0 && now.time_ms - readings[at].time_ms < age_ms) at--;
  return readings[at];
}

const NOTHING = reading({}, 0);

// Why searches found nothing, the most frequent first: [{ name, count }]. The counts begin anew with
// each version of the rules: then all of them are new.
function rejected(now, then) {
  const anew = Object.entries(then.rejections).some(([name, n]) => (now.rejections[name] ?? n) < n);
  return Object.entries(now.rejections)
    .map(([name, n]) => ({ name, count: n - (anew ? 0 : then.rejections[name] ?? 0) }))
    .filter((r) => r.count > 0)
    .sort((a, b) => b.count - a.count);
}

// Of what is past only the lines are kept.
function remember(history, point) {
  const last = history.at(-1);
  if (last) last.waits = last.rejections = last.minute = null;
  history.push(point);
  while (history[0].time_ms < point.time_ms - HISTORY_S * 1000) history.shift();
}

export class Queue {
  constructor(name) {
    this.name = name;
    this.version = 0;
    this.readings = []; // of the last minute
    this.history = []; // of HISTORY_S: what charts draw
    this.now = null; // the latest point of history
  }

  take(stats, time_ms) {
    const r = reading(stats, time_ms);
    const last = this.readings.at(-1);
    if (last && (r.created < last.created || r.matched < last.matched)) this.readings = [];
    this.version = number(stats.version);
    this.stats = stats;
    this.readings.push(r);
    while (this.readings.length > 2 && r.time_ms - this.readings[1].time_ms >= WINDOW_MS)
      this.readings.shift();
    this.now = this.#point(r);
    remember(this.history, this.now);
  }

  #point(r) {
    const recent = before(this.readings, r, RATE_MS);
    const young = r.time_ms - this.readings[0].time_ms < YOUNG_MS;
    const minute = young ? NOTHING : this.readings[0];
    const s = Math.max((r.time_ms - recent.time_ms) / 1000, 1);
    const waits = subtract(r.waits, minute.waits);
    const matches = r.matches - minute.matches;
    return {
      time_ms: r.time_ms,
      young,
      queued: r.queued,
      proposed: r.proposed,
      players: r.players,
      oldest_ms: r.oldest_ms,
      arrivals: (r.created - recent.created) / s,
      matchedRate: (r.matched - recent.matched) / s,
      matches: (r.matches - recent.matches) / s,
      p50: quantile_ms(waits, 0.5),
      p90: quantile_ms(waits, 0.9),
      p99: quantile_ms(waits, 0.99),
      waits,
      rejections: rejected(r, minute),
      quality: matches > 0 ? (r.qualitySum - minute.qualitySum) / matches : null,
      minute: {
        created: r.created - minute.created,
        matched: r.matched - minute.matched,
        cancelled: r.cancelled - minute.cancelled,
        expired: r.expired - minute.expired,
        matches,
        qualitySum: r.qualitySum - minute.qualitySum,
      },
    };
  }
}

const SUMS = ["queued", "proposed", "players", "arrivals", "matchedRate", "matches"];

// One point for all queues together.
export function together(points, time_ms) {
  const sum = { time_ms, young: points.some((p) => p.young), oldest_ms: 0, waits: {}, minute: {} };
  for (const key of SUMS) sum[key] = 0;
  for (const p of points) {
    for (const key of SUMS) sum[key] += p[key];
    sum.oldest_ms = Math.max(sum.oldest_ms, p.oldest_ms);
    for (const [edge, n] of Object.entries(p.waits)) sum.waits[edge] = (sum.waits[edge] ?? 0) + n;
    for (const [key, n] of Object.entries(p.minute)) sum.minute[key] = (sum.minute[key] ?? 0) + n;
  }
  sum.p50 = quantile_ms(sum.waits, 0.5);
  sum.p90 = quantile_ms(sum.waits, 0.9);
  sum.p99 = quantile_ms(sum.waits, 0.99);
  sum.quality = sum.minute.matches > 0 ? sum.minute.qualitySum / sum.minute.matches : null;
  return sum;
}

// Whether players are happy: of those who left the queue within the last minute, how many with a
// match; where nobody left, how long those who are there have waited. `mood` is "quiet", "good",
// "fair" or "bad"; `stuck`: players wait and nobody is matched.
export function verdict(point) {
  const m = point.minute;
  const left = (m.matched ?? 0) + (m.cancelled ?? 0) + (m.expired ?? 0);
  const share = left > 0 ? m.matched / left : null;
  const stuck = point.queued > 0 && !m.matched && point.oldest_ms >= STUCK_MS;
  if (left === 0 && !stuck) return { mood: "quiet", share, left, stuck };
  if (left === 0) return { mood: point.queued >= CROWD ? "bad" : "fair", share, left, stuck };
  return { mood: share >= 0.95 ? "good" : share >= 0.8 ? "fair" : "bad", share, left, stuck };
}

// The queues where players are not happy, the fullest first.
export function troubled(queues) {
  return queues.filter((q) => verdict(q.now).mood === "bad").sort((a, b) => b.now.players - a.now.players);
}

const KEPT = 100; // of matches, and of each kind of happenings

export class Store {
  constructor() {
    this.matches = []; // AdminMatch, newest first
    this.ordinary = []; // happenings, newest first
    this.notable = []; // those that went wrong, or that somebody made happen
    this.leftOut = 0;
    this.queues = new Map();
    this.history = []; // of all queues together
    this.now = null;
    this.trouble = "";
    this.realm = "";
    this.playersConnected = 0;
    this.queuesLeftOut = 0;
  }

  // An AdminStats in JSON.
  takeStats(stats) {
    const time_ms = number(stats.timeMs);
    this.realm = stats.realm ?? "";
    this.trouble = stats.trouble ?? "";
    this.playersConnected = number(stats.playersConnected);
    this.queuesLeftOut = number(stats.queuesLeftOut);
    this.leftOut = number(stats.leftOutTotal);
    if (this.trouble) return;
    const seen = new Set();
    for (const s of stats.queues ?? []) {
      seen.add(s.name);
      if (!this.queues.has(s.name)) this.queues.set(s.name, new Queue(s.name));
      this.queues.get(s.name).take(s, time_ms);
    }
    for (const name of this.queues.keys()) if (!seen.has(name)) this.queues.delete(name);
    this.now = together([...this.queues.values()].map((q) => q.now), time_ms);
    remember(this.history, this.now);
  }

  takeMatch(match) {
    this.matches.unshift(match);
    if (this.matches.length > KEPT) this.matches.pop();
  }

  takeHappening(happening) {
    const list = (happening.severity ?? "ORDINARY") === "ORDINARY" ? this.ordinary : this.notable;
    list.unshift(happening);
    if (list.length > KEPT) list.pop();
  }
}
