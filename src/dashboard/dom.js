// dom.js - elements made of text, never of markup: what players call themselves stays text.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// h("p", { class: "note" }, "text", h("b", null, name)); "onclick" and the like are listeners.
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// Touches the page only where it changes.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

// Makes `parent`'s children those of `keys`, in that order: `make(key)` for a new one, `update(child,
// key)` for each. Children that stay are moved only when they are not where they belong.
export function keep(parent, keys, make, update) {
  const known = parent.keptChildren ?? (parent.keptChildren = new Map());
  const wanted = new Set(keys);
  for (const [key, child] of known)
    if (!wanted.has(key)) {
      child.remove();
      known.delete(key);
    }
  let at = parent.firstElementChild;
  for (const key of keys) {
    let child = known.get(key);
    if (!child) known.set(key, (child = make(key)));
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
    update?.(child, key);
  }
}
