// rules.js - a queue's rules in words, as the server reads them, and the definition behind them.
import { h } from "./dom.js";
import { day } from "./words.js";

function pretty(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

// One version: who put it, why, and what it changed.
function versionItem({ queue, changes, changesLeftOut }) {
  const by = [queue.author ? `by ${queue.author}` : "", queue.comment].filter(Boolean).join(": ");
  return h("li", null,
    h("p", null, h("b", null, `Version ${queue.version}`), h("span", { class: "muted" }, ` ${day(queue.updateTimeMs)} ${by}`)),
    h("ul", null, (changes ?? []).map((line) => h("li", null, line)),
      changesLeftOut ? h("li", { class: "muted" }, `and ${changesLeftOut} more changes`) : null));
}

// `refresh(version)` asks again when the queue has another version.
export function rulesPanel(app, name) {
  const words = h("ul", { class: "rules" }), about = h("p", { class: "muted" }), source = h("pre", { tabindex: 0 });
  const versions = h("ol", { class: "versions" });
  let shown = 0, asking = false;
  const element = h("div", null, about, words,
    h("h3", null, "Versions"), versions,
    h("details", { class: "source" }, h("summary", null, "Definition"), source));
  element.refresh = async (version) => {
    if (!version || version === shown || asking || !app.link?.isOpen) return;
    asking = true;
    try {
      const { queue } = await app.link.ask("get_queue", { name });
      const report = await app.link.ask("validate_ruleset",
        { definitionJson: queue.definitionJson, allowShrinking: true });
      const history = await app.link.ask("list_queue_versions", { name });
      shown = queue.version;
      about.textContent = `Version ${queue.version}, since ${day(queue.updateTimeMs)}`;
      words.replaceChildren(...(report.summary ?? []).map((line) => h("li", null, line)),
        ...(report.notes ?? []).map((note) => h("li", { class: "muted" }, `Note: ${note.message}`)));
      versions.replaceChildren(...history.versions.map(versionItem));
      source.textContent = pretty(queue.definitionJson);
    } catch {
      shown = 0; // asked again with the next numbers
    }
    asking = false;
  };
  return element;
}
