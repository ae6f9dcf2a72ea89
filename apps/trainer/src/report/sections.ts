import { learningCurve } from "@magic-mask/metrics";
import { headlineShare } from "../compare/plan.ts";
import { plotsOf } from "../compare/plots.ts";
import type { Difference, Figure, Row } from "../compare/summary.ts";
import { tableOf } from "../compare/table.ts";
import { plotCurves } from "../curves.ts";
import type { MetricsRow } from "../run/metrics-log.ts";
import type { Judgement, Scores } from "../study/study.ts";
import { formatCount } from "../terminal/progress.ts";
import { type Cell, formatInterval, formatNumber } from "../terminal/table.ts";
import { addressOf } from "../work/address.ts";
import type { Block, Claim, Origin, Scene, Section, Table } from "./document.ts";
import { type CriticalMoment, momentsOfGames } from "./moments.ts";
import { BOLD, bestOf, blocksOf, overWorlds, poolOf } from "./pool.ts";
import type { ComparisonSource, RunSource, Source, StudySource } from "./sources.ts";

/** What a source contributes. */
export interface Part {
  readonly summary: readonly string[];
  readonly claims: readonly Claim[];
  readonly sections: readonly Section[];
}

const seedsInWords = (seeds: readonly (number | string)[]) =>
  `${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`;

function originOf(source: Source): Origin {
  if (source.kind === "run") {
    const { record, path } = source;
    return {
      command: `magic-mask train --config ${path}/config.yaml`,
      seeds: seedsInWords([record.seed]),
      commit: record.commit,
      digest: record.trajectoryHash,
    };
  }
  if (source.kind === "comparison") {
    const { command, commit, digest, plan } = source.comparison;
    return { command, seeds: `policies ${plan.policies.map(({ label }) => label).join(", ")}`, commit, digest };
  }
  const { command, commit, digest, plan } = source.results;
  return { command, seeds: seedsInWords(plan.axes.seed), commit, digest };
}

export function partOfStudy(source: StudySource): Part {
  const { results, moments } = source;
  const { study, size, report, failures, plan, ledger, machine } = results;
  const origin = originOf(source);
  const hours = (ledger.training + ledger.truth + ledger.learning + ledger.judging) / 3600;
  const worlds = plan.worlds.map(
    ({ environment, subjects }) =>
      `${environment}: policies of ${formatCount(subjects.policies[0].config.training.totalSteps)} steps, ${subjects.sizes.states} ${subjects.states} states of each agent`,
  );
  return {
    summary: [
      ...(size === "quick"
        ? [`The study ${study.id} was made at small sizes, to try it: nothing can be concluded from it.`]
        : []),
      ...standingInWords(study.id, report.judgements),
      ...(failures.length > 0
        ? [`${study.id}: ${failures.length} tasks failed; what they were to make is missing.`]
        : []),
    ],
    claims: report.judgements.map((judgement) => ({ ...judgement, source: study.id })),
    sections: [
      {
        title: `Study ${study.id}`,
        blocks: [
          {
            kind: "words",
            paragraphs: [
              study.question,
              `The paper: ${study.claim}.`,
              `${worlds.join("; ")}. Its processes took ${formatNumber(hours)} hours by the clock, one after the other, on ${machine.cpu}, ${machine.cpus} cores.`,
              ...failures.map(({ what, tries, error }) => `Failed after ${tries} tries: ${what}: ${error}`),
            ],
          },
          ...(report.sentences.length > 0 ? [{ kind: "list" as const, items: report.sentences }] : []),
          ...report.pictures.map(
            ({ name, svg }): Block => ({
              kind: "picture",
              name: `${study.id}-${name}`,
              svg,
              caption: "Means over seeds with 95 % t-intervals where bars or bands are drawn.",
              origin,
            }),
          ),
          ...report.tables.map((table): Table => ({ kind: "table", ...table, origin })),
          ...(report.scores && report.scores.runs.length > 0 ? blocksOf(poolOf(study.id, report.scores), origin) : []),
          ...scenes(moments, origin, study.id),
        ],
      },
    ],
  };
}

