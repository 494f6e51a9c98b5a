// The token: asked for when the service wants one, and kept for this tab only.

import { byId } from "./dom.js";
import { open } from "./dialog.js";

const KEY = "portcullis.token";
let asking = null;

export const token = () => sessionStorage.getItem(KEY);

export function forget() {
  sessionStorage.removeItem(KEY);
}

/** Asks for the token, once for all who want it at that time. True when one was given. */
export function ask(why) {
  asking ??= prompt(why).finally(() => { asking = null; });
  return asking;
}

async function prompt(why) {
  const dialog = byId("token-dialog");
  const field = byId("token-field");
  byId("token-why").textContent = why;
  field.value = "";
  const answer = await open(dialog, field);
  const given = field.value.trim();
  field.value = "";
  if (answer !== "ok" || given === "") return false;
  sessionStorage.setItem(KEY, given);
  return true;
}
