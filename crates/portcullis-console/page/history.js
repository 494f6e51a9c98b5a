// The last five minutes of one policy, in steps: what was called, what failed of it, what was refused.

/** One step, and how many are kept. */
const STEP = 2000;
export const STEPS = 150;

export class History {
  calls = new Float64Array(STEPS);
  failures = new Float64Array(STEPS);
  refused = new Float64Array(STEPS);
  /** Rises with every change of a finished step, so that a picture is drawn anew only then. */
  version = 0;
  #step = null;
  #totals = null;

  /** Takes what the service remembers, oldest first. */
  load({ step_s: seconds = STEP / 1000, ...series }) {
    const width = Math.max(1, Math.round((seconds * 1000) / STEP));
    for (const name of ["calls", "failures", "refused"]) spread(this[name], series[name] ?? [], width);
    this.version += 1;
  }

  /** Takes totals as they were at a time, in milliseconds. */
  add(totals, at) {
    this.#roll(Math.floor(at / STEP));
    const before = this.#totals;
    this.#totals = totals;
    if (before === null) return;
    for (const name of ["calls", "failures", "refused"]) {
      // Less than before: it was made anew, and what it had counted is not known.
      this[name][STEPS - 1] += Math.max(0, totals[name] - before[name]);
    }
  }

  #roll(step) {
    const steps = this.#step === null ? 0 : Math.min(STEPS, step - this.#step);
    this.#step = Math.max(this.#step ?? step, step);
    if (steps <= 0) return;
    for (const series of [this.calls, this.failures, this.refused]) {
      series.copyWithin(0, steps);
      series.fill(0, STEPS - steps);
    }
    this.version += 1;
  }

  get isEmpty() {
    return !this.calls.some(Boolean) && !this.refused.some(Boolean);
  }
}

/** Ends at the end; a step of the service may be several of ours. */
function spread(into, from, width) {
  into.fill(0);
  for (let index = 0; index < STEPS; index += 1) {
    const source = from.length - 1 - Math.floor(index / width);
    if (source >= 0) into[STEPS - 1 - index] = from[source] / width;
  }
}

/** What a policy's totals come to. */
export function sums({ calls = {}, rejections = {} } = {}) {
  let [all, refused] = [0, 0];
  for (const [outcome, number] of Object.entries(calls)) if (outcome !== "rejected") all += number;
  for (const number of Object.values(rejections)) refused += number;
  return { calls: all, failures: calls.failure ?? 0, refused };
}
