import type { RunRecord } from "@magic-mask/core";
import type { AgentResult } from "../agent.ts";
import type { Config } from "../config.ts";
import type { Evaluation } from "../evaluate.ts";
import type { AgentExplanation, EpisodeExplanation, Moment } from "../explanation/explanation.ts";
import { costOf, lackOf, verdictOf } from "../explanation/words.ts";
import { formatInterval, formatNumber, formatTable } from "./table.ts";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const percentInterval = ({ estimate, low, high }: { estimate: number; low: number; high: number }) =>
  `${percent(estimate)} [${percent(low)}, ${percent(high)}]`;

const remarkOn = ({ low, high }: { low: number; high: number }) => {
  if (high < 0) return " (sharing made it worse)";
  return low <= 0 ? " (the interval spans zero: no effect shown)" : "";
};

/** How many of an agent's states are named. */
const NAMED = 5;

/** What an agent apart found out, as text for a terminal. */
export function formatAgent({ agent, steps, mode, comm, seconds, commSeconds, states, ranking }: AgentResult): string {
  const heard = comm.messages.reduce((sum, count) => sum + count, 0);
  const lines = [
    `${agent}: ${steps} steps; told ${comm.shared} records and heard ${comm.received} in ${heard} messages (mode ${mode}); ` +
      `${percent(commSeconds / seconds)} of ${seconds.toFixed(1)} s went into records and messages`,
    `messages: ${comm.acknowledged} acknowledged, ${comm.dropped} dropped, ${comm.missed} missed, ${comm.refused + comm.senseless} refused`,
  ];
  if (ranking.length > 0) {
    const rows = ranking.map(({ explainer, auroc, ndcg, spearman }) => [explainer, auroc, ndcg, spearman]);
    const header = ["criticality by", "AUROC of the true top 10 %", "NDCG of the top 10 %", "Spearman"];
    return [...lines, "", formatTable(rows, header)].join("\n");
  }
  if (!states) return [...lines, "its world cannot be copied, so there are no held-out states to score"].join("\n");
  const [name] = Object.keys(states.scores).slice(-1);
  const scores = states.scores[name];
  const best = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, NAMED);
  const rows = best.map((s) => [states.episodes[s], states.ticks[s], scores[s]]);
  return [...lines, "", formatTable(rows, ["episode", "tick", `criticality by ${name}`])].join("\n");
}

/** The evaluation as text for a terminal. Intervals are 95 %, over held-out games, or over initialisations for `paper`. */
export function formatEvaluation(evaluation: Evaluation, record: RunRecord, config: Config): string {
  const agents = evaluation.truth.map(({ agent }) => agent);
  const { opponents, kl, truth, ranking, exact, critical, drops, statemask, gate, fidelity, bytes, sanity } =
    evaluation;
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
    ...formatExact(exact),
    ...critical.map(
      ({ agent, explainer, tested, critical: found, rate, rollouts, effect }) =>
        `${agent}: of the ${tested} decisions that ${explainer} scores highest, ${found} are critical (false discovery rate ${percent(rate)}, Benjamini–Hochberg, ${rollouts} fresh rollouts per legal action); all ${tested} cost ${formatInterval(effect)} on average`,
    ),
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
    ...gate.map(
      ({ agent, drop, blinded }) =>
        `${agent}: acting by the mask's gate, at τ = ${formatNumber(config.mask.threshold)}, blinds ${percent(blinded)} of the decisions and costs ${percent(drop)} of the return range`,
    ),
    "",
    `inter-agent fidelity: ${formatNumber(fidelity.shared)} with sharing, ${formatNumber(fidelity.unshared)} without; gain ${formatInterval(fidelity.gain)}, from ${fidelity.received} records of peers` +
      remarkOn(fidelity.gain),
    ...formatPeers(evaluation, agents),
    `shared: ${bytes.training} bytes in training (${formatNumber(bytes.perAgentPer1000Steps)} per agent per 1,000 steps), ${bytes.postHoc} in the post-hoc pass`,
    ...formatSanity(sanity),
  ].join("\n");
}

/** Who explains whom, and whose records count with whom. Nothing where agents heard of nobody. */
function formatPeers({ fidelity, influence }: Evaluation, agents: readonly string[]): string[] {
  if (fidelity.received + influence.refused.flat().reduce((sum, count) => sum + count, 0) === 0) return [];
  const { matrix, sameRole, crossRole } = fidelity;
  const roles = [
    ...(Number.isNaN(sameRole) ? [] : [`${formatNumber(sameRole)} within a role`]),
    ...(Number.isNaN(crossRole) ? [] : [`${formatNumber(crossRole)} across roles`]),
  ];
  const { taken, refused, trust, used, near, averaged, steered } = influence;
  const tableOf = (title: string, cell: (i: number, j: number) => string) =>
    formatTable(
      agents.map((name, i) => [name, ...agents.map((_, j) => cell(i, j))]),
      [title, ...agents],
    );
  return [
    `with sharing ${roles.join(", ")}`,
    tableOf("AUROC of a row's head for a column's states", (i, j) => formatNumber(matrix[i][j] ?? Number.NaN)),
    "",
    tableOf("trust; share in training; share near own states", (i, j) =>
      [formatNumber(trust[i][j]), percent(used[i][j]), percent(near[i][j])].join("; "),
    ),
    "",
    tableOf("records taken, messages refused", (i, j) => (i === j ? "–" : `${taken[i][j]}, ${refused[i][j]}`)),
    "",
    ...(averaged.flat().some((count) => count > 0)
      ? [tableOf("networks averaged with a row's", (i, j) => `${averaged[i][j]}`), ""]
      : []),
    ...(steered.flat().some((share) => share > 0)
      ? [tableOf("blinding that a row left to a column", (i, j) => percent(steered[i][j])), ""]
      : []),
  ];
}

