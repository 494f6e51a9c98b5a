// One policy as a card: how it is, at a glance.

import { byId, setAttribute, setGlyph, setText } from "./dom.js";
import { headline, rows, why } from "./facts.js";
import * as format from "./format.js";
import { draw, sparkline } from "./spark.js";
import { serverNow } from "./store.js";

/** A card without a policy; `open` is called with the policy's id. */
export function card(open) {
  const node = byId("card-template").content.firstElementChild.cloneNode(true);
  const parts = { node };
  for (const part of node.querySelectorAll("[data-part]")) parts[part.dataset.part] = part;
  parts.slots = [...parts.facts.children].map((slot) => ({ slot, label: slot.children[0], value: slot.children[1] }));
  parts.spark = parts.traffic.appendChild(sparkline());
  parts.open.addEventListener("click", () => open(parts.id));
  return parts;
}

/** Shows a policy; only what has changed is written. */
export function show(parts, policy) {
  const now = serverNow();
  parts.id = policy.id;
  setAttribute(parts.node, "data-level", policy.level);
  setAttribute(parts.node, "data-id", policy.id);
  setGlyph(parts.glyph, policy.level);
  setText(parts.name, policy.name);
  setText(parts.kind, format.words(policy.kind));
  setText(parts.state, format.words(policy.state));
  showMode(parts, policy.mode);
  setAttribute(parts.open, "aria-label", spoken(policy));
  const said = headline(policy);
  setText(parts.number, said?.number ?? "");
  setText(parts.unit, said?.unit ?? "");
  parts.traffic.hidden = said === null && policy.past.isEmpty;
  showPast(parts, policy.past);
  showFacts(parts, rows(policy));
  showWhy(parts, policy, now);
}

function spoken({ name, kind, state, level, mode }) {
  const how = mode && mode !== "enforce" ? `, ${mode}` : "";
  return `${name}, ${format.words(kind)}, ${format.words(state)}, ${level}${how}`;
}

function showMode(parts, mode) {
  const unusual = mode && mode !== "enforce" ? mode : "";
  setText(parts.mode, unusual);
  parts.mode.hidden = unusual === "";
}

function showPast(parts, past) {
  if (parts.past === past && parts.version === past.version) return;
  [parts.past, parts.version] = [past, past.version];
  const peak = draw(parts.spark, past);
  setText(parts.peak, peak > 0 ? `peak ${format.rate(peak)} /s` : "");
}

function showFacts(parts, found) {
  parts.slots.forEach(({ slot, label, value }, index) => {
    const fact = found[index];
    setText(label, fact?.label ?? "");
    setText(value, fact?.value ?? "");
    setAttribute(slot, "data-tone", fact?.tone ?? null);
    const share = fact?.share ?? null;
    if (slot.dataset.share === String(share)) return;
    slot.dataset.share = String(share);
    slot.style.setProperty("--share", share ?? 0);
  });
}

function showWhy(parts, policy, now) {
  const reason = why(policy, now);
  setText(parts.why, reason ?? "");
  parts.why.hidden = reason === null;
  const event = policy.recent?.at(-1);
  // What the refusal says already is not said twice.
  const news = event && event.text !== policy.last_refusal?.text ? `${format.clock(event.at)} ${event.text}` : "";
  setText(parts.event, news);
  parts.event.hidden = news === "";
}