/** How the paper's claim fares, in a sentence for each verdict. */
function standingInWords(id: string, judgements: readonly Judgement[]): string[] {
  return (["reproduced", "not reproduced", "not comparable"] as const).flatMap((verdict) => {
    const own = judgements.filter((judgement) => judgement.verdict === verdict);
    if (own.length === 0) return [];
    const figures = [...new Set(own.map(({ figure }) => figure))];
    const placesOf = (figure: string) => [
      ...new Set(own.filter((each) => each.figure === figure).map(({ where }) => where)),
    ];
    const named = listed(figures.map((figure) => `${figure}: ${listed(placesOf(figure), ", ")}`));
    const why = own.every((each) => each.why === own[0].why) ? `: ${own[0].why}` : "";
    return [
      `${id}: the paper's claim is ${verdict} in ${own.length} of ${judgements.length} comparisons${why} (${named}).`,
    ];
  });
}

/** The first of these, and how many more there are. */
const listed = (all: readonly string[], between = "; ") =>
  [...all.slice(0, NAMED), ...(all.length > NAMED ? [`and ${all.length - NAMED} more`] : [])].join(between);

/** Figures, and places, that a sentence names. */
const NAMED = 4;

export function partOfComparison(source: ComparisonSource): Part {
  const { comparison, moments } = source;
  const { plan, summary, sentence, truth } = comparison;
  const origin = originOf(source);
  const world = plan.environment.id;
  const known = truth.flatMap(({ reliability }) => (reliability === null ? [] : [reliability]));
  const reliability = known.length > 0 ? formatNumber(Math.min(...known)) : "unknown";
  return {
    summary: [sentence],
    claims: claimsOf(source),
    sections: [
      {
        title: `Explainers compared: ${world}`,
        blocks: [
          {
            kind: "words",
            paragraphs: [
              `${plan.policies.length} policies, ${plan.agents.length} agents, ${plan.sizes.states} ${plan.states} states of each; split-half reliability of the truth ${reliability} at the least. ` +
                "Figures are means over agents, then over policies, with 95 % t-intervals over policies.",
            ],
          },
          ...plotsOf(comparison).map(
            ({ name, svg }): Block => ({
              kind: "picture",
              name: `${world}-${name}`,
              svg,
              caption:
                CAPTIONS[name] ??
                "AUROC of each explainer with its 95 % interval over policies; chance is at one half.",
              origin,
            }),
          ),
          ...plan.budgets.map((budget): Table => {
            const { header, body } = tableOf(summary.rows, budget);
            return {
              kind: "table",
              title: `${world}: ${formatCount(budget)} environment steps per explainer`,
              note: `AUROC and NDCG are of the true top 10 %; a drop is the loss of return as a share of its range. StateMask's score is better the lower it is, and says nothing above its floor. ${BOLD}`,
              header,
              body,
              best: bestCells(summary.rows, budget, header, body, headlineShare(plan.sizes.shares)),
              origin,
            };
          }),
          differencesOf(source, origin),
          ...scenes(moments, origin, world),
        ],
      },
    ],
  };
}

const CAPTIONS: Readonly<Record<string, string>> = {
  "drops.svg":
    "What it costs to blind the decisions that an explainer scores highest, against the share that was in fact blinded. Of the subject with 95 % intervals over policies, and what blinding its lowest costs.",
  "steps.svg": "AUROC by the steps that an explainer learned from; what does not learn is a dashed level.",
};

/** Columns whose figures are known policy by policy, and from which one reads which is best. */
function bestCells(
  rows: readonly Row[],
  budget: number,
  header: readonly string[],
  body: readonly (readonly Cell[])[],
  share: number,
) {
  const rowOf = (name: Cell) =>
    rows.find(({ explainer, budget: own }) => explainer === name && (own === budget || own === 0));
  const figures: Readonly<Record<string, (row: Row) => Figure | undefined>> = {
    "AUROC@10": ({ auroc }) => auroc,
    Spearman: ({ spearman }) => spearman,
    "NDCG@10": ({ ndcg }) => ndcg,
    [`drop at top ${Math.round(100 * share)} %`]: ({ drops }) =>
      drops.find((point) => point.order === "top" && point.share === share)?.drop,
  };
  return header.flatMap((name, column) => {
    const figure = figures[name];
    if (!figure) return [];
    const best = bestOf(
      body.map(([explainer]) => {
        const row = rowOf(explainer);
        return (row && figure(row)?.values) ?? [];
      }),
    );
    return best === null ? [] : [[best, column] as const];
  });
}

