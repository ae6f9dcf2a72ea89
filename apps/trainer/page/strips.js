import { html, svg } from "./dom.js";
import { criticalityColour, extentWithZero, linear, mostCriticalByColumn, ticks } from "./scales.js";
import { formatFigure } from "./words.js";

/** @typedef {import("../src/explanation/explanation.ts").EpisodeExplanation} EpisodeExplanation */
/** @typedef {import("../src/explanation/explanation.ts").AgentExplanation} AgentExplanation */
/** @typedef {import("../src/explanation/explanation.ts").Moment} Moment */

/** Pixels left of the plots, for their scales, and right of them. */
const LEFT = 48;
const RIGHT = 10;
const STRIP = 84;
const GHOST = 58;
/** Pixels between the scale and the first step, and behind the last. */
const INSET = 9;
const EDGE = 5;

/**
 * Where the steps lie, in strips and curve alike.
 *
 * @param {number} steps
 * @param {number} width pixels
 */
export const stepScale = (steps, width) => linear(0, steps, LEFT + INSET, width - RIGHT - INSET);

/**
 * The step at a place.
 *
 * @param {number} steps
 * @param {number} width pixels
 */
export const stepAt = (steps, width) => linear(LEFT + INSET, width - RIGHT - INSET, 0, steps);

/** Half the width of an interval in standard deviations. */
const HALF = 1.96;

/**
 * One strip per agent, all on one scale: a bar from the low to the high end of each estimate's interval, coloured by the estimate;
 * over it what was measured; below it, as a ghost, what decisions picked at random were measured to cost.
 *
 * @param {EpisodeExplanation} explanation
 * @param {number} width pixels
 * @param {boolean} dark
 * @param {(agent: number) => void} choose
 */
export function drawStrips({ agents, steps }, width, dark, choose) {
  const [low, high] = extentWithZero(
    agents.flatMap(({ decisions, moments, baseline }) => [
      ...decisions.flatMap(({ estimate, spread }) => [
        estimate - HALF * (spread ?? 0),
        estimate + HALF * (spread ?? 0),
      ]),
      ...[...moments, ...baseline.moments].flatMap(({ effect }) => [effect.low, effect.high]),
    ]),
  );
  const most = Math.max(...agents.flatMap(({ decisions }) => decisions.map(({ estimate }) => estimate)), 0);
  const x = stepScale(steps, width);
  return agents.map((agent, number) => {
    const name = html("button", { type: "button", "aria-pressed": "false" }, `${number + 1} ${agent.name}`);
    name.addEventListener("click", () => choose(number));
    const plots = [plotEstimates(agent, x, steps, width, [low, high], most, dark)];
    if (agent.baseline.moments.length > 0) plots.push(plotBaseline(agent, x, width, [low, high]));
    return { element: html("div", { class: "strip" }, name, ...plots.map(({ element }) => element)), name, plots };
  });
}

/**
 * @param {AgentExplanation} agent
 * @param {(step: number) => number} x
 * @param {number} steps
 * @param {number} width
 * @param {readonly [number, number]} extent
 * @param {number} most
 * @param {boolean} dark
 */
function plotEstimates({ name, decisions, moments }, x, steps, width, extent, most, dark) {
  const y = linear(...extent, STRIP - EDGE, EDGE);
  const bar = Math.max(2, Math.min(14, 0.8 * (x(1) - x(0))));
  const shown = mostCriticalByColumn(decisions, steps, Math.floor((width - LEFT - RIGHT) / 2));
  const bars = shown.map(({ step, estimate, spread }) => {
    const half = HALF * (spread ?? 0);
    const top = Math.min(y(estimate + half), y(estimate) - 1.5);
    const bottom = Math.max(y(estimate - half), y(estimate) + 1.5);
    const fill = criticalityColour(most > 0 ? estimate / most : 0, dark);
    return svg("rect", { class: "estimate", x: x(step) - bar / 2, y: top, width: bar, height: bottom - top, fill });
  });
  const label = `Criticality of ${name} over ${steps} steps; the same figures stand in the table below`;
  const content = [...axis(y, extent, width, 3), ...bars, ...moments.flatMap((moment) => measured(moment, x, y))];
  return plot(STRIP, width, label, content);
}

/**
 * @param {AgentExplanation} agent
 * @param {(step: number) => number} x
 * @param {number} width
 * @param {readonly [number, number]} extent
 */
function plotBaseline({ name, baseline }, x, width, extent) {
  const y = linear(...extent, GHOST - EDGE, EDGE);
  const whiskers = baseline.moments.flatMap(({ step, effect }) => [
    svg("rect", {
      ...{ class: "ghost", x: x(step) - 4, width: 8 },
      ...{ y: y(effect.high) - 1, height: y(effect.low) - y(effect.high) + 2 },
    }),
    svg("path", { class: "ghost-point", d: `M${x(step) - 6},${y(effect.estimate)}h12` }),
  ]);
  const label = `What decisions of ${name} picked at random cost`;
  const words = svg("text", { class: "halo", x: width - RIGHT, y: 11, "text-anchor": "end" }, "picked at random");
  return plot(GHOST, width, label, [...axis(y, extent, width, 2), ...whiskers, words]);
}

/**
 * @param {Moment} moment
 * @param {(step: number) => number} x
 * @param {(value: number) => number} y
 */
function measured({ step, effect, significant }, x, y) {
  const [at, top, middle, bottom] = [x(step), y(effect.high), y(effect.estimate), y(effect.low)];
  return [
    svg("path", { class: "whisker", d: `M${at - 3},${top}h6M${at},${top}V${bottom}M${at - 3},${bottom}h6` }),
    svg("path", {
      class: significant ? "point" : "point unsure",
      d: `M${at},${middle - 4.5}l4.5,4.5l-4.5,4.5l-4.5,-4.5z`,
    }),
  ];
}

/**
 * Scale and zero line.
 *
 * @param {(value: number) => number} y
 * @param {readonly [number, number]} extent
 * @param {number} width
 * @param {number} most
 */
export function axis(y, [low, high], width, most) {
  return ticks(low, high, most).flatMap((value) => [
    svg("line", { class: value === 0 ? "zero" : "axis", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, formatFigure(value)),
  ]);
}

/**
 * A picture with the shared cursor in it.
 *
 * @param {number} height
 * @param {number} width
 * @param {string} label
 * @param {readonly Node[]} content
 */
export function plot(height, width, label, content) {
  const cursor = svg("line", { class: "cursor", y1: 0, y2: height });
  const attributes = { viewBox: `0 0 ${width} ${height}`, height: `${height}`, role: "img", "aria-label": label };
  return { element: svg("svg", attributes, ...content, cursor), cursor };
}
