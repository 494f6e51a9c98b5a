// The page by keyboard alone.

import { byId } from "./dom.js";
import { anyOpen, open } from "./dialog.js";
import * as theme from "./theme.js";
import * as views from "./views.js";

const MOVES = {
  ArrowRight: "next", ArrowLeft: "previous", ArrowDown: "down", ArrowUp: "up", Home: "first", End: "last",
  l: "next", h: "previous", j: "down", k: "up",
};

export function setUp({ grid, cleared, filterUnwell }) {
  const commands = {
    "/": () => {
      views.choose("policies");
      byId("search").focus();
      byId("search").select();
    },
    "?": help,
    u: filterUnwell,
    d: theme.next,
    1: () => views.chooseNumber(1),
    2: () => views.chooseNumber(2),
    3: () => views.chooseNumber(3),
    4: () => views.chooseNumber(4),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || anyOpen()) return;
    if (isField(event.target)) inField(event, grid, cleared);
    else if (MOVES[event.key]) move(event, grid);
    else if (commands[event.key]) {
      event.preventDefault();
      commands[event.key]();
    }
  });
  byId("help-button").addEventListener("click", help);
}

const help = () => void open(byId("help"));

const isField = (node) => node instanceof Element && node.closest("input, select, textarea") !== null;

/** Esc empties the search first, then leaves it; arrow down goes on to what was found. */
function inField(event, grid, cleared) {
  const search = byId("search");
  if (event.target !== search) return;
  if (event.key === "Escape") {
    event.preventDefault();
    if (search.value === "") search.blur();
    search.value = "";
    cleared();
  } else if (event.key === "ArrowDown" || event.key === "Enter") {
    event.preventDefault();
    grid.move("first");
  }
}

function move(event, grid) {
  if (document.documentElement.dataset.view !== "policies") return;
  const arrow = event.key.length > 1;
  // Elsewhere the arrows scroll, as they always do.
  const inside = byId("cards").contains(event.target) || event.target === document.body;
  if (arrow && !inside) return;
  event.preventDefault();
  grid.move(MOVES[event.key]);
}
