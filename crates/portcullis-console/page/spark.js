// The last five minutes as a picture: calls that went well at the bottom, failures on them, refusals on top.

import { svg } from "./dom.js";
import { STEPS } from "./history.js";

const HEIGHT = 40;
/** Steps are drawn in twos: more cannot be told apart. */
const WIDTH = STEPS / 2;
const LAYERS = ["refused", "failed", "fine"];

/** An empty picture. */
export function sparkline() {
  const layers = LAYERS.map((name) => svg("path", { class: `spark-${name}` }));
  return svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...layers);
}

/** Draws it, and answers with the most calls in a second. */
export function draw(picture, past) {
  const { tops, peak } = stack(past);
  LAYERS.forEach((_, layer) => picture.children[layer].setAttribute("d", area(tops[layer], peak)));
  return peak / 4;
}

/** The upper edges of the three layers, each drawn down to the ground and covered by the next. */
function stack({ calls, failures, refused }) {
  const tops = [new Float64Array(WIDTH), new Float64Array(WIDTH), new Float64Array(WIDTH)];
  let peak = 0;
  for (let index = 0; index < STEPS; index += 1) {
    const at = index >> 1;
    tops[0][at] += calls[index] + refused[index];
    tops[1][at] += calls[index];
    tops[2][at] += calls[index] - failures[index];
    peak = Math.max(peak, tops[0][at]);
  }
  return { tops, peak };
}

function area(top, peak) {
  if (peak === 0 || !top.some(Boolean)) return "";
  let path = `M0 ${HEIGHT}`;
  let before = null;
  top.forEach((height, x) => {
    const y = (HEIGHT - 1 - (height / peak) * (HEIGHT - 2)).toFixed(1);
    // Flat parts need one line only.
    if (y !== before) path += `${before === null ? "" : `H${x}`}V${height === 0 ? HEIGHT : y}`;
    before = y;
  });
  return `${path}H${WIDTH}V${HEIGHT}Z`;
}
