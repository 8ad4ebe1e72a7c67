// main.js - connects, keeps the numbers, shows the view that the address names.
import { h, keep, setAttribute, setText } from "./dom.js";
import { Link } from "./link.js";
import { overview } from "./overview.js";
import { playView } from "./play.js";
import { queueView } from "./queue.js";
import { Store } from "./store.js";
import { happeningList, matchList } from "./stream.js";
import { ticketDialog } from "./ticket.js";

const TOKEN = "muster-admin-token"; // in the tab's storage: gone with the tab

const app = {
  store: new Store(),
  settings: {},
  state: "connecting", // Link's
  link: null,
  explain() {}, // opens the dialog of a ticket
  draw, // soon
};

// --- Views -------------------------------------------------------------------------------------

const NAV = [
  { path: "#/", name: "Overview" },
  { path: "#/matches", name: "Matches" },
  { path: "#/log", name: "Log" },
  { path: "#/play", name: "Play", needs: () => app.settings.play },
];
let view = null, drawing = 0;

// A view of one long list.
function listView(title, list, ...above) {
  const element = h("div", { class: "view" }, h("section", { class: "panel" }, h("h1", { class: "title" }, title), ...above, list));
  return { title, element, update: list.update };
}

function logView() {
  const unhappy = h("input", { type: "checkbox", id: "unhappy" });
  const list = happeningList(app, { limit: 100, notable: () => unhappy.checked });
  unhappy.addEventListener("change", draw);
  return listView("Log", list, h("p", { class: "row" }, unhappy, h("label", { for: "unhappy" }, "Only what went wrong or was changed")));
}

function viewOf(path) {
  if (path === "#/matches") return listView("Matches", matchList(app, { limit: 100 }));
  if (path === "#/log") return logView();
  if (path === "#/play" && app.settings.play) return playView(app);
  const queue = /^#\/queue\/(.+)$/.exec(path);
  if (queue) return queueView(app, decodeURIComponent(queue[1]));
  return overview(app);
}

function showNav(path) {
  keep(document.getElementById("nav"), NAV.filter((n) => !n.needs || n.needs()).map((n) => n.path),
    (to) => h("a", { href: to }, NAV.find((n) => n.path === to).name),
    (link, to) => {
      if (to === path) setAttribute(link, "aria-current", "page");
      else link.removeAttribute("aria-current");
    });
}

function put(next) {
  view?.close?.();
  view = next;
  document.getElementById("main").replaceChildren(view.element);
  document.title = `${view.title} · Muster`;
  view.update();
}

function show() {
  document.getElementById("ticket").close();
  const path = location.hash || "#/";
  showNav(path);
  put(viewOf(path));
}

// What came since the last frame is drawn once; nothing while nobody sees the page.
function draw() {
  drawing ||= requestAnimationFrame(() => {
    drawing = 0;
    setText(document.getElementById("realm"), app.store.realm);
    view?.update();
  });
}

// --- Connection --------------------------------------------------------------------------------

const STATES = { connecting: "Connecting", open: "Live", away: "Away", refused: "Refused" };

// Shown in place of a view while the server does not let us in.
function gate(message) {
  const input = h("input", { id: "token", type: "password", autocomplete: "off", maxlength: 64, required: true });
  const enter = (event) => {
    event.preventDefault();
    sessionStorage.setItem(TOKEN, input.value);
    app.link.open();
  };
  const element = h("div", { class: "view" }, h("section", { class: "hero", "data-mood": "away" },
    h("h1", null, "Not let in"), h("p", null, message),
    app.settings.needsToken
      ? h("form", { class: "token", onsubmit: enter }, h("label", { for: "token" }, "Admin token"), input,
          h("button", null, "Open"))
      : null));
  return { title: "Not let in", element, isGate: true, update() {} };
}

function onState(state, text) {
  app.state = state;
  const shown = document.getElementById("connection");
  setText(shown, STATES[state]);
  setAttribute(shown, "data-state", state);
  shown.title = text;
  if (state === "refused") put(gate(text));
  else if (state === "open" && view.isGate) show();
  else draw();
}

function onEvent(name, payload) {
  if (name === "stats") app.store.takeStats(payload);
  if (name === "match") app.store.takeMatch(payload);
  if (name === "happening") app.store.takeHappening(payload);
  draw();
}

async function settings() {
  for (;;) {
    try {
      return await (await fetch("/dashboard.json")).json();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

// Ids of tickets are 26 characters of Crockford's base 32.
function find(event) {
  event.preventDefault();
  const key = new FormData(event.target).get("key").trim();
  event.target.reset();
  if (key) app.explain(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(key) ? { ticketId: key } : { playerId: key });
}

async function main() {
  app.explain = ticketDialog(app, document.getElementById("ticket"));
  document.getElementById("find").addEventListener("submit", find);
  show();
  addEventListener("hashchange", show);
  app.settings = await settings();
  show();
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  app.link = new Link({
    url: `${scheme}://${location.host}${app.settings.socketioPath}?EIO=4&transport=websocket`,
    namespace: "/admin",
    auth: () => {
      const token = sessionStorage.getItem(TOKEN);
      return token ? { token } : {};
    },
    onEvent,
    onState,
  });
  app.link.open();
}

main();
