// stream.js - what happens, newest first: matches with their teams, and happenings in words.
import { h, keep, setText } from "./dom.js";
import { clock, count, decimal, duration, plural } from "./words.js";

// An id in a button that says why that ticket waits, or what became of it.
export function ticketButton(app, ticketId, text) {
  return h("button", { type: "button", class: "link", onclick: () => app.explain({ ticketId }) }, text);
}

// The number that a player is known by: "skill", or the first there is.
export function skillOf(player) {
  const attributes = player?.attributes ?? {};
  if (typeof attributes.skill === "number") return attributes.skill;
  return Object.values(attributes).find((value) => typeof value === "number") ?? null;
}

const byPlayer = ({ tickets }) =>
  new Map((tickets ?? []).flatMap((t) => t.players.map((player) => [player.playerId, { player, ticket: t }])));

function member(app, match, known, { playerId, ticketId, role, answer }) {
  const { player, ticket } = known.get(playerId) ?? {};
  const skill = skillOf(player), latency = player?.latenciesMs?.[match.region];
  return h("tr", null,
    h("th", { scope: "row" }, ticketButton(app, ticketId, playerId)),
    h("td", null, [role, answer && answer !== "NOT_ANSWERED" ? answer.toLowerCase() : ""].filter(Boolean).join(", ")),
    h("td", { class: "number" }, skill === null ? "" : decimal(skill)),
    h("td", { class: "number" }, latency === undefined ? "" : `${latency} ms`),
    h("td", { class: "number" }, ticket ? duration(match.createTimeMs - ticket.createTimeMs) : ""));
}

