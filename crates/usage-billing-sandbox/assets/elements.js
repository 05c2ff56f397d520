// Elements of the pages. Nothing is ever written as markup: all strings become text nodes.

export const byId = id => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== "").map(child => child instanceof Node ? child : String(child)));
  return node;
}

export const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
export const code = text => text === null || text === undefined ? "" : el("code", {}, text);

// A region that scrolls sideways by itself, also by keyboard.
export const wide = (label, ...children) => el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, ...children);

// Columns: heading, content of a row, whether it is a number.
export function table(label, columns, rows) {
  const kind = number => number ? { class: "number" } : {};
  return wide(label, el("table", {},
    el("caption", { class: "hidden" }, label),
    el("thead", {}, el("tr", {}, ...columns.map(([title, , number]) => el("th", { scope: "col", ...kind(number) }, title)))),
    el("tbody", {}, ...rows.map(row => el("tr", {}, ...columns.map(([, of, number]) => el("td", kind(number), of(row))))))));
}

export function button(text, action, attributes) {
  const it = el("button", { type: "button", ...attributes }, text);
  it.addEventListener("click", action);
  return it;
}

// Drawn again only when it has changed, so that what a reader selected, opened or scrolled to stays; the focus stays by its label.
const drawn = new Map();
export function draw(place, data, of) {
  const text = JSON.stringify(data);
  if (drawn.get(place) === text) return;
  drawn.set(place, text);
  const left = Array.from(place.querySelectorAll(".wide"), it => it.scrollLeft);
  const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  place.replaceChildren(...[of(data)].flat().filter(child => child !== ""));
  place.querySelectorAll(".wide").forEach((it, at) => { it.scrollLeft = left[at] || 0; });
  if (focused) [...place.querySelectorAll("[aria-label]")].find(it => it.getAttribute("aria-label") === focused)?.focus({ preventScroll: true });
}

export const count = (number, one, many) => number + " " + (number === 1 ? one : many || one + "s");
