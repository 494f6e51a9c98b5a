// What can be done to policies. Each says first, in full, what will happen.

import { policyPath, post } from "./api.js";
import { byId, el } from "./dom.js";
import { open } from "./dialog.js";
import { title } from "./facts.js";
import { announce } from "./live.js";
import { soon } from "./poll.js";
import { store } from "./store.js";

const BREAKER = "breaker";

/** What each is called, and what it does to a policy. */
const ACTIONS = {
  trip: {
    label: "Trip",
    danger: true,
    effects: () => ["It opens now, for its open time: every call is refused meanwhile.", "Then it lets probes through, and closes by itself when they succeed."],
  },
  reset: {
    label: "Reset",
    effects: ({ kind }) => (kind === BREAKER
      ? ["It closes now, with an empty window, and forgets how often it opened in a row.", "An isolation or another override ends. Calls flow again at once."]
      : ["It forgets what it has seen, and decides as if it were new.", "Calls that are under way go on, and its settings stay."]),
  },
  isolate: {
    label: "Isolate",
    danger: true,
    time: true,
    effects: ({ kind }) => [
      "Every call is refused from now on, whatever the dependency answers.",
      "Calls that are under way go on.",
      kind === BREAKER ? "It lasts until it is released, or for the time chosen below." : "It lasts until it is released.",
    ],
  },
  release: {
    label: "Release",
    effects: ({ kind }) => (kind === BREAKER
      ? ["Its isolation or override ends: it is closed, with an empty window.", "Calls flow again at once."]
      : ["It refuses no longer by order, and decides by its own rules again."]),
  },
  mode: {
    label: "Mode",
    mode: true,
    effects: () => ["Its decisions are done, only counted, or not made at all, as chosen below. What it has seen stays."],
  },
};

/** Percent, until another number is written. */
const USUAL_SHARE = "50";

const WHOLE = {
  stop: {
    label: "Stop everything",
    path: "api/stop",
    danger: true,
    needsWhy: true,
    heading: "Emergency stop of the whole service?",
    effects: (number) => [
      `All of the ${number} policies that can refuse do so from now on: breakers are isolated; bulkheads, pools, rate limits, adaptive limits and load shedders refuse every call.`,
      "Calls that are under way go on. Policies that join later are stopped, too.",
      "It lasts until everything is released. The reason stands in every refusal.",
    ],
  },
  release: {
    label: "Release everything",
    path: "api/release",
    heading: "Release every policy?",
    effects: (number) => [`Every one of the ${number} policies that is isolated or stopped decides by its own rules again. Calls flow at once.`],
  },
  reset: {
    label: "Reset everything",
    path: "api/reset",
    danger: true,
    heading: "Reset every policy?",
    effects: (number) => [`All ${number} policies forget what they have seen: open breakers close, windows are empty, budgets are full.`, "What is stopped stays so."],
  },
};

const dialog = byId("confirm");
const why = byId("confirm-why");
const modes = byId("confirm-mode");
const percent = byId("mode-percent");
/** How often was asked: what comes of an earlier question is not for the dialog of a later one. */
let asked = 0;

modes.addEventListener("change", ({ target }) => { if (target !== percent) showShare(target.value === "percent"); });
// Who goes there with the mouse, or writes a number, means it; who comes by on the way to the reason does not.
for (const what of ["click", "input"]) {
  percent.addEventListener(what, () => {
    modes.querySelector("[value=percent]").checked = true;
    showShare(true);
  });
}

export const isDanger = (action) => ACTIONS[action]?.danger === true;
export const label = (action) => ACTIONS[action]?.label ?? action;
export const known = (action) => action in ACTIONS;

