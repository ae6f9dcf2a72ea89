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
  const { opponents, kl, truth, ranking, drops, statemask, fidelity, bytes, sanity } = evaluation;
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
    `truth on ${statesOf(evaluation, record)}:`,
    formatTable(
      truth.map(({ agent, states, rollouts: { mean, least, most }, batches, reliability, standardError }) => [
        agent,
        states,
        `${formatNumber(mean)} (${least} to ${most})`,
        batches,
        reliability,
        standardError,
      ]),
      ["agent", "decisions", "rollouts per legal action", "batches", "split-half reliability", "standard error"],
    ),
    "",
    formatTable(
      ranking.map(({ agent, explainer, auroc, ndcg, spearman, calibration }) => [
        agent,
        explainer,
        auroc,
        ndcg,
        spearman,
        Number.isNaN(calibration.coverage)
          ? "n/a"
          : `${percent(calibration.coverage)} (noise ${percent(calibration.noise)})`,
      ]),
      ["agent", "criticality by", "AUROC of the true top 10 %", "NDCG of the top 10 %", "Spearman", "calibration"],
    ),
    "calibration: share of truths in the explainer's 90 % intervals; noise: how much of what that allows for is truth's own error.",
    "paper: mean and t-interval over initialisations. The value of a state for this policy is meant, not that of perfect play.",
    "",
    formatTable(
      drops.map(({ agent, order, share, drop, budget, missed }) => [
        agent,
        `${Number((100 * share).toFixed(1))} %, ${DECISIONS[order]}`,
        percentInterval(drop),
        percent(budget) + (missed ? " (off by more than 0.5 points)" : ""),
      ]),
      ["agent", "blinded decisions", "reward drop, share of the return range", "realised budget"],
    ),
    "",
    formatTable(
      statemask.map(({ agent, explainer, length, window, random, floor }) => [
        agent,
        explainer,
        length,
        window.score,
        random.score,
        floor.score,
      ]),
      ["agent", "windows by", "length", "StateMask's fidelity", "random windows", "nothing blinded (floor)"],
    ),
    "StateMask's fidelity: ln(length) − ln(change of return); lower is better, and nothing above the floor is the window's doing.",
    "",
    `inter-agent fidelity: ${formatNumber(fidelity.shared)} with sharing, ${formatNumber(fidelity.unshared)} without; gain ${formatInterval(fidelity.gain)}, from ${fidelity.received} records of peers` +
      remarkOn(fidelity.gain),
    `shared: ${bytes.training} bytes in training (${formatNumber(bytes.perAgentPer1000Steps)} per agent per 1,000 steps), ${bytes.postHoc} in the post-hoc pass`,
    ...formatSanity(sanity),
  ].join("\n");
}

const DECISIONS = { top: "highest scores", random: "at random", bottom: "lowest scores" } as const;

/** Which states, and how often those that are for reporting have been looked at. */
function statesOf({ states }: Evaluation, { testLooks }: RunRecord): string {
  if (states === "dev") return "development states (for tuning: report on the test states)";
  return `test states, look ${testLooks.length} of this run`;
}

function formatSanity(sanity: Evaluation["sanity"]): string[] {
  if (sanity.length === 0) return [];
  const rows = sanity.flatMap(({ agent, rows: of }) =>
    of.map(({ name, expected, measured, passed }) => [agent, name, expected, measured, passed ? "passed" : "FAILED"]),
  );
  const failed = rows.filter((row) => row[4] === "FAILED").length;
  return [
    "",
    formatTable(rows, ["sanity", "trial", "expected", "measured", ""]),
    failed === 0 ? "all trials passed" : `${failed} of ${rows.length} trials failed`,
  ];
}

/** One moment as text for a terminal. */
export function formatMoment(moment: Moment): string {
  const { game, tick, agent, estimate, spread, mask, effect, actions, picture, finalReturn, outcome } = moment;
  const end = `${outcome ? `it ${outcome}, ` : ""}return ${formatNumber(finalReturn)}`;
  return [
    `The most critical moment of held-out game ${game}: step ${tick}, ${agent} to act (${end})`,
    "",
    picture.trimEnd(),
    "",
    `Acting at random here costs ${agent} ${formatInterval(effect)} of return (n = ${effect.rollouts} fresh rollouts per action, 95 %);` +
      ` the mask estimated ${formatNumber(estimate)} ± ${formatNumber(spread)}, m = ${formatNumber(mask)}`,
    formatTable(
      actions.map(({ label, probability, value, taken }) => [taken ? `${label} (taken)` : label, probability, value]),
      ["action", "policy", "mean return after it"],
    ),
  ].join("\n");
}
