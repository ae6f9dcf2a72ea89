import { discovery, type Interval, pairedTInterval, tInterval } from "@magic-mask/metrics";
import type { AgentFigures, CellResult } from "./cells.ts";
import { headlineShare, type Plan } from "./plan.ts";

/** A figure over policies. Null stands for what is undefined for one of them. */
export interface Figure {
  /** [policies] each the mean over agents. */
  readonly values: readonly (number | null)[];
  /** 95 % t-interval of their mean. */
  readonly interval: Interval | null;
}

/** What is known of an explainer within one budget. */
export interface Row {
  readonly explainer: string;
  /** Environment steps asked for; 0 where nothing is learned. */
  readonly budget: number;
  readonly auroc: Figure;
  readonly spearman: Figure;
  readonly ndcg: Figure;
  /** Share of truths in the explainer's 90 % intervals; null where it tells no spread. */
  readonly calibration: Figure;
  /** [agents] the same of one agent each. */
  readonly agents: readonly {
    readonly agent: string;
    readonly auroc: Figure;
    readonly spearman: Figure;
    readonly ndcg: Figure;
  }[];
  /** Empty where no drop curve was asked for. */
  readonly drops: readonly {
    readonly order: "top" | "bottom";
    readonly share: number;
    readonly drop: Figure;
    /** Share that was in fact blinded. */
    readonly budget: Figure;
  }[];
  /** StateMask's score, and what it is to be read beside; undefined where it was not asked for. */
  readonly statemask?: { readonly window: Figure; readonly random: Figure; readonly floor: Figure };
  /** AUROC over initialisations, policies and agents pooled out: mean of each initialisation. Only where there are several. */
  readonly initialisations?: Interval | null;
  /** Environment steps that were learned from, or looked ahead by; the most of any policy's. */
  readonly steps: number;
  /** Mean wall seconds per policy, of learning and of judging. */
  readonly wall: { readonly learning: number; readonly judging: number };
}

/** How much more the first of a pair has than the second, policy by policy. */
export interface Difference {
  readonly budget: number;
  readonly metric: Metric;
  readonly explainer: string;
  readonly reference: string;
  readonly values: readonly (number | null)[];
  readonly interval: Interval | null;
  /** Of the explainer: whether the interval lies above 0, below it, or spans it. */
  readonly verdict: Verdict;
}

type Metric = "auroc" | "spearman" | "ndcg" | "drop";
export type Verdict = "above" | "below" | "not separated" | "undefined";

/** After how many steps an explainer has found the states that matter. */
interface Discovery {
  readonly explainer: string;
  /** [policies] the smallest budget from which on AUROC, averaged over agents, stays above .8; null where the largest is not enough. */
  readonly steps: readonly (number | null)[];
}

export interface Summary {
  readonly rows: readonly Row[];
  /** Of every explainer, in the order of `rows`. */
  readonly discoveries: readonly Discovery[];
  /** Of every learning explainer against StateMask's objective and against the better of the policy's own signs. */
  readonly differences: readonly Difference[];
  /** Of the subject against every other explainer. */
  readonly standing: readonly Difference[];
}

/** StateMask's objective, the published method that others are held against. */
const RIVAL = "statemask";
/** What the policy's probabilities tell without learning. */
const SIGNS = ["entropy", "log_prob_gap"] as const;

/** @param results per policy, its cells in the order of `cellsOf` */
export function summarise(plan: Plan, results: readonly (readonly CellResult[])[]): Summary {
  const rows = results[0].map((_, at) => rowOf(results.map((cells) => cells[at])));
  const among = (budget: number) => rows.filter((row) => row.budget === budget || row.budget === 0);
  const differences: Difference[] = [];
  const standing: Difference[] = [];
  for (const budget of plan.budgets) {
    const present = among(budget);
    for (const metric of METRICS) {
      const sign = better(
        present.filter(({ explainer }) => (SIGNS as readonly string[]).includes(explainer)),
        metric,
      );
      const rival = present.find(({ explainer }) => explainer === RIVAL);
      const references = [rival, sign].flatMap((row) => (row && valuesOf(row, metric, plan) ? [row] : []));
      for (const row of present.filter(({ budget: own }) => own > 0)) {
        for (const reference of references) {
          if (reference !== row) differences.push(...difference(plan, budget, metric, row, reference));
        }
      }
      const subject = present.find(({ explainer }) => explainer === plan.subject);
      if (!subject) continue;
      for (const row of present) if (row !== subject) standing.push(...difference(plan, budget, metric, subject, row));
    }
  }
  return { rows, discoveries: discoveriesIn(rows), differences, standing };

  function better(candidates: readonly Row[], metric: Metric): Row | undefined {
    let best: Row | undefined;
    for (const row of candidates) {
      if (
        (meanOf(row, metric, plan) ?? Number.NEGATIVE_INFINITY) >
        (best ? (meanOf(best, metric, plan) ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY)
      )
        best = row;
    }
    return best;
  }
}

/** An explainer has a row for each budget, those in ascending order, or one for 0. */
function discoveriesIn(rows: readonly Row[]): Discovery[] {
  return [...new Set(rows.map(({ explainer }) => explainer))].map((explainer) => {
    const own = rows.filter((row) => row.explainer === explainer).sort((a, b) => a.budget - b.budget);
    const steps = own.map((row) => (isOver(row) ? row.steps : row.budget));
    return {
      explainer,
      steps: own[0].auroc.values.map((_, policy) => {
        // Where nothing is critical no area is known, and nothing found.
        const found = discovery(
          steps,
          own.map(({ auroc }) => auroc.values[policy] ?? 0),
        );
        return Number.isNaN(found) ? null : found;
      }),
    };
  });
}

/** Whether a row has taken more steps than it was to: play comes in whole ticks of all copies, and a look ahead takes one continuation at least. */
export const isOver = ({ budget, steps }: Row): boolean => budget > 0 && steps > 1.05 * budget;

const METRICS: readonly Metric[] = ["auroc", "spearman", "ndcg", "drop"];

/** [policies]; undefined where the row has no such figure. */
function valuesOf(row: Row, metric: Metric, plan: Plan): readonly (number | null)[] | undefined {
  if (metric !== "drop") return row[metric].values;
  const share = headlineShare(plan.sizes.shares);
  return row.drops.find((point) => point.order === "top" && point.share === share)?.drop.values;
}

function meanOf(row: Row, metric: Metric, plan: Plan): number | null {
  const values = valuesOf(row, metric, plan);
  return values ? mean(values) : null;
}

function difference(plan: Plan, budget: number, metric: Metric, row: Row, reference: Row): Difference[] {
  const [a, b] = [valuesOf(row, metric, plan), valuesOf(reference, metric, plan)];
  if (!a || !b) return [];
  const values = a.map((value, i) => minus(value, b[i]));
  const isKnown = values.every((value) => value !== null);
  const interval = isKnown ? pairedTInterval(a as number[], b as number[]) : null;
  return [
    {
      budget,
      metric,
      explainer: row.explainer,
      reference: reference.explainer,
      values,
      interval,
      verdict: verdictOn(interval),
    },
  ];
}

const minus = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b);

