import type { RunRecord } from "@magic-mask/core";
import type { Config } from "../config.ts";
import type { Evaluation } from "../evaluate.ts";
import type { Moment } from "../explain.ts";
import { formatInterval, formatNumber, formatTable } from "./table.ts";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const percentInterval = ({ estimate, low, high }: { estimate: number; low: number; high: number }) =>
  `${percent(estimate)} [${percent(low)}, ${percent(high)}]`;

const remarkOn = ({ low, high }: { low: number; high: number }) => {
  if (high < 0) return " (sharing made it worse)";
  return low <= 0 ? " (the interval spans zero: no effect shown)" : "";
};

/** The evaluation as text for a terminal. Intervals are 95 %, over held-out games, or over initialisations for `paper`. */
export function formatEvaluation(evaluation: Evaluation, record: RunRecord, config: Config): string {
  const { opponents, kl, truth, ranking, drops, fidelity, bytes } = evaluation;
  return [
    `${record.environment} ${JSON.stringify(config.environment.options)}, seed ${record.seed}, ${record.steps} steps, one trained team; intervals: 95 %, bootstrap over held-out games`,
    "",
    formatTable(
      opponents.map(({ opponent, play, metric, value }) => [`${metric} against ${opponent}`, play, value]),
      ["strength", "play", ""],
    ),
    "",
    `kl/update ${formatNumber(kl.update.last)} nats at the end, ${formatNumber(kl.update.largest)} at most; kl/perturbation ` +
      kl.perturbation.map(({ agent, value }) => `${formatNumber(value)} (${agent})`).join(", "),
    "",
    ...truth.map(
      ({ agent, states, rollouts, reliability }) =>
        `truth for ${agent}: ${states} held-out decisions, ${rollouts} rollouts per legal action, split-half reliability ${formatNumber(reliability)}`,
    ),
    formatTable(
      ranking.map(({ agent, explainer, auroc, spearman }) => [agent, explainer, auroc, spearman]),
      ["agent", "criticality by", "AUROC of the true top 10 %", "Spearman"],
    ),
    "paper: mean and t-interval over initialisations. The value of a state for this policy is meant, not that of perfect play.",
    "",
    formatTable(
      drops.map(({ agent, order, drop, budget, missed }) => [
        agent,
        order,
        percentInterval(drop),
        percent(budget) + (missed ? " (off by more than 0.5 points)" : ""),
      ]),
      ["agent", "blinded decisions", "reward drop, share of the return range", "realised budget"],
    ),
    "",
    `inter-agent fidelity: ${formatNumber(fidelity.shared)} with sharing, ${formatNumber(fidelity.unshared)} without; gain ${formatInterval(fidelity.gain)}, from ${fidelity.received} records of peers` +
      remarkOn(fidelity.gain),
    `shared: ${bytes.training} bytes in training (${formatNumber(bytes.perAgentPer1000Steps)} per agent per 1,000 steps), ${bytes.postHoc} in the post-hoc pass`,
  ].join("\n");
}

/** One moment as text for a terminal. */
export function formatMoment(moment: Moment): string {
  const { game, tick, agent, perturbation, estimate, spread, mask, effect, actions, picture, finalReturn, outcome } =
    moment;
  const end = `${outcome ? `it ${outcome}, ` : ""}return ${formatNumber(finalReturn)}`;
  return [
    `The most critical moment of held-out game ${game}: step ${tick}, ${agent} to act (${end})`,
    "",
    picture.trimEnd(),
    "",
    `Acting ${perturbation === "uniform" ? "at random" : `by ${perturbation}`} here costs ${agent} ${formatInterval(effect)} of return (n = ${effect.rollouts} fresh rollouts per action, 95 %);` +
      ` the mask estimated ${formatNumber(estimate)} ± ${formatNumber(spread)}, m = ${formatNumber(mask)}`,
    formatTable(
      actions.map(({ label, probability, value, taken }) => [taken ? `${label} (taken)` : label, probability, value]),
      ["action", "policy", "mean return after it"],
    ),
  ].join("\n");
}
