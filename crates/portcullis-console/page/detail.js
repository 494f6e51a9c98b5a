// Everything about one policy, beside the others: why it last refused, what it measures, what happened, what can be done.

import { act, isDanger, known, label } from "./actions.js";
import { byId, el, setAttribute, setGlyph, setText } from "./dom.js";
import { open } from "./dialog.js";
import { facts } from "./facts.js";
import * as format from "./format.js";
import { row as eventRow } from "./events.js";
import { draw, sparkline } from "./spark.js";
import { serverNow, store } from "./store.js";

const dialog = byId("detail");
const spark = byId("detail-spark").appendChild(sparkline());
let id = null;
let shown = { actions: null, seq: null, refusal: null, version: null };

/** Opens the details of this policy, until they are closed. */
export async function openDetail(wanted) {
  if (!store.policies.has(wanted)) return;
  id = wanted;
  shown = {};
  refresh();
  history.replaceState(null, "", `#policy=${encodeURIComponent(wanted)}`);
  if (!dialog.open) {
    await open(dialog, byId("detail-heading"));
    id = null;
    history.replaceState(null, "", location.pathname + location.search);
  }
}

/** Opens what the address names. */
export function openFromAddress() {
  // An address can say anything; what is no policy opens nothing.
  const wanted = new URLSearchParams(location.hash.slice(1)).get("policy");
  if (wanted !== null) void openDetail(wanted);
}

/** Shows what is known now. */
export function refresh() {
  if (id === null) return;
  const policy = store.policies.get(id);
  byId("detail-gone").hidden = policy !== undefined;
  if (policy === undefined) return;
  setAttribute(dialog, "data-level", policy.level);
  setGlyph(byId("detail-glyph"), policy.level);
  setText(byId("detail-heading"), policy.name);
  setText(byId("detail-kind"), format.words(policy.kind));
  setText(byId("detail-state"), format.words(policy.state));
  setText(byId("detail-level"), [policy.level, policy.mode ? `mode: ${policy.mode}` : ""].filter(Boolean).join(" · "));
  showPast(policy);
  showActions(policy);
  showRefusal(policy.last_refusal);
  pairs(byId("detail-facts"), [["calls", perSecond(policy.rates?.calls_per_s)], ...facts(policy).map((fact) => [fact.label, fact.value])]);
  pairs(byId("detail-totals"), totals(policy));
  byId("detail-totals-box").hidden = byId("detail-totals").childElementCount === 0;
  showEvents(policy);
}

const perSecond = (rate) => (rate === null || rate === undefined ? "–" : `${format.rate(rate)} /s`);

function showPast({ past }) {
  if (shown.version === past.version) return;
  shown.version = past.version;
  const peak = draw(spark, past);
  byId("detail-past").hidden = past.isEmpty;
  setText(byId("detail-peak"), `most: ${format.rate(peak)} /s`);
}

function showActions(policy) {
  const actions = (policy.actions ?? []).filter(known);
  const key = `${actions} ${store.answer.writable}`;
  if (shown.actions === key) return;
  shown.actions = key;
  const button = (action) => el("button", {
    type: "button", class: isDanger(action) ? "danger quiet" : "", "data-action": action,
    text: `${label(action)}…`, disabled: !store.answer.writable, on: { click: () => act(action, store.policies.get(id)) },
  });
  byId("detail-actions").replaceChildren(...actions.map(button));
  byId("detail-actions-none").hidden = actions.length > 0 && store.answer.writable;
  setText(byId("detail-actions-none"), actions.length > 0
    ? "Changes are not possible: this console has no token set."
    : "There is nothing to be done to it by hand.");
}

/** The decision record: the sentence, then each fact that it rests on. */
function showRefusal(last) {
  byId("detail-refusal").hidden = !last;
  if (!last) return;
  setText(byId("detail-refusal-heading"), last.enforced === false ? "Why it would have refused last" : "Why it last refused");
  setText(byId("detail-refusal-at"), `${format.clock(last.at)}, ${format.ago(last.at, serverNow())}`);
  const key = JSON.stringify(last);
  if (shown.refusal === key) return;
  shown.refusal = key;
  setText(byId("detail-refusal-text"), last.text);
  pairs(byId("detail-record"), flat(last.record ?? {}).map(([name, value]) => [format.label(name), format.value(name, value)]));
}

/** A record's fields; those inside others behind the name of these. */
function flat(record, prefix = "") {
  return Object.entries(record).flatMap(([name, value]) => {
    const full = prefix + name;
    if (Array.isArray(value)) return [[full, value.map((item) => (typeof item === "object" ? JSON.stringify(item) : String(item))).join(", ")]];
    return value !== null && typeof value === "object" ? flat(value, `${full} `) : [[full, value]];
  });
}

function totals({ totals: { calls = {}, rejections = {} } = {} }) {
  const each = (prefix, numbers) => Object.entries(numbers).map(([name, number]) => [prefix + format.words(name), number.toLocaleString()]);
  return [...each("", calls), ...each("refused: ", rejections)];
}

/** Writes names and values, into the nodes that are there already. */
function pairs(list, entries) {
  entries.forEach(([name, value], index) => {
    const pair = list.children[index] ?? list.appendChild(el("div", {}, el("dt"), el("dd")));
    setText(pair.children[0], name);
    setText(pair.children[1], value);
  });
  while (list.childElementCount > entries.length) list.lastElementChild.remove();
}

function showEvents({ recent = [] }) {
  const newest = `${recent.length} ${recent.at(-1)?.seq ?? ""}`;
  byId("detail-events-box").hidden = recent.length === 0;
  if (shown.seq === newest) return;
  shown.seq = newest;
  byId("detail-events").replaceChildren(...[...recent].reverse().map((event) => eventRow(event)));
}