function teamTable(app, match, known, team) {
  const skills = team.players.map((p) => skillOf(known.get(p.playerId)?.player)).filter((s) => s !== null);
  const mean = skills.length ? `mean ${decimal(skills.reduce((a, b) => a + b, 0) / skills.length)}` : "";
  return h("table", { class: "team" },
    h("caption", null, team.name, " ", h("span", { class: "muted" }, mean)),
    h("thead", { class: "hidden" }, h("tr", null, ["Player", "Role", "Skill", "Latency", "Waited"]
      .map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", null, team.players.map((p) => member(app, match, known, p))));
}

const STATES = { MATCH_PROPOSED: "proposed", MATCH_CANCELLED: "cancelled", MATCH_COMPLETED: "over" };

// "1,204 – 1,198" for two, the spread for more.
function sides(match, known) {
  const means = match.teams.map((team) => {
    const skills = team.players.map((p) => skillOf(known.get(p.playerId)?.player)).filter((s) => s !== null);
    return skills.length ? skills.reduce((a, b) => a + b, 0) / skills.length : null;
  });
  if (means.some((m) => m === null)) return `spread ${decimal(match.skillSpread ?? 0)}`;
  return means.length <= 3 ? means.map(decimal).join(" : ") : `${means.length} teams, spread ${decimal(match.skillSpread)}`;
}

// A match that opens to its teams.
export function matchItem(app, shown) {
  const { match } = shown, known = byPlayer(shown);
  const quality = h("meter", { min: 0, max: 100, low: 50, high: 75, optimum: 100, value: match.quality,
    "aria-label": "quality" });
  const teams = h("div", { class: "teams" });
  const element = h("details", { class: "match" },
    h("summary", null,
      h("time", null, clock(match.createTimeMs)),
      h("span", { class: "where" }, match.queue, match.region ? h("span", { class: "chip" }, match.region) : null,
        STATES[match.state] ? h("span", { class: "chip" }, STATES[match.state]) : null),
      h("span", { class: "sides" }, sides(match, known)),
      h("span", { class: "quality" }, quality, h("span", null, match.quality.toFixed(0))),
      h("span", { class: "number" }, duration(match.longestWaitMs))),
    teams);
  element.addEventListener("toggle", () => {
    if (element.open && !teams.firstChild)
      teams.append(
        h("p", { class: "muted" }, [`match ${match.matchId}`, `rules version ${match.queueVersion}`,
          `skill spread ${decimal(match.skillSpread)}`, `team gap ${decimal(match.teamGap)}`,
          match.region ? `latency ${Math.round(match.meanLatencyMs)} ms on average, ${match.worstLatencyMs ?? 0} ms at worst` : "",
        ].filter(Boolean).join(" · ")),
        ...match.teams.map((team) => teamTable(app, match, known, team)));
  });
  return element;
}

// The latest matches, of one queue or all; `update()` shows what has come.
export function matchList(app, { limit, queue }) {
  const list = h("div", { class: "matches" }), none = h("p", { class: "none" });
  const head = h("div", { class: "match-head", "aria-hidden": "true" }, ["Time", "Queue", "Team skill", "Quality",
    "Waited"].map((name) => h("span", null, name)));
  const element = h("div", null, head, list, none);
  element.update = () => {
    const shown = app.store.matches.filter((m) => !queue || m.match.queue === queue).slice(0, limit);
    keep(list, shown, (m) => matchItem(app, m));
    head.hidden = shown.length === 0;
    none.hidden = shown.length > 0;
    setText(none, "No match since this page was opened.");
  };
  return element;
}

const WORDS = {
  ticket_queued: (e) => [e.players === 1 ? "joined" : `joined with ${plural(e.players - 1, "other")}`],
  ticket_updated: () => ["brings other attributes"],
  ticket_returned: () => ["is queued again: others let the match fail"],
  ticket_cancelled: (e) => [`left after ${duration(e.waitMs ?? 0)}`, e.reason],
  ticket_expired: (e) => [`expired after ${duration(e.waitMs ?? 0)}`, e.reason],
  match_proposed: (e) => [`match proposed to ${plural(e.players, "player")}`],
  match_acceptance: (e) => [`match accepted by ${plural(e.players, "player")} so far`],
  match_cancelled: (e) => ["match cancelled", e.reason],
  match_assigned: () => ["match has a server"],
  match_completed: () => ["match is over"],
  queue_updated: (e) => [`rules changed: version ${e.queueVersion}`],
  queue_deleted: () => ["queue deleted"],
  resync: (e) => ["events may have been missed", e.reason],
  api_away: (e) => ["the api does not answer", e.reason],
  api_back: () => ["the api answers again"],
};
const SHAPES = { ORDINARY: "·", UNHAPPY: "▲", OPERATION: "◆" };

// Whose it is: in front of what a ticket did, behind what became of a match.
function names(e) {
  return (e.playerIds ?? []).slice(0, 2).join(", ") + (e.players > 2 ? ` and ${count(e.players - 2)} more` : "");
}

function happeningItem(app, e) {
  const [text, reason] = (WORDS[e.type] ?? (() => [e.type.replaceAll("_", " ")]))(e);
  return h("li", { "data-severity": e.severity ?? "ORDINARY" },
    h("time", null, clock(e.timeMs)),
    h("span", { class: "shape", "aria-hidden": "true" }, SHAPES[e.severity ?? "ORDINARY"]),
    h("span", { class: "what" }, e.ticketId ? ticketButton(app, e.ticketId, names(e) || e.ticketId) : null, " ",
      text, reason ? `: ${reason}` : "", e.matchId && names(e) ? ` (${names(e)})` : "",
      e.queue ? h("span", { class: "muted" }, ` in ${e.queue}`) : null));
}

// The latest happenings; `notable()`: only those that went wrong or were made to happen.
export function happeningList(app, { limit, notable }) {
  const list = h("ol", { class: "happenings" }), none = h("p", { class: "none" });
  const element = h("div", null, list, none);
  element.update = () => {
    const all = notable() ? app.store.notable
      : [...app.store.notable, ...app.store.ordinary].sort((a, b) => b.timeMs - a.timeMs);
    const shown = all.slice(0, limit);
    keep(list, shown, (e) => happeningItem(app, e));
    none.hidden = shown.length > 0;
    setText(none, `${notable() ? "No trouble" : "Nothing"} since this page was opened.`);
  };
  return element;
}