function differencesOf({ comparison: { summary, plan } }: ComparisonSource, origin: Origin): Table {
  const last = plan.budgets[plan.budgets.length - 1];
  const shown = summary.standing.filter(
    ({ budget, metric }) => budget === last && (metric === "auroc" || metric === "drop"),
  );
  return {
    kind: "table",
    title: `${plan.environment.id}: ${plan.subject} against every other explainer, ${formatCount(last)} steps`,
    note: "Per policy, then 95 % t-intervals over policies. Above and below: the interval lies on one side of 0; the many comparisons are not corrected for.",
    header: ["figure", "against", "difference", ""],
    body: shown.map(({ metric, reference, interval, verdict }): Cell[] => [
      METRICS[metric],
      reference,
      interval ?? "n/a",
      verdict,
    ]),
    origin,
  };
}

const METRICS: Readonly<Record<Difference["metric"], string>> = {
  auroc: "AUROC",
  spearman: "Spearman",
  ndcg: "NDCG",
  drop: "drop",
};

/** The paper holds its reward drop against StateMask's (Table 1): scales are unpublished, so only who is above whom can be told. */
function claimsOf({ comparison: { plan, summary } }: ComparisonSource): Claim[] {
  const last = plan.budgets[plan.budgets.length - 1];
  const found = summary.standing.find(
    ({ budget, metric, reference }) => budget === last && metric === "drop" && reference === "statemask",
  );
  if (!found) return [];
  const { interval, verdict } = found;
  const told = {
    above: ["reproduced", "the order is the paper's; its scale is unpublished"],
    below: ["not reproduced", "StateMask's drop is the larger one"],
    "not separated": ["not reproduced", "not separated: the interval spans zero"],
    undefined: ["not comparable", "a drop is unknown"],
  } as const;
  return [
    {
      where: `${plan.environment.id}, ${formatCount(last)} steps`,
      claim: "15.1 to 16.2 %, against 10.3 to 13.4 % by StateMask",
      figure: `reward drop of ${plan.subject} over that of StateMask's objective, share of the return range`,
      measured: interval,
      verdict: told[verdict][0],
      why: told[verdict][1],
      source: `comparison ${plan.environment.id}`,
    },
  ];
}

/** A comparison's figures as runs: explainers are arms, policies are seeds. Of the largest budget. */
function scoresOf({ comparison: { plan, summary } }: ComparisonSource): Scores {
  const last = plan.budgets[plan.budgets.length - 1];
  const rows = summary.rows.filter(({ budget }) => budget === last || budget === 0);
  return {
    metrics: [
      { name: "auroc", title: "AUROC of the true top 10 %", oneScale: true },
      { name: "spearman", title: "Spearman", oneScale: true },
    ],
    runs: rows.flatMap((row) =>
      plan.policies.map((_, policy) => ({
        environment: plan.environment.id,
        arm: row.explainer,
        seed: policy,
        steps: last,
        values: { auroc: row.auroc.values[policy], spearman: row.spearman.values[policy] },
      })),
    ),
  };
}

/** Several comparisons of other worlds as one. Undefined for fewer than two. */
export function overComparisons(sources: readonly ComparisonSource[]): Section | undefined {
  if (sources.length < 2) return undefined;
  const scores = sources.map(scoresOf);
  // Budgets differ from world to world; each is the largest of its own.
  const runs = scores.flatMap((each) => each.runs.map((run) => ({ ...run, steps: 0 })));
  const origins = sources.map(originOf);
  const origin: Origin = {
    command: origins.map(({ command }) => command).join("; "),
    seeds: origins.map(({ seeds }) => seeds).join("; "),
    commit: origins.every(({ commit }) => commit === origins[0].commit) ? origins[0].commit : "several",
    digest: addressOf(origins.map(({ digest }) => digest)),
  };
  const pool = poolOf("comparisons", { metrics: scores[0].metrics, runs }, "each world's largest budget");
  return { title: "Explainers over all worlds", blocks: overWorlds(pool, origin) };
}

