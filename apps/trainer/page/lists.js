import { html, tableOf } from "./dom.js";
import { formatEstimate, formatFigure, formatRange, MARKS, verdictOf } from "./words.js";

/** @typedef {import("../src/explanation/explanation.ts").EpisodeExplanation} EpisodeExplanation */

/**
 * The ranked moments of every agent; a click goes there.
 *
 * @param {EpisodeExplanation} explanation
 * @param {(place: { readonly step: number, readonly agent: number }) => void} go
 */
export function drawMoments({ agents }, go) {
  return agents.map(({ name, moments, baseline }, agent) => {
    const items = moments.map((moment) => {
      const { rank, step, effect, size, significant } = moment;
      const mark = MARKS[size] ? ` ${MARKS[size]}` : "";
      const verdict = html("span", { class: significant ? "sure" : "unsure" }, verdictOf(moment));
      const text = `${rank}. step ${step}${mark}: costs ${formatRange(effect)}, `;
      const button = html("button", { type: "button", "data-step": step, "data-agent": agent }, text, verdict);
      button.addEventListener("click", () => go({ step, agent }));
      return html("li", {}, button);
    });
    const lots = baseline.effect
      ? html("p", { class: "quiet" }, `Decisions picked at random cost ${formatRange(baseline.effect)} on average.`)
      : "";
    const none = moments.length === 0 ? html("p", { class: "quiet" }, "Nothing of this agent was measured.") : "";
    return html("div", {}, html("h3", {}, `${agent + 1} ${name}`), html("ol", {}, ...items), none, lots);
  });
}

/**
 * Every figure of every decision, for those who cannot see the strips.
 *
 * @param {EpisodeExplanation} explanation
 */
export function drawTable({ agents }) {
  const rows = agents
    .flatMap(({ name, decisions, moments, baseline }) =>
      decisions.map((decision) => {
        const moment = moments.find(({ step }) => step === decision.step);
        const lot = baseline.moments.find(({ step }) => step === decision.step);
        const shown = moment ?? lot;
        return {
          step: decision.step,
          cells: [
            `${decision.step}`,
            name,
            decision.taken.label,
            formatEstimate(decision),
            formatFigure(decision.mask),
            formatFigure(decision.value),
            shown ? formatRange(shown.effect) : "",
            moment ? verdictOf(moment) : lot ? "picked at random" : "",
          ],
        };
      }),
    )
    .sort((a, b) => a.step - b.step)
    .map(({ cells }) => cells);
  const header = ["step", "agent", "took", "estimated cost", "mask", "value", "measured cost", "verdict"];
  const table = tableOf(header, rows, [0, 3, 4, 5, 6]);
  return html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Every decision" }, table);
}
