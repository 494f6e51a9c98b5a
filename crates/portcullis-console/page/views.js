// The views of the page, of which one is shown.

import { byId } from "./dom.js";

const VIEWS = ["policies", "pipelines", "events", "settings"];
const listeners = new Map();

export function setUp() {
  for (const name of VIEWS) button(name).addEventListener("click", () => choose(name));
}

const button = (name) => byId(`to-${name}`);

/** Calls back when a view is shown. */
export function onShow(name, listener) {
  listeners.set(name, listener);
}

export function choose(name) {
  if (button(name).hidden) return;
  for (const other of VIEWS) {
    button(other).setAttribute("aria-current", other === name ? "page" : "false");
    byId(`view-${other}`).classList.toggle("is-shown", other === name);
  }
  document.documentElement.dataset.view = name;
  listeners.get(name)?.();
}

/** The view of this number, from 1. */
export function chooseNumber(number) {
  const name = VIEWS[number - 1];
  if (name) choose(name);
}
