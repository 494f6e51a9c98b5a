// The pipelines as a picture: who calls, through which policies, what.

import { get, segment } from "./api.js";
import { byId, el, setAttribute, setText, svg } from "./dom.js";
import * as format from "./format.js";
import { store } from "./store.js";

/** Boxes are narrower where all of a pipeline stand in one line then. */
const BOX = { width: 146, narrow: 122, height: 46, gap: 22, lane: 30 };
/** A box in which the policy's name stands, too. */
const TALL = 62;
const SPOKEN = { client: "calls that go out", server: "calls that come in" };

const box = byId("pictures");
let openPolicy = () => {};
/** A pipeline each, and where its picture is: in another width that alone is drawn anew. */
let lanes = [];
/** Boxes with their policy, to be coloured anew as policies change. */
let parts = [];
let width = 0;

export function setUp(open) {
  openPolicy = open;
  const fit = () => { if (Math.abs(box.clientWidth - width) > 8 && box.clientWidth > 0) draw(); };
  // In a frame of its own: what is drawn changes what is observed.
  new ResizeObserver(() => requestAnimationFrame(fit)).observe(box);
}

/** Shows all pipelines: those of the server first, since calls come in there. */
export function show() {
  lanes = [];
  byId("pictures-none").hidden = store.pipelines.length > 0;
  const sides = ["server", "client"].map((side) => [side, store.pipelines.filter((pipeline) => pipeline.side === side)]);
  box.replaceChildren(...sides.filter(([, found]) => found.length > 0).map(([side, found]) => section(side, found)));
  draw();
}

/** Draws them, as wide as there is room. */
export function draw() {
  width = box.clientWidth;
  parts = [];
  if (width === 0) return;
  lanes.forEach(drawLane);
  refresh();
}

function drawLane({ pipeline, place }) {
  const links = () => [...place.querySelectorAll("a.part")];
  const focused = links().indexOf(document.activeElement);
  place.replaceChildren(picture(pipeline));
  links()[focused]?.focus();
}

/** Colours the boxes as their policies are. */
export function refresh() {
  for (const { node, id, state, rate } of parts) {
    const policy = store.policies.get(id);
    setAttribute(node, "data-level", policy?.level ?? "none");
    setText(state, policy ? format.words(policy.state) : "");
    if (!policy) continue;
    setText(rate, policy.rates?.calls_per_s > 0 ? `${format.rate(policy.rates.calls_per_s)} /s` : "");
  }
}

function section(side, pipelines) {
  const heading = el("h3", { text: side === "server" ? "Calls that come in" : "Calls that go out" });
  return el("section", { class: "lanes" }, heading, ...pipelines.map((pipeline) => lane(pipeline)));
}

function lane(pipeline) {
  const [place, more] = [el("div"), el("div", { class: "explain" })];
  lanes.push({ pipeline, place });
  const label = `Explain ${pipeline.name}, ${SPOKEN[pipeline.side]}`;
  const button = el("button", { type: "button", class: "quiet", "aria-expanded": "false", "aria-label": label, text: "Explain" });
  button.addEventListener("click", () => explain(pipeline, button, more));
  const heading = el("h4", {}, el("span", { text: pipeline.name }), button);
  return el("article", { class: "lane" }, heading, place, more);
}

/** The boxes of one pipeline, from left to right, and on in the next line where there is no room. */
function picture(pipeline) {
  const service = store.answer?.service ?? "this service";
  const ends = pipeline.side === "server" ? ["callers", service] : [service, pipeline.name];
  const nodes = [{ end: ends[0] }, ...pipeline.parts.map(withObserver), { end: ends[1] }];
  const room = Math.max(width - 38, 300);
  const form = formOf(nodes, room, pipeline.name);
  const label = `${pipeline.name}, ${SPOKEN[pipeline.side]}: ${nodes.map((node) => node.end ?? format.words(node.kind)).join(", then ")}`;
  const size = { width: room + 4, height: form.height, viewBox: `-2 -2 ${room + 4} ${form.height}` };
  const drawing = svg("svg", { class: "picture", role: "group", "aria-label": label, ...size });
  nodes.forEach((node, index) => {
    const place = { x: (index % form.perLine) * form.step, y: Math.floor(index / form.perLine) * (form.tall + BOX.lane) };
    if (index > 0) drawing.append(arrow(index, form));
    drawing.append(node.end === undefined ? part(node, place, form, pipeline.name) : end(node.end, place, form));
  });
  return drawing;
}