export function verdictOn(interval: Interval | null): Verdict {
  if (!interval) return "undefined";
  if (interval.low > 0) return "above";
  return interval.high < 0 ? "below" : "not separated";
}

/** One explainer's row from its cells, one per policy. */
function rowOf(cells: readonly CellResult[]): Row {
  const { explainer, budget, agents } = cells[0];
  const ranking = (of: (figures: AgentFigures) => number | null) =>
    figure(cells.map((cell) => mean(cell.agents.map(of))));
  const agentRanking = (agent: number, of: (figures: AgentFigures) => number | null) =>
    figure(cells.map((cell) => of(cell.agents[agent])));
  const pooled = agents[0].initialisations.map((_, k) =>
    mean(cells.flatMap((cell) => cell.agents.map((each) => each.initialisations[k].auroc))),
  );
  return {
    explainer,
    budget,
    auroc: ranking((each) => each.auroc),
    spearman: ranking((each) => each.spearman),
    ndcg: ranking((each) => each.ndcg),
    calibration: ranking((each) => each.calibration),
    agents: agents.map(({ agent }, i) => ({
      agent,
      auroc: agentRanking(i, (each) => each.auroc),
      spearman: agentRanking(i, (each) => each.spearman),
      ndcg: agentRanking(i, (each) => each.ndcg),
    })),
    drops: agents[0].drops.map(({ order, share }, point) => ({
      order,
      share,
      drop: ranking((each) => each.drops[point].drop),
      budget: ranking((each) => each.drops[point].budget),
    })),
    ...(agents[0].statemask && {
      statemask: {
        window: ranking((each) => each.statemask?.window ?? null),
        random: ranking((each) => each.statemask?.random ?? null),
        floor: ranking((each) => each.statemask?.floor ?? null),
      },
    }),
    ...(pooled.length > 1 && { initialisations: figure(pooled).interval }),
    steps: Math.max(...cells.map((cell) => cell.cost.steps)),
    wall: {
      learning: mean(cells.map((cell) => cell.cost.wallSeconds)) as number,
      judging: mean(cells.map((cell) => cell.cost.judgingWallSeconds)) as number,
    },
  };
}

function figure(values: readonly (number | null)[]): Figure {
  const isKnown = values.every((value) => value !== null);
  return { values, interval: isKnown ? tInterval(values as number[]) : null };
}

function mean(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum / values.length;
}

/**
 * Where the subject stands, in one sentence from the intervals of its paired differences at the largest budget.
 *
 * @param environment what the world is called
 */
export function sentenceOn(environment: string, plan: Plan, { standing, rows }: Summary): string {
  const budget = plan.budgets[plan.budgets.length - 1];
  const subject = rows.find((row) => row.explainer === plan.subject && row.budget === budget);
  if (!subject) return `${environment}: ${plan.subject} was not among the explainers.`;
  const on = standing.filter((each) => each.budget === budget && each.metric === "auroc");
  const free = new Set(rows.filter((row) => row.budget === 0).map((row) => row.explainer));
  const mattering = on.filter(({ reference }) => reference === RIVAL || free.has(reference));
  const listed = (verdict: Verdict) => mattering.filter((each) => each.verdict === verdict);
  const show = ({ reference, interval }: Difference) =>
    interval
      ? `${reference} (${signed(interval.estimate)} [${signed(interval.low)}, ${signed(interval.high)}])`
      : reference;
  const parts = (
    [
      ["above", "above"],
      ["below", "below"],
      ["not separated", "not separated from"],
      ["undefined", "not to be compared with"],
    ] as const
  ).flatMap(([verdict, words]) => {
    const found = listed(verdict);
    return found.length > 0 ? [`${words} ${found.map(show).join(", ")}`] : [];
  });
  const absent = mattering.some(({ reference }) => reference === RIVAL)
    ? ""
    : `; ${RIVAL} was not among the explainers`;
  return (
    `${environment}, AUROC of the true top 10 % after ${budget} steps: ${plan.subject} is ${parts.join("; ") || "alone"}${absent}` +
    ` (95 % paired t-intervals over ${plan.policies.length} policies).`
  );
}

const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
