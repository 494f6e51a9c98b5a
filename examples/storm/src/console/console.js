"use strict";

/** What is shown of each side: label, field of a reading, unit. */
const LINES = [
  ["good answers", "goodput", "/s"],
  ["p50", "p50_ms", " ms"],
  ["p99", "p99_ms", " ms"],
  ["upstream load", "upstream", "/s"],
  ["upstream holds", "held", ""],
];

const find = (selector, within = document) => within.querySelector(selector);
const svg = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);

/** Makes the box of one side and returns what to update in it. */
function makeSide(name) {
  const article = find("#side").content.cloneNode(true).firstElementChild;
  find("h2", article).textContent = name;
  const lines = LINES.map(([label]) => {
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    const graph = document.createElement("dd");
    const drawing = svg("svg");
    const curve = svg("polyline");
    term.textContent = label;
    drawing.setAttribute("viewBox", "0 0 120 40");
    drawing.setAttribute("preserveAspectRatio", "none");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", `${label} of the last two minutes`);
    drawing.append(curve);
    graph.append(drawing);
    find("dl", article).append(term, value, graph);
    return { value, curve };
  });
  find("#sides").append(article);
  return { lines, breakers: find("p", article) };
}

const sides = new Map();

/** Both sides share a scale, so that they can be compared by eye. */
function draw(story) {
  const scales = LINES.map(([, field]) =>
    Math.max(1, ...story.moments.flatMap((moment) => moment.sides.map((reading) => reading[field]))));
  const last = story.moments.at(-1);
  // The schedule fills the width; after it, the last two minutes do.
  const step = 120 / Math.max(story.moments.length, Math.min(120, story.seconds));
  last.sides.forEach((reading, place) => {
    if (!sides.has(reading.side)) sides.set(reading.side, makeSide(reading.side));
    sides.get(reading.side).breakers.textContent = reading.breakers || "no breakers";
    LINES.forEach(([, field, unit], line) => {
      const { value, curve } = sides.get(reading.side).lines[line];
      value.textContent = `${reading[field].toFixed(0)}${unit}`;
      const points = story.moments.map((moment, x) =>
        `${(x * step).toFixed(1)},${(39 - (38 * moment.sides[place][field]) / scales[line]).toFixed(1)}`);
      curve.setAttribute("points", points.join(" "));
    });
  });
  find("#phase").textContent = `${last.second.toFixed(0)} s: ${last.phase}`;
  find("#progress").value = Math.min(1, last.second / story.seconds);
}

function conclude(verdict) {
  const section = find("#verdict");
  section.hidden = false;
  find("h2", section).textContent = `Verdict: ${verdict.word.toLowerCase()}`;
  find("ul", section).replaceChildren(...verdict.checks.map((check) => {
    const item = document.createElement("li");
    item.textContent = `${check.passed ? "ok" : "FAIL"}: ${check.what}`;
    item.classList.toggle("failed", !check.passed);
    return item;
  }));
}

new EventSource("api/events").addEventListener("message", (event) => {
  const story = JSON.parse(event.data);
  if (story.moments.length > 0) draw(story);
  if (story.verdict) conclude(story.verdict);
  find("#faults").hidden = !story.takes_wishes;
});

find("#faults").addEventListener("click", ({ target }) => {
  const fault = target.dataset.fault;
  if (fault) fetch(`api/fault/${fault}`, { method: "POST", headers: { "x-storm": "1" } });
});
