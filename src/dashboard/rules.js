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

// `refresh(version)` asks again when the queue has another version.
export function rulesPanel(app, name) {
  const words = h("ul", { class: "rules" }), about = h("p", { class: "muted" }), source = h("pre", { tabindex: 0 });
  let shown = 0, asking = false;
  const element = h("div", null, about, words,
    h("details", { class: "source" }, h("summary", null, "Definition"), source));
  element.refresh = async (version) => {
    if (!version || version === shown || asking || !app.link?.isOpen) return;
    asking = true;
    try {
      const { queue } = await app.link.ask("get_queue", { name });
      const report = await app.link.ask("validate_ruleset",
        { definitionJson: queue.definitionJson, allowShrinking: true });
      shown = queue.version;
      about.textContent = `Version ${queue.version}, since ${day(queue.updateTimeMs)}`;
      words.replaceChildren(...(report.summary ?? []).map((line) => h("li", null, line)),
        ...(report.notes ?? []).map((note) => h("li", { class: "muted" }, `Note: ${note.message}`)));
      source.textContent = pretty(queue.definitionJson);
    } catch {
      shown = 0; // asked again with the next numbers
    }
    asking = false;
  };
  return element;
}