/** Asks whether to do this to a policy, and does it. */
export async function act(action, policy) {
  const { label, danger, effects, mode } = ACTIONS[action];
  // Only a breaker ends an isolation by itself.
  const time = ACTIONS[action].time && policy.kind === BREAKER;
  const same = [...store.policies.values()].filter(({ kind, name }) => kind === policy.kind && name === policy.name).length;
  const also = same > 1 ? [`There are ${same} with this kind and name: it is done to all of them.`] : [];
  const heading = action === "mode" ? `Change the mode of ${title(policy)}?` : `${label} ${title(policy)}?`;
  const chosen = mode ? policy.mode : null;
  const sent = () => post(policyPath(policy.name, action), {
    kind: policy.kind,
    ...reason(),
    ...(time && byId("confirm-time").value ? { for_ms: Number(byId("confirm-time").value) } : {}),
    ...(mode ? { mode: chosenMode() } : {}),
  });
  await confirm({ heading, effects: [...effects(policy), ...also], danger, time, mode: chosen, label: mode ? "Change the mode" : label, sent });
}

/** The same for all policies. */
export async function actOnAll(what) {
  const { path, heading, effects, danger, needsWhy, label } = WHOLE[what];
  await confirm({ heading, effects: effects(store.sorted.length), danger, needsWhy, label, sent: () => post(path, reason()) });
}

const reason = () => (why.value.trim() === "" ? {} : { why: why.value.trim() });

/** Opens the dialog; it stays open with what went wrong, until it is done or given up. */
async function confirm({ heading, effects, danger, needsWhy, time, mode, label, sent }) {
  byId("confirm-heading").textContent = heading;
  byId("confirm-effects").replaceChildren(...effects.map((text) => el("li", { text })));
  byId("confirm-for").hidden = !time;
  byId("confirm-time").value = "";
  why.value = "";
  why.required = needsWhy === true;
  byId("confirm-why-hint").textContent = needsWhy ? "needed: it is in every refusal" : "kept in the events";
  showModes(mode);
  const button = byId("confirm-do");
  button.textContent = label;
  button.className = danger ? "danger" : "primary";
  say("");
  button.disabled = false;
  asked += 1;
  dialog.onsubmit = (event) => {
    event.preventDefault();
    void send(button, heading, sent);
  };
  await open(dialog, modes.hidden ? why : modes.querySelector("input:checked"));
}

async function send(button, heading, sent) {
  const mine = asked;
  button.disabled = true;
  say("");
  const wrong = await sent().then(() => null, problem);
  if (wrong === null) soon();
  const left = mine !== asked || !dialog.open;
  if (left || wrong === null) announce(wrong ?? `Done: ${heading.replace(/\?$/, "")}.`);
  if (left) return;
  button.disabled = false;
  if (wrong === null) dialog.close("done");
  else say(wrong);
}

function say(text) {
  byId("confirm-error").textContent = text;
  byId("confirm-error").hidden = text === "";
}

function problem({ status, message, body }) {
  if (!status) return `What came of it is not known: ${message} Look at the policy before doing it again.`;
  const allowed = body?.allowed ? ` Allowed: ${[body.allowed].flat().join(", ")}.` : "";
  return `Nothing was changed: ${message}${body?.field ? ` (${body.field})` : ""}${allowed}`;
}

function showModes(mode) {
  modes.hidden = mode === undefined || mode === null;
  modes.disabled = modes.hidden;
  if (modes.hidden) return;
  const share = /^enforce (\d+)/.exec(mode)?.[1];
  const value = share ? "percent" : ["shadow", "disabled"].includes(mode) ? mode : "enforce";
  for (const radio of modes.querySelectorAll("input[type=radio]")) radio.checked = radio.value === value;
  percent.value = share ?? USUAL_SHARE;
  showShare(share !== undefined);
}

/** The number is needed where a share is chosen; elsewhere, a wrong one must not hold up the rest. */
function showShare(chosen) {
  percent.required = chosen;
  if (!chosen && !percent.checkValidity()) percent.value = USUAL_SHARE;
}

function chosenMode() {
  const { value } = modes.querySelector("input:checked");
  return value === "percent" ? { enforce_percent: Number(percent.value) } : value;
}