/** Nothing in worlds that are not solved. */
function formatExact(exact: Evaluation["exact"]): string[] {
  if (exact.length === 0) return [];
  const counts = exact.map(({ agent, states, early }) => `${agent}: ${states} solved, ${early} left out as too early`);
  return [
    `exact criticality: best minus mean value of a move under perfect play; held-out decisions of ${counts.join("; ")}`,
    formatTable(
      exact.flatMap((each) =>
        each.ranking.map(({ agent, explainer, auroc, spearman }) => [agent, explainer, auroc, spearman]),
      ),
      ["agent", "criticality by", "AUROC of the exact top 10 %", "Spearman"],
    ),
    "The value of a state under perfect play is meant here, not that for this policy.",
    "",
  ];
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
    of.map(({ name, expected, measured, passed }) => [
      agent,
      name,
      expected,
      measured,
      // Where nothing is critical.
      Number.isNaN(measured.estimate) ? "unknown" : passed ? "passed" : "FAILED",
    ]),
  );
  const failed = rows.filter((row) => row[4] === "FAILED").length;
  return [
    "",
    formatTable(rows, ["sanity", "trial", "expected", "measured", ""]),
    `${failed === 0 ? "all trials passed" : `${failed} of ${rows.length} trials failed`}; passed: within four standard errors of what is expected (the intervals are of two), or exactly where that is exact`,
  ];
}

/** One episode as text for a terminal: each agent's list, and the moment with the highest estimate of all in full. */
export function formatExplanation(explanation: EpisodeExplanation): string {
  const { title, agents, method } = explanation;
  const measured = agents.filter(({ moments }) => moments.length > 0);
  const all = measured.flatMap((agent) => agent.moments.map((moment) => ({ agent, moment })));
  // By what picked it: a moment that was picked by what was measured would look more critical than it is.
  const [first] = [...all].sort((a, b) => b.moment.estimate - a.moment.estimate);
  const rows = all.map(({ agent, moment }) => [
    `${agent.name} ${moment.rank}`,
    `step ${moment.step}`,
    withSpread(moment),
    moment.mask,
    moment.effect,
    verdictOf(moment),
  ]);
  const lack = lackOf(explanation);
  return [
    `${title}; ${agents.map(({ name, outcome, return: G }) => `${name} ${outcome ?? "ends"} with ${formatNumber(G)}`).join(", ")}`,
    ...(method.measurable
      ? [
          `What it costs to act by ${method.perturbation} instead; n = ${method.rollouts} fresh rollouts per action, 95 % intervals`,
          "",
          formatTable(rows, ["agent, rank", "step", "estimate", "mask", "measured cost", ""]),
        ]
      : []),
    ...measured.map(
      ({ name, baseline }) =>
        `${name}, decisions picked at random: ${baseline.effect ? formatInterval(baseline.effect) : "n/a"} on average`,
    ),
    ...(lack ? ["", lack] : []),
    "",
    ...(first ? [formatMoment(explanation, first.agent, first.moment)] : []),
  ].join("\n");
}

const withSpread = ({ estimate, spread }: Moment) =>
  formatNumber(estimate) + (spread === null ? "" : ` ± ${formatNumber(spread)}`);

/** Actions that a terminal shows. */
const LONGEST = 12;

function formatMoment(explanation: EpisodeExplanation, agent: AgentExplanation, moment: Moment): string {
  const isCritical = moment.significant && moment.effect.estimate > 0;
  const likely = [...moment.alternatives].sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0)).slice(0, LONGEST);
  // In their own order, and what was done always.
  const shown = moment.alternatives.filter((each) => each.taken || likely.includes(each));
  const left = moment.alternatives.length - shown.length;
  return [
    `${isCritical ? "The most critical moment" : "The highest estimate"} of held-out game ${explanation.game}: step ${moment.step}, ${agent.name} to act`,
    "",
    moment.board.trimEnd(),
    "",
    costOf(explanation, agent, moment),
    formatTable(
      shown.map(({ label, probability, taken, estimate, low, high }) => [
        taken ? `${label} (taken)` : label,
        probability ?? Number.NaN,
        { estimate, low, high },
      ]),
      ["action", "policy", "mean return after it"],
    ),
    ...(left > 0 ? [`and ${left} less likely ones, in the report`] : []),
  ].join("\n");
}