/** How large the boxes are, and how many stand in a line. */
function formOf(nodes, room, name) {
  const whole = (room + BOX.gap) / nodes.length - BOX.gap;
  const wide = whole >= BOX.narrow ? Math.min(BOX.width, whole) : BOX.width;
  const step = wide + BOX.gap;
  const perLine = Math.max(2, Math.floor((room + BOX.gap + 1) / step));
  // A policy that is called as its pipeline is need not say so.
  const tall = nodes.some((node) => node.id && node.name !== name) ? TALL : BOX.height;
  const height = Math.ceil(nodes.length / perLine) * (tall + BOX.lane) - BOX.lane + 4;
  return { wide, step, perLine, tall, height, letters: Math.floor((wide - 8) / 7.5) };
}

/** An observer has two places: it sees calls, and their attempts. */
function withObserver(part) {
  const id = `observer/${part.name}`;
  const is = !part.id && (part.kind === "observe" || part.kind === "attempts") && store.policies.has(id);
  return is ? { ...part, id } : part;
}

function arrow(index, { wide, step, perLine, tall }) {
  const [column, line] = [index % perLine, Math.floor(index / perLine)];
  const y = line * (tall + BOX.lane) + tall / 2;
  if (column > 0) return svg("path", { class: "arrow", d: `M${column * step - BOX.gap} ${y}H${column * step - 5}`, "marker-end": "url(#arrow)" });
  // Down and back to the beginning of the next line.
  const right = (perLine - 1) * step + wide / 2;
  const top = y - tall / 2 - BOX.lane;
  const middle = top + BOX.lane / 2;
  return svg("path", { class: "arrow", d: `M${right} ${top}V${middle}H${wide / 2}V${top + BOX.lane - 5}`, "marker-end": "url(#arrow)" });
}

function end(text, { x, y }, { wide, tall, letters }) {
  const called = svg("text", { x: wide / 2, y: tall / 2 + 5, "text-anchor": "middle", text: cut(text, letters) });
  return svg("g", { class: "end", transform: `translate(${x} ${y})` }, svg("rect", { width: wide, height: tall, rx: tall / 2 }), called, svg("title", { text }));
}

/** A policy: a link to its details, where there is one. */
function part({ kind, name, id }, { x, y }, form, pipeline) {
  const { wide, tall, letters } = form;
  const there = id !== null && id !== undefined;
  const other = name && name !== pipeline ? name : "";
  const state = svg("tspan", { class: "part-state", x: 12, y: tall - 10 });
  const rate = svg("tspan", { class: "part-rate", x: wide - 8, y: tall - 10, "text-anchor": "end" });
  const line = svg("tspan", { class: "part-kind", x: 12, y: 18, text: cut(format.words(kind), letters) });
  const called = other && there ? svg("tspan", { x: 12, y: 35, text: cut(other, letters) }) : null;
  // The spaces are not seen: they are between words for those who hear it.
  const text = svg("text", {}, line, " ", called, " ", state, " ", rate);
  const title = svg("title", { text: other ? `${format.words(kind)} “${other}”` : format.words(kind) });
  const shapes = [svg("rect", { width: wide, height: tall, rx: 8 }), svg("rect", { class: "part-mark", width: 5, height: tall, rx: 2 }), text, title];
  const attributes = { class: "part", transform: `translate(${x} ${y})`, "data-level": "none" };
  if (!there) return svg("g", attributes, ...shapes);
  const node = svg("a", { ...attributes, href: `#policy=${encodeURIComponent(id)}` }, ...shapes);
  node.addEventListener("click", (event) => {
    event.preventDefault();
    openPolicy(id);
  });
  parts.push({ node, id, state, rate });
  return node;
}

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

async function explain(pipeline, button, into) {
  const isOpen = () => button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!isOpen()));
  into.replaceChildren();
  if (!isOpen()) return;
  const explanation = await explained(pipeline);
  // Closed again meanwhile, it stays so.
  if (isOpen()) into.replaceChildren(explanation);
}

async function explained({ name, number }) {
  try {
    const { text } = await get(`api/pipelines/${segment(name)}/explain?number=${number}`);
    return el("pre", { text: text ?? "There is nothing to say of it.", tabindex: "0" });
  } catch (error) {
    return el("p", { text: error.message });
  }
}
