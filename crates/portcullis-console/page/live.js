// What a screen reader is told without being asked: changes of state, and whether there is a connection.

import { byId } from "./dom.js";
import { title } from "./facts.js";
import { words } from "./format.js";

/** More than so many changes at once are counted only. */
const FEW = 3;
/** Not more often than this: what is said must be heard to its end. */
const EVERY = 1500;

const waiting = [];
let timer = null;

export function announceChanges(changes) {
  const few = changes.slice(0, FEW).map(({ policy }) => `${title(policy)} is ${words(policy.state)}, ${policy.level}.`);
  const more = changes.length - few.length;
  announce([...few, ...(more > 0 ? [`${more} more changed.`] : [])].join(" "));
}

export function announce(text) {
  waiting.push(text);
  timer ??= setTimeout(say, 50);
}

function say() {
  byId("announcer").textContent = waiting.splice(0).slice(-FEW).join(" ");
  timer = setTimeout(() => {
    timer = null;
    if (waiting.length > 0) announce(waiting.pop());
  }, EVERY);
}
