import { html, tableOf } from "./dom.js";
import { formatFigure, formatPercent, formatRange, formatShare, MARKS, sentenceOf } from "./words.js";

/** @typedef {import("../src/explanation/explanation.ts").EpisodeExplanation} EpisodeExplanation */
/** @typedef {import("../src/explanation/explanation.ts").AgentExplanation} AgentExplanation */
/** @typedef {import("../src/explanation/explanation.ts").Decision} Decision */
/** @typedef {import("../src/explanation/explanation.ts").Moment} Moment */

/**
 * What an agent could do at a step, what it did, and what that was worth.
 *
 * @param {EpisodeExplanation} explanation
 * @param {AgentExplanation} agent
 * @param {Decision} decision
 * @param {Moment | undefined} moment
 */
export function drawPanel(explanation, agent, decision, moment) {
  const took = html("p", {}, html("strong", {}, agent.name), " took ", html("strong", {}, decision.taken.label));
  const parts = [took, html("p", {}, sentenceOf(explanation, decision, moment)), keepOrBlind(decision.mask)];
  if (moment && moment.share !== null && moment.effect.adjusted !== null) {
    const mark = moment.size > 0 ? `${MARKS[moment.size]} ` : "";
    parts.push(html("p", { class: "quiet" }, `${mark}${formatShare(moment.share, explanation)}`));
  }
  const rows = rowsOf(agent, decision, moment);
  if (rows.length > 0) {
    const header = ["action", "policy", ...(moment ? ["worth"] : [])];
    const table = tableOf(
      header,
      rows.map(({ cells }) => (moment ? cells : cells.slice(0, 2))),
      [2],
    );
    rows.forEach(({ kind }, i) => {
      if (kind) table.querySelectorAll("tbody tr")[i].setAttribute("class", kind);
    });
    parts.push(html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Actions" }, table));
  }
  if (!moment)
    parts.push(
      html("p", { class: "quiet" }, "What the actions were worth is known for the moments that were measured."),
    );
  return parts;
}

/**
 * @param {AgentExplanation} agent
 * @param {Decision} decision
 * @param {Moment | undefined} moment
 */
function rowsOf({ choices: always }, { choices: listed, probabilities, taken }, moment) {
  const choices = listed ?? always;
  const worth = new Map(moment?.alternatives.map((each) => [each.action.join(), each]));
  if (choices === null) {
    return [...worth.values()].map((each) => ({
      kind: each.taken ? "taken" : "",
      cells: [
        each.taken ? `${each.label} (taken)` : each.label,
        each.probability === null ? "" : formatPercent(each.probability),
        formatRange(each),
      ],
    }));
  }
  const order = choices.map((_, a) => a);
  // Lists that change are long: the likely ones first.
  if (always === null) order.sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
  return order.map((a) => {
    const probability = probabilities[a];
    const value = worth.get(String(a));
    const isTaken = taken.action[0] === a;
    if (probability === null) return { kind: "illegal", cells: [choices[a], "illegal", ""] };
    const bar = html("span", {
      class: isTaken ? "bar" : "bar still",
      style: `width: ${(3 * probability).toFixed(2)}rem`,
    });
    return {
      kind: isTaken ? "taken" : "",
      cells: [
        isTaken ? `${choices[a]} (taken)` : choices[a],
        html("span", { class: "share" }, bar, ` ${formatPercent(probability)}`),
        value ? formatRange(value) : "",
      ],
    };
  });
}

/** @param {number} mask m */
function keepOrBlind(mask) {
  const [keep, blind] = [mask, 1 - mask].map((share) => formatPercent(share));
  // Words that have no room are left out of the bar; the sentence for screen readers has them.
  const bar = html(
    "div",
    { class: "keep", role: "img", "aria-label": `mask ${formatFigure(mask)}: keep ${keep}, blind ${blind}` },
    html("span", { style: `width: ${100 * mask}%` }, mask >= 0.35 ? `keep ${keep}` : ""),
    html("span", { style: `width: ${100 * (1 - mask)}%` }, mask <= 0.65 ? `blind ${blind}` : ""),
  );
  return html(
    "div",
    {},
    html("div", { class: "quiet" }, `Mask m = ${formatFigure(mask)}: keep the policy's action, or blind it`),
    bar,
  );
}
