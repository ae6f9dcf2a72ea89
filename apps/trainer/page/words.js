// Figures and sentences, as the report has them.

/** @typedef {import("../src/explanation/explanation.ts").EpisodeExplanation} EpisodeExplanation */
/** @typedef {import("../src/explanation/explanation.ts").AgentExplanation} AgentExplanation */
/** @typedef {import("../src/explanation/explanation.ts").Decision} Decision */
/** @typedef {import("../src/explanation/explanation.ts").Moment} Moment */
/** @typedef {import("../src/explanation/explanation.ts").Range} Range */

export const MARKS = ["", "!", "!!", "!!!"];

/**
 * Whole numbers as they are; others with two decimals, or two digits where they are smaller than 0.1.
 *
 * @param {number | null} value
 */
export function formatFigure(value) {
  if (value === null) return "n/a";
  if (Number.isInteger(value)) return minus(String(value));
  return minus(Math.abs(value) < 0.095 ? String(Number(value.toPrecision(2))) : value.toFixed(2));
}

/** @param {string} text */
const minus = (text) => text.replace(/^-/, "−");

/** @param {Range} range */
export const formatRange = ({ estimate, low, high }) =>
  `${formatFigure(estimate)} [${formatFigure(low)}, ${formatFigure(high)}]`;

/** @param {{ readonly estimate: number, readonly spread: number | null }} decision */
export const formatEstimate = ({ estimate, spread }) =>
  formatFigure(estimate) + (spread === null ? "" : ` ± ${formatFigure(spread)}`);

/** @param {number} share */
export const formatPercent = (share) => `${minus(String(Number((100 * share).toPrecision(2))))} %`;

/**
 * @param {number} share
 * @param {EpisodeExplanation} explanation
 */
export const formatShare = (share, { scale }) =>
  scale === "win chance"
    ? `${formatPercent(share).replace(" %", " points")} of win chance`
    : `${formatPercent(share)} of the ${scale}`;

/** @param {number} p */
export const formatP = (p) => (p < 0.001 ? "p < 0.001" : `p = ${Number(p.toPrecision(2))}`);

/** @param {Moment} moment */
export function verdictOf({ significant, effect }) {
  const p = effect.adjusted === null ? "" : `, ${formatP(effect.adjusted)}`;
  if (!significant) return `not significant${p}`;
  return effect.estimate < 0 ? `significant${p}: the policy's own choice is the worse one` : `significant${p}`;
}

/** @param {EpisodeExplanation} explanation */
export const withholding = ({ method }) =>
  method.perturbation === "uniform" ? "randomising this step" : `acting by ${method.perturbation} at this step`;

/**
 * Whose estimates they are, as the subject of a sentence.
 *
 * @param {EpisodeExplanation} explanation
 */
function estimatorOf({ method }) {
  if (method.explainer === "lookahead") return "Looking ahead";
  return method.explainer.endsWith("+lookahead") ? "A mean of the mask and a look ahead" : "The mask";
}

/**
 * "Randomising this step costs 0.23 [0.15, 0.31], n = 64, significant, p = 0.002", or what is estimated where nothing was measured.
 *
 * @param {EpisodeExplanation} explanation
 * @param {Decision} decision
 * @param {Moment | undefined} moment
 */
export function sentenceOf(explanation, decision, moment) {
  const act = withholding(explanation);
  if (!moment)
    return `${estimatorOf(explanation)} estimates that ${act} costs ${formatEstimate(decision)}; it was not measured.`;
  const sure = moment.effect.adjusted === null ? "picked at random" : verdictOf(moment);
  return `${act[0].toUpperCase()}${act.slice(1)} costs ${formatRange(moment.effect)}, n = ${moment.effect.rollouts}, ${sure}.`;
}
