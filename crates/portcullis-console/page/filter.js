// Which policies are shown: by text, level, state and kind.

import { byId, el, setText } from "./dom.js";
import { words } from "./format.js";
import { store } from "./store.js";

const search = byId("search");
const state = byId("filter-state");
const kind = byId("filter-kind");
const unwell = byId("filter-unwell");
let level = null;

/** Calls back when something else is to be shown. */
export function watch(changed) {
  for (const field of [search, state, kind, unwell]) field.addEventListener("input", changed);
  byId("filter-clear").addEventListener("click", () => {
    clear();
    changed();
    search.focus();
  });
}

/** Shows only this level, or all again. */
export function toggleLevel(wanted) {
  level = level === wanted ? null : wanted;
}

export const chosenLevel = () => level;

export function clear() {
  search.value = state.value = kind.value = "";
  unwell.checked = false;
  level = null;
}

const isActive = () => search.value.trim() !== "" || state.value !== "" || kind.value !== "" || unwell.checked || level !== null;

/** Those that are wanted, in their order. */
export function wanted() {
  const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = store.sorted.filter((policy) => (level === null || policy.level === level)
    && (!unwell.checked || policy.badness > 0)
    && (state.value === "" || policy.state === state.value)
    && (kind.value === "" || policy.kind === kind.value)
    && terms.every((term) => text(policy).includes(term)));
  say(found.length);
  return found;
}

/** What of a policy is searched. */
function text(policy) {
  return policy.text ??= [policy.name, policy.kind, words(policy.kind), policy.state, words(policy.state), policy.level,
    policy.mode ?? "", policy.values?.message ?? ""].join(" ").toLowerCase();
}

function say(found) {
  const all = store.sorted.length;
  setText(byId("found"), isActive() ? `${found} of ${all} policies` : `${all} ${all === 1 ? "policy" : "policies"}`);
  byId("filter-clear").hidden = !isActive();
  byId("nothing").hidden = found > 0 || store.answer === null;
  setText(byId("nothing"), all === 0 ? "This service has no policies yet." : "No policy is like this. Esc in the search, or “Clear”, shows all again.");
}

/** Offers the states and kinds that there are. */
export function offer() {
  options(state, store.sorted.map((policy) => policy.state));
  options(kind, store.sorted.map((policy) => policy.kind));
}

function options(select, values) {
  const there = [...new Set(values)].sort();
  // What is chosen stays so, also while no policy is like this.
  if (select.value !== "" && !there.includes(select.value)) there.push(select.value);
  if (select.dataset.there === there.join()) return;
  select.dataset.there = there.join();
  const chosen = select.value;
  select.replaceChildren(select.options[0], ...there.map((value) => el("option", { value, text: words(value) })));
  select.value = chosen;
}
