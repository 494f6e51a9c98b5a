// Numbers and times in words that are as short as they are exact enough.

const NONE = "–";

/** 950, 1.2k, 34k, 5.6M. */
export function count(number) {
  if (number === null || number === undefined) return NONE;
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (number >= size) return digits(number / size) + unit;
  }
  return digits(number);
}

function digits(number) {
  if (Number.isInteger(number)) return String(number);
  if (number >= 100) return number.toFixed(0);
  return number >= 10 ? trim(number.toFixed(1)) : trim(number.toFixed(2));
}

const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** Per second: 0, 0.3, 12.5, 1.2k. */
export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return NONE;
  if (perSecond > 0 && perSecond < 0.1) return "<0.1";
  return perSecond >= 1000 ? count(perSecond) : trim(perSecond.toFixed(perSecond < 100 ? 1 : 0));
}

/** A share from 0 to 1. */
export function percent(share) {
  if (share === null || share === undefined) return NONE;
  const value = share * 100;
  if (value > 0 && value < 0.1) return "<0.1 %";
  return `${value > 0 && value < 10 ? trim(value.toFixed(1)) : value.toFixed(0)} %`;
}

/** Milliseconds: 0.8 ms, 12 ms, 1.2 s, 3 min, 2 h, 4 d. */
export function millis(time) {
  if (time === null || time === undefined) return NONE;
  if (time < 1000) return `${time < 10 ? trim(time.toFixed(1)) : time.toFixed(0)} ms`;
  if (time < 60e3) return `${time < 10e3 ? trim((time / 1e3).toFixed(1)) : (time / 1e3).toFixed(0)} s`;
  if (time < 3600e3) return `${Math.floor(time / 60e3)} min`;
  return time < 86400e3 ? `${Math.floor(time / 3600e3)} h` : `${Math.floor(time / 86400e3)} d`;
}

/** How long ago that is, in whole seconds at the least, so that it does not flicker. */
export function ago(at, now) {
  const time = now - Date.parse(at);
  if (!(time >= 1000)) return "just now";
  return `${millis(Math.floor(time / 1000) * 1000)} ago`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** The time of day. */
export function clock(at) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? NONE : CLOCK.format(date);
}

/** `half_open` as people write it. */
export const words = (name) => String(name).replaceAll("_", " ");

/** A measured value, read by the end of its name. */
export function value(name, measured) {
  if (measured === null || measured === undefined) return NONE;
  if (typeof measured === "boolean") return measured ? "yes" : "no";
  if (typeof measured !== "number") return typeof measured === "string" ? words(measured) : JSON.stringify(measured);
  if (name.endsWith("_ms")) return millis(measured);
  if (/(ratio|share|_rate_of_window|probability)$/.test(name)) return percent(measured);
  return Math.abs(measured) < 1e4 ? trim(measured.toFixed(3)) : count(measured);
}

/** A value's name without the unit, which `value` has said. */
export const label = (name) => words(name.replace(/_(ms|ratio)$/, ""));
