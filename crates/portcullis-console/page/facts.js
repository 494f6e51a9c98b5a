// What is worth saying of a policy, in the order in which people ask: on a card eight of it, in the details all.

import * as format from "./format.js";

/** Values that are said in another place, or under another name. */
const SAID = new Set(["in_flight", "limit", "queued", "failure_ratio", "slow_ratio", "calls", "p50_ms", "p95_ms", "p99_ms", "mode", "stopped", "message",
  "successes", "failures", "ignored", "rejected"]);

/** Failures from this share on are worth a colour. */
const MANY = 0.1;
const FULL = 0.9;
/** What is a stock, of which none is news; of all else, a count of nothing is only shown in the details. */
const STOCK = /available|limit|endpoints|healthy|entries|threads/;
/** Letters for which there is room above a fact on a card. */
const ROOM = 11;

/** All facts of a policy: its last ten seconds, then its measured values. */
export function facts(policy) {
  const rates = policy.rates ?? {};
  return [...judged(policy, rates), ...load(rates), ...times(policy, rates), ...queue(rates), ...measured(policy)];
}

/** Two rows of four: how calls end and how many there are, then how long they take. Cards of a kind are alike. */
export function rows(policy) {
  const rates = policy.rates ?? {};
  const spare = measured(policy).filter(isNews);
  const row = (found) => Array.from({ length: 4 }, (_, place) => found[place] ?? spare.shift());
  return [...row([...judged(policy, rates), ...load(rates)]), ...row([...times(policy, rates), ...queue(rates)])];
}

const isNews = ({ label, value }) => label.length <= ROOM && !["yes", "no"].includes(value) && (value !== "0" || STOCK.test(label));

function measured({ values = {} }) {
  const told = Object.entries(values).filter(([name, value]) => !SAID.has(name) && value !== null && typeof value !== "object");
  return told.map(([name, value]) => ({ label: format.label(name), value: format.value(name, value) }));
}

function judged({ totals }, rates) {
  const found = [];
  if (counts(totals)) {
    found.push({ label: "failing", value: format.percent(rates.failure_ratio), tone: tone(rates.failure_ratio, MANY) });
    if (isKnown(rates.slow_ratio)) {
      found.push({ label: "slow", value: format.percent(rates.slow_ratio), tone: tone(rates.slow_ratio, MANY) });
    }
  }
  if (totals?.rejections && isKnown(rates.refused_per_s)) {
    found.push({ label: "refused", value: perSecond(rates.refused_per_s), tone: tone(rates.refused_per_s, 0) });
  }
  return found;
}

/** Of a policy whose calls were ever timed: an observer does that. */
function times({ timed }, rates) {
  if (!timed) return [];
  return ["p50", "p95", "p99"].map((name) => ({ label: name, value: format.millis(rates[`${name}_ms`]) }));
}

/** Whether it counts how calls end; some count only what they refuse. */
const counts = ({ calls = {} } = {}) => Object.keys(calls).some((outcome) => outcome !== "rejected");

function load({ in_flight: flying, limit }) {
  if (!isKnown(flying)) return [];
  const share = isKnown(limit) && limit > 0 ? Math.min(1, flying / limit) : null;
  const value = isKnown(limit) ? `${format.count(flying)} / ${format.count(limit)}` : format.count(flying);
  return [{ label: "in flight", value, share, tone: share !== null && share >= FULL ? "bad" : undefined }];
}

const queue = ({ queued }) => (isKnown(queued) ? [{ label: "queued", value: format.count(queued), tone: tone(queued, 0) }] : []);

const isKnown = (number) => number !== null && number !== undefined;
const tone = (number, from) => (isKnown(number) && number > from ? "bad" : undefined);
const perSecond = (number) => `${format.rate(number)} /s`;

/** The one number that says most: how much is called, how much is under way, or how long a check took. */
export function headline({ totals, rates = {}, values = {} }) {
  if (counts(totals) || rates.calls_per_s > 0) return { number: format.rate(rates.calls_per_s), unit: "calls /s" };
  if (isKnown(rates.in_flight)) return { number: format.count(rates.in_flight), unit: "in flight" };
  if (isKnown(values.duration_ms)) return { number: format.millis(values.duration_ms), unit: "to answer" };
  if (totals?.rejections && isKnown(rates.refused_per_s)) return { number: format.rate(rates.refused_per_s), unit: "refused /s" };
  return null;
}

/** Why it last refused, or what a check found, in one line. */
export function why({ last_refusal: last, values = {} }, now) {
  if (!last) return typeof values.message === "string" ? values.message : null;
  return `${last.enforced === false ? "Would have refused" : "Refused"} ${format.ago(last.at, now)}: ${last.text}`;
}

/** How it is called in sentences. */
export const title = ({ kind, name }) => `${format.words(kind)} “${name}”`;
