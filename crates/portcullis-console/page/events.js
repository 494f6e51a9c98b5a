// What happened, the youngest first.

import { byId, el, glyph, setText } from "./dom.js";
import * as format from "./format.js";
import { on, store } from "./store.js";
import { soon } from "./poll.js";

/** Events that are kept in sight. */
const KEPT = 200;

const list = byId("events");
const known = new Set();
let epoch = null;
let openPolicy = () => {};
let waiting = [];
let asked = false;

export function setUp(open) {
  openPolicy = open;
  on("stream", receive);
}

function receive(messages) {
  for (const { event, data } of messages) {
    if (event === "hello") hello(data);
    else if (event === "lagged") waiting.push({ what: "lagged", level: "warn", at: new Date().toISOString(), text: `${data.lost} events came faster than they could be sent, and are not shown.` });
    else if (event === "event") take(data);
  }
  soon();
  if (waiting.length > 0 && !asked) {
    asked = true;
    requestAnimationFrame(showAll);
  }
}

/** Another process counts from the start again. */
function hello(data) {
  if (epoch !== null && epoch !== data.epoch) {
    known.clear();
    waiting.push({ what: "restart", level: "warn", at: new Date().toISOString(), text: "The service was started anew." });
  }
  epoch = data.epoch;
}

function take(event) {
  if (known.has(event.seq)) return;
  known.add(event.seq);
  waiting.push(event);
}

/** Shows what the answers had already, before the stream has said anything. */
export function seed() {
  if (list.childElementCount > 0 || known.size > 0) return;
  const all = store.sorted.flatMap((policy) => policy.recent ?? []).sort((a, b) => a.seq - b.seq).slice(-KEPT);
  all.forEach(take);
  showAll();
}

function showAll() {
  asked = false;
  // Of a flood only what stays is made.
  const rows = waiting.splice(0).slice(-KEPT).reverse().map((event) => row(event, true));
  list.prepend(...rows);
  while (list.childElementCount > KEPT) list.lastElementChild.remove();
  byId("events-none").hidden = list.childElementCount > 0;
}

/** An event as a line; with a way to its policy, where that is not shown already. */
export function row(event, linked = false) {
  const level = event.level === "warn" ? "warning" : "healthy";
  const at = el("time", { datetime: event.at, text: format.clock(event.at) });
  const item = el("li", { "data-what": event.what, "data-tone": event.level }, at, glyph(level), el("span", { class: "event-text", text: event.text }));
  const id = linked ? policyOf(event) : null;
  if (id !== null) {
    const button = el("button", { type: "button", class: "link", on: { click: () => openPolicy(id) } });
    setText(button, event.policy);
    button.setAttribute("aria-label", `Show ${event.kind} ${event.policy}`);
    item.append(button);
  }
  return item;
}

function policyOf({ kind, policy }) {
  const id = `${kind}/${policy}`;
  return policy !== undefined && store.policies.has(id) ? id : null;
}
