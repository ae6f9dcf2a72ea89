import { svg } from "./dom.js";
import { extentWithZero, linear } from "./scales.js";
import { axis, plot, stepScale } from "./strips.js";
import { MARKS } from "./words.js";

/** @typedef {import("../src/explanation/explanation.ts").EpisodeExplanation} EpisodeExplanation */

const HEIGHT = 170;
const EDGE_OF_CURVE = 22;

/**
 * The value of each agent at its decisions, the chosen agent's in front, with marks where an effect was significant and large.
 *
 * @param {EpisodeExplanation} explanation
 * @param {number} width pixels
 * @param {number} chosen agent
 */
export function drawCurve({ agents, steps }, width, chosen) {
  const [low, high] = extentWithZero(agents.flatMap(({ decisions }) => decisions.map(({ value }) => value)));
  const x = stepScale(steps, width);
  const y = linear(low, high, HEIGHT - EDGE_OF_CURVE, EDGE_OF_CURVE);
  const order = agents.map((_, agent) => agent).sort((a, b) => Number(a === chosen) - Number(b === chosen));
  const lines = order.map((agent) =>
    svg("path", {
      class: agent === chosen ? "value chosen" : "value",
      d: agents[agent].decisions
        .map(({ step, value }, i) => `${i === 0 ? "M" : "L"}${x(step).toFixed(1)},${y(value).toFixed(1)}`)
        .join(""),
    }),
  );
  const { name, moments, decisions } = agents[chosen];
  const marks = moments.flatMap(({ step, size }) => {
    const decision = decisions.find((each) => each.step === step);
    if (size === 0 || !decision) return [];
    const [cx, cy] = [x(step), y(decision.value)];
    return [
      svg("circle", { class: "mark", cx, cy, r: 2 + 1.5 * size }),
      svg("text", { class: "mark-text halo", x: cx, y: cy - 6 - 1.5 * size, "text-anchor": "middle" }, MARKS[size]),
    ];
  });
  const label = `What ${name} expected to gain over ${steps} steps; the same figures stand in the table below`;
  return plot(HEIGHT, width, label, [...axis(y, [low, high], width, 5), ...lines, ...marks]);
}
