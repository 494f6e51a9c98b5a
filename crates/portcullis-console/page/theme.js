// Dark, light, or as the system has it.

import { byId, setText } from "./dom.js";

const KEY = "portcullis.theme";
const NEXT = { system: "light", light: "dark", dark: "system" };

export function setUp() {
  show(localStorage.getItem(KEY));
  byId("theme").addEventListener("click", next);
}

/** The next of the three. */
export function next() {
  const theme = NEXT[document.documentElement.dataset.theme] ?? "light";
  localStorage.setItem(KEY, theme);
  show(theme);
}

function show(kept) {
  const theme = kept in NEXT ? kept : "system";
  document.documentElement.dataset.theme = theme;
  setText(byId("theme-word"), theme);
}
