// What stands on top: the health of the whole, how many policies are how, and whether this is still true.

import { byId, el, glyph, setAttribute, setGlyph, setText } from "./dom.js";
import { chosenLevel, toggleLevel } from "./filter.js";
import * as format from "./format.js";
import { soon } from "./poll.js";
import { LEVELS, serverNow, store } from "./store.js";

/** After this time without an answer, what is shown is called old. */
const OLD = 3500;

const chips = new Map();

export function setUp(changed) {
  for (const level of [...LEVELS].reverse()) {
    const number = el("b", { text: "0" });
    const chip = el("button", { type: "button", class: "chip", "data-level": level, "aria-pressed": "false" }, glyph(level), number, el("span", { text: level }));
    chip.addEventListener("click", () => {
      toggleLevel(level);
      changed();
    });
    chips.set(level, { chip, number });
    byId("levels").append(chip);
  }
  byId("try-now").addEventListener("click", soon);
  setInterval(showConnection, 1000);
}

/** The levels, as the last answer says. */
export function showLevels() {
  const { answer, sorted } = store;
  const numbers = Object.fromEntries(LEVELS.map((level) => [level, 0]));
  for (const policy of sorted) numbers[policy.level] += 1;
  for (const [level, { chip, number }] of chips) {
    setText(number, String(numbers[level]));
    setAttribute(chip, "aria-pressed", chosenLevel() === level);
    setAttribute(chip, "data-none", numbers[level] === 0 ? "" : null);
  }
  setText(byId("service"), answer.service ?? "");
  document.title = `${answer.overall} · ${answer.service ?? "Portcullis"}`;
  setText(byId("overall-word"), answer.overall);
  setAttribute(byId("overall"), "data-level", answer.overall);
  setGlyph(byId("overall-glyph"), answer.overall);
  setText(byId("ready"), answer.ready === false ? "not ready for calls" : "");
  showStopped(answer);
}

function showStopped({ stopped, writable }) {
  const is = stopped !== null && stopped !== undefined;
  byId("stopped").hidden = !is;
  setText(byId("stopped-why"), is ? stopped : "");
  byId("stop-all").hidden = is || !writable;
  byId("release-all").hidden = byId("reset-all").hidden = !writable;
  byId("read-only").hidden = writable;
}

/** Whether what is shown is how it is now. */
export function showConnection() {
  const { connection, answeredAt, lastError, retryAt } = store;
  const age = answeredAt === null ? 0 : Date.now() - answeredAt;
  const old = answeredAt !== null && !document.hidden && (connection === "lost" || connection === "locked" || age > OLD);
  document.documentElement.classList.toggle("is-old", old);
  setAttribute(byId("connection"), "data-state", old ? "lost" : connection);
  setText(byId("connection-word"), old ? "old" : connection === "live" ? "live" : connection);
  const banner = byId("old");
  const waiting = connection === "lost" || connection === "locked";
  banner.hidden = !old && !waiting;
  if (banner.hidden) return;
  const since = answeredAt === null ? "Nothing is known yet." : `What you see is from ${format.clock(serverNow() - age)}, ${format.millis(Math.floor(age / 1000) * 1000)} ago.`;
  const next = retryAt !== null && retryAt > Date.now() ? "Trying again by itself." : "Trying again.";
  setText(byId("old-why"), connection === "locked" ? `A token is needed to look. ${since}` : `Not connected. ${since} ${lastError ?? ""} ${next}`);
  setText(byId("try-now"), connection === "locked" ? "Enter the token" : "Try now");
}
