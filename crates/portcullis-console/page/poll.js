// When the service is asked: each second while somebody looks, seldom when nobody does, at once after an event.

import { get, Problem } from "./api.js";
import { accept, acceptPipelines, connect, store } from "./store.js";

const USUAL = 1000;
const HIDDEN = 15_000;
/** Not more often than this, however many events there are. */
const LEAST = 250;
/** After a failure, and doubled up to the last. */
const BACKOFF = [500, 1000, 2000, 4000, 5000];
/** After such a gap the service is asked for what was missed. */
const GAP = 8000;

let timer = null;
let running = false;
let again = false;
let startedAt = -Infinity;
let failures = 0;
let names = null;

/** Begins, and goes on for as long as the page is there. */
export function start() {
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  window.addEventListener("online", soon);
  window.addEventListener("pageshow", soon);
  void run();
}

/** Asks now, or as soon as that is not too often. */
export function soon() {
  if (running) again = true;
  else schedule(Math.max(0, startedAt + LEAST - performance.now()));
}

function schedule(delay) {
  clearTimeout(timer);
  timer = setTimeout(run, delay);
}

async function run() {
  clearTimeout(timer);
  [running, again, startedAt] = [true, false, performance.now()];
  const failed = await poll();
  running = false;
  const took = performance.now() - startedAt;
  if (again && !failed) schedule(Math.max(0, LEAST - took));
  // A service that takes long is not asked all the time.
  else schedule(failed ?? Math.max((document.hidden ? HIDDEN : USUAL) - took, took));
}

/** Asks once; after a failure, how long to wait. */
async function poll() {
  try {
    const missed = store.answeredAt === null || Date.now() - store.answeredAt > GAP;
    accept(await get(missed ? "api/policies?history=1" : "api/policies"));
    failures = 0;
    await pipelines();
    return null;
  } catch (error) {
    return failure(error);
  }
}

/** Pipelines are read when others are there than before. */
async function pipelines() {
  const now = JSON.stringify(store.answer.pipelines ?? []);
  if (now === names) return;
  acceptPipelines(now === "[]" ? [] : ((await get("api/pipelines")).pipelines ?? []));
  names = now;
}

function failure(error) {
  // What answers next may be another process, with other pipelines of the same names.
  names = null;
  const wait = BACKOFF[Math.min(failures, BACKOFF.length - 1)];
  failures += 1;
  if (error instanceof Problem && error.status === 401) {
    connect("locked", { error: error.message });
    return 3600e3;
  }
  connect("lost", { error: error.message, retryAt: Date.now() + wait });
  // Not the connection, but this page.
  if (!(error instanceof Problem)) reportError(error);
  return wait;
}