/** Runs of one world and one configuration but for the seed, together. */
export function partOfRuns(sources: readonly RunSource[]): Part {
  const [{ record, config }] = sources;
  const origins = sources.map(originOf);
  const origin: Origin = {
    ...origins[0],
    command: sources.map(({ path }) => `magic-mask train --config ${path}/config.yaml`).join("; "),
    seeds: seedsInWords(sources.map((source) => source.record.seed)),
    digest: origins.map(({ digest }) => digest).join(", "),
  };
  const evaluated = sources.filter(({ evaluation }) => evaluation);
  const zeroSum = sources[0].metrics.some((row) => "charts/win_rate_random" in row);
  const strength = zeroSum ? "charts/win_rate_random" : "charts/return_random";
  const games = sources.flatMap(({ explanations }) => explanations);
  const title = `${record.environment}, run ${config.name}, ${origin.seeds}`;
  return {
    summary: sources.map((source) => sentenceOn(source)),
    claims: [],
    sections: [
      {
        title: `Training: ${title}`,
        blocks: [
          {
            kind: "words",
            paragraphs: [
              `${sources.length === 1 ? "One trained team: intervals are over held-out games, and say nothing of other seeds" : `${sources.length} trained teams; curves are means with 95 % t-intervals over seeds`}. Objective ${config.mask.objective}, perturbation ${config.mask.perturbation}, sharing ${config.sharing.mode}.`,
            ],
          },
          ...curve(sources, "charts/episodic_return", `${record.environment}: return in training`, origin),
          ...curve(
            sources,
            strength,
            `${record.environment}: ${zeroSum ? "win rate" : "return"} against random play`,
            origin,
          ),
          ...curve(sources, "kl/update", `${record.environment}: kl/update, nats`, origin),
          ...evaluated.flatMap((source) => evaluationOf(source)),
          ...scenes(momentsOfGames(games), origin, record.environment),
        ],
      },
    ],
  };
}

function sentenceOn({ record, evaluation }: RunSource): string {
  const about = `${record.id}: ${record.state} after ${formatCount(record.steps)} steps`;
  if (!evaluation) return `${about}; nobody has evaluated it.`;
  const ranked = evaluation.truth.map(({ agent }) => {
    const own = evaluation.ranking.find((row) => row.agent === agent);
    return own
      ? `${own.explainer} finds the critical decisions of ${agent} with AUROC ${formatInterval(own.auroc)}`
      : "";
  });
  const [opponent] = evaluation.opponents;
  const { gain, received } = evaluation.fidelity;
  const sharing =
    received === 0
      ? "nothing was shared"
      : gain.low > 0
        ? `sharing raises inter-agent fidelity by ${formatInterval(gain)}`
        : gain.high < 0
          ? `sharing lowers inter-agent fidelity: ${formatInterval(gain)}`
          : `no effect of sharing on inter-agent fidelity is shown: ${formatInterval(gain)}`;
  return `${about}; ${opponent ? `${opponent.metric} against ${opponent.opponent} ${formatInterval(opponent.value)}; ` : ""}${ranked.join(", ")}; ${sharing} (one team; intervals over held-out games).`;
}

