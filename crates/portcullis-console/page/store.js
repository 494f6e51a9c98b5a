// What is known: the last answer of the service, the history of each policy, and whether it still holds.

import { History, sums } from "./history.js";

export const LEVELS = ["healthy", "warning", "degraded", "critical"];

/** The last answer, and what the page adds to it. Everything here is read by all, and written in this file only. */
export const store = {
  answer: null,
  /** Policies by id, each with its `history`. */
  policies: new Map(),
  /** In a fixed order: worst first, then by kind and name. */
  sorted: [],
  pipelines: [],
  /** "connecting", "live", "lost" or "locked". */
  connection: "connecting",
  lastError: null,
  retryAt: null,
  /** When the last answer came, by this machine's clock, and how far the service's clock is ahead of it. */
  answeredAt: null,
  skew: 0,
};

const listeners = new Map();

/** Calls back after a change of this kind: "policies", "connection", "pipelines", "event", or "changes" of state. */
export function on(kind, listener) {
  listeners.set(kind, [...(listeners.get(kind) ?? []), listener]);
}

export function emit(kind, detail) {
  for (const listener of listeners.get(kind) ?? []) listener(detail);
}

/** The service's time. */
export const serverNow = () => Date.now() + store.skew;

/** Takes an answer of `api/policies`. */
export function accept(answer) {
  const before = store.policies;
  const at = Date.parse(answer.now);
  store.answer = answer;
  store.answeredAt = Date.now();
  store.skew = Number.isNaN(at) ? 0 : at - store.answeredAt;
  const time = store.answeredAt + store.skew;
  store.policies = new Map(answer.policies.map((policy) => [policy.id, remember(policy, before.get(policy.id), time)]));
  store.sorted = [...store.policies.values()].sort(worstFirst);
  connect("live");
  emit("policies");
  if (before.size > 0) tellChanges(before);
}

function remember(policy, before, time) {
  policy.past = before?.past ?? new History();
  if (policy.history) policy.past.load(policy.history);
  policy.past.add(sums(policy.totals), time);
  policy.timed = before?.timed || typeof policy.rates?.p99_ms === "number";
  policy.badness = Math.max(0, LEVELS.indexOf(policy.level));
  return policy;
}

function tellChanges(before) {
  const changes = [];
  for (const policy of store.sorted) {
    const old = before.get(policy.id);
    if (old && (old.state !== policy.state || old.level !== policy.level)) changes.push({ policy, old });
  }
  if (changes.length > 0) emit("changes", changes);
}

const COLLATOR = new Intl.Collator(undefined, { numeric: true });
/** What tells most of a dependency, first; what is in no list, in between; what only helps others, last. */
const FIRST = ["check", "probe", "breaker", "observer", "adaptive_limit", "bulkhead", "thread_pool", "rate_limit", "load_shed", "throttle", "balance"];
const LAST = ["executor", "chaos", "timeout", "budget"];

/** The order depends on nothing that changes each second, so that cards stay where they are. */
function worstFirst(a, b) {
  return b.badness - a.badness || calm(a.state) - calm(b.state) || rank(a.kind) - rank(b.kind)
    || COLLATOR.compare(a.kind, b.kind) || COLLATOR.compare(a.name, b.name) || COLLATOR.compare(a.id, b.id);
}

function rank(kind) {
  const [first, last] = [FIRST.indexOf(kind), LAST.indexOf(kind)];
  if (first >= 0) return first;
  return FIRST.length + 1 + last;
}

const USUAL = new Set(["active", "closed", "healthy", "up", "serving", "off"]);
const calm = (state) => (USUAL.has(state) ? 1 : 0);

/** Says how the connection is. */
export function connect(state, { error = null, retryAt = null } = {}) {
  const changed = store.connection !== state || store.retryAt !== retryAt;
  Object.assign(store, { connection: state, lastError: error, retryAt });
  if (changed) emit("connection");
}

export function acceptPipelines(pipelines) {
  store.pipelines = pipelines;
  emit("pipelines");
}
