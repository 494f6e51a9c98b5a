// The settings in force: read, changed as a whole, refused with the fields that are wrong.

import { get, put } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { open } from "./dialog.js";
import { soon } from "./poll.js";
import { store } from "./store.js";

const text = byId("settings-text");
const button = byId("settings-save");
let version = null;
let before = "";

export function setUp() {
  byId("settings-reload").addEventListener("click", load);
  byId("settings-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void save();
  });
  text.addEventListener("input", () => { button.disabled = text.value === before; });
}

/** Reads them, unless there is something that was not saved yet. */
export async function show() {
  if (text.value === before) await load();
}

async function load() {
  try {
    const answer = await get("api/config");
    version = answer.version;
    before = text.value = JSON.stringify(answer.settings, null, 2);
    // Where there is nothing more to be saved, the focus cannot stay.
    if (document.activeElement === button) byId("settings-reload").focus();
    button.disabled = true;
    text.readOnly = !store.answer?.writable;
    say("");
  } catch (error) {
    say(error.message);
  }
}

async function save() {
  let settings;
  try {
    settings = JSON.parse(text.value);
  } catch (error) {
    say(`This is not JSON: ${error.message}`);
    return;
  }
  byId("settings-why").textContent = "Either all of it holds from now on, or nothing is changed. Calls go on meanwhile, and policies keep what they have seen.";
  if (await open(byId("settings-confirm")) !== "ok") return;
  try {
    const { changed = [] } = await put("api/config", { settings, version });
    await load();
    say(changed.length > 0 ? `Changed: ${changed.join(", ")}.` : "Nothing was changed: it was so already.");
    soon();
  } catch (error) {
    say(problem(error), error.body?.errors);
  }
}

function problem({ status, message, body }) {
  if (!status) return `What came of it is not known: ${message} Read them again before changing more.`;
  return `Nothing was changed: ${body?.errors ? "these settings cannot be." : message}`;
}

function say(what, errors = []) {
  setText(byId("settings-said"), what);
  byId("settings-errors").replaceChildren(...errors.map(({ field, message }) => el("li", {}, el("code", { text: field ?? "" }), el("span", { text: ` ${message}` }))));
}