function evaluationOf(source: RunSource): Block[] {
  const { evaluation, record } = source;
  if (!evaluation) return [];
  const origin = { ...originOf(source), command: `magic-mask evaluate ${source.path}` };
  return [
    {
      kind: "table",
      title: `${record.id}: agreement with ground truth`,
      note: "95 % bootstrap intervals over held-out games; of paper, over initialisations. They tell nothing of other trained teams, so nothing is bold.",
      header: ["agent", "criticality by", "AUROC of the true top 10 %", "NDCG of the top 10 %", "Spearman"],
      body: evaluation.ranking.map(({ agent, explainer, auroc, ndcg, spearman }): Cell[] => [
        agent,
        explainer,
        known(auroc),
        known(ndcg),
        known(spearman),
      ]),
      origin,
    },
    {
      kind: "table",
      title: `${record.id}: reward drop`,
      note: "Loss of return as a share of its range where a share of one agent's decisions is blinded: those scored highest, as many at random, those scored lowest.",
      header: ["agent", "blinded", "asked for", "drop", "in fact blinded"],
      body: evaluation.drops.map(({ agent, order, share, drop, budget }): Cell[] => [
        agent,
        { top: "highest", random: "at random", bottom: "lowest" }[order],
        share,
        known(drop),
        budget,
      ]),
      origin,
    },
  ];
}

/** Of JSON, where NaN has become null. */
const known = ({ estimate, low, high }: { estimate: number; low: number; high: number }) => ({
  estimate: estimate ?? Number.NaN,
  low: low ?? Number.NaN,
  high: high ?? Number.NaN,
});

/** Stretches that a curve is averaged over. */
const POINTS = 40;

function curve(sources: readonly RunSource[], tag: string, title: string, origin: Origin): Block[] {
  const runs = sources.map(({ metrics }) => smoothed(metrics, tag)).filter(({ steps }) => steps.length > 0);
  if (runs.length === 0) return [];
  const at = runs[0].steps;
  const points =
    runs.length > 1
      ? learningCurve(runs, at).flatMap((interval, i) => (interval ? [{ x: at[i], ...interval }] : []))
      : at.map((x, i) => ({ x, estimate: runs[0].values[i] }));
  const name = runs.length > 1 ? `mean of ${runs.length} seeds` : `seed ${sources[0].record.seed}`;
  const svg = plotCurves({
    title,
    xLabel: "environment steps over all copies",
    series: [{ name, points, rank: "subject" }],
  });
  if (svg === null) return [];
  const words = runs.length > 1 ? "95 % t-intervals over seeds, pointwise." : "One seed: no interval.";
  return [
    {
      kind: "picture",
      name: `${sources[0].record.environment}-${tag.replaceAll("/", "-")}.svg`,
      svg,
      caption: `Means over ${formatCount(at[0])} steps each. ${words}`,
      origin,
    },
  ];
}

/** Means of equal stretches of iterations, each at its last step. */
function smoothed(
  metrics: readonly MetricsRow[],
  tag: string,
): { readonly steps: number[]; readonly values: number[] } {
  const rows = metrics.filter((row) => typeof row[tag] === "number");
  const each = Math.max(1, Math.ceil(rows.length / POINTS));
  const steps: number[] = [];
  const values: number[] = [];
  for (let from = 0; from < rows.length; from += each) {
    const part = rows.slice(from, from + each);
    steps.push(part[part.length - 1].steps);
    values.push(part.reduce((sum, row) => sum + (row[tag] as number), 0) / part.length);
  }
  return { steps, values };
}

function scenes(moments: readonly CriticalMoment[], origin: Origin, of: string): Block[] {
  return moments.map(
    ({ environment, policy, agent, step, perturbation, effect, alternatives, picture, picked }, i): Scene => ({
      kind: "scene",
      name: `${of}-${environment}-moment-${i + 1}`,
      picture,
      title: `${environment}: ${agent} at step ${step}`,
      caption: `Played by ${policy}. Acting by ${perturbation} here costs ${agent} ${formatInterval(effect)} of return (95 %, ${effect.rollouts} fresh rollouts per action). Picked ${picked}; what picked it had no part in the figures.`,
      header: ["action", "policy", "mean return after it"],
      body: alternatives.map(({ label, taken, probability, estimate, low, high }): Cell[] => [
        taken ? `${label} (the policy's)` : label,
        probability ?? Number.NaN,
        { estimate, low, high },
      ]),
      origin,
    }),
  );
}
