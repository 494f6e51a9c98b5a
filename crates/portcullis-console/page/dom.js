// The few things that all other modules do with the document. Text always goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** A new element: attributes by name, `text` for its text, `on` for listeners; then its children. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for the elements of a picture. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, { text, on = {}, ...attributes }, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  for (const [event, listener] of Object.entries(on)) node.addEventListener(event, listener);
  if (text !== undefined) node.textContent = text;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// What each node shows, so that what has not changed is not written: reading it back from the document costs more.
const shown = new WeakMap();

/** Sets a node's text, when it is another. */
export function setText(node, text) {
  if (shown.get(node) === text) return;
  shown.set(node, text);
  node.textContent = text;
}

/** Sets an attribute, when it is another; `null` takes it away. */
export function setAttribute(node, name, value) {
  if (value === null) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, value);
  }
}

/** The mark of a level: a shape of its own, so that nothing hangs on its colour. */
export function glyph(level) {
  const picture = svg("svg", { class: "glyph", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("use"));
  setGlyph(picture, level);
  return picture;
}

export function setGlyph(picture, level) {
  setAttribute(picture, "data-level", level);
  setAttribute(picture.firstChild, "href", `#glyph-${level}`);
}
