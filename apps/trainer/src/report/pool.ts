import {
  type Interval,
  interquartileMeanInterval,
  pairedTInterval,
  performanceProfile,
  probabilityOfImprovement,
  tInterval,
} from "@magic-mask/metrics";
import { plotCurves } from "../curves.ts";
import type { Scores } from "../study/study.ts";
import { formatCount } from "../terminal/progress.ts";
import type { Cell } from "../terminal/table.ts";
import type { Block, Origin, Table } from "./document.ts";

/** Fewest runs of an arm, over worlds and seeds, that statistics over both are made of. */
const FEWEST = 10;
/** Of the resampling: the figures of one report are the same whenever it is made. */
const SEED = 1;

/** Figures of a study or of comparisons, arm by arm. */
export interface Pool {
  readonly name: string;
  readonly environments: readonly string[];
  readonly arms: readonly string[];
  readonly metrics: Scores["metrics"];
  /** Largest number of steps, and that in words. */
  readonly last: number;
  readonly at: string;
  /** By ascending seed; null where undefined. */
  valuesOf(metric: string, environment: string, arm: string, steps: number): readonly (number | null)[];
  seedsOf(environment: string, arm: string, steps: number): readonly number[];
}

/** @param at what stands for the largest number of steps, where worlds have others */
export function poolOf(name: string, { metrics, runs }: Scores, at?: string): Pool {
  const distinct = <T>(values: readonly T[]) => [...new Set(values)];
  const of = (environment: string, arm: string, steps: number) =>
    runs
      .filter((run) => run.environment === environment && run.arm === arm && run.steps === steps)
      .sort((a, b) => a.seed - b.seed);
  const last = Math.max(...runs.map(({ steps }) => steps));
  return {
    name,
    environments: distinct(runs.map(({ environment }) => environment)),
    arms: distinct(runs.map(({ arm }) => arm)),
    metrics,
    last,
    at: at ?? `${formatCount(last)} steps`,
    valuesOf: (metric, environment, arm, steps) =>
      of(environment, arm, steps).map(({ values }) => values[metric] ?? null),
    seedsOf: (environment, arm, steps) => of(environment, arm, steps).map(({ seed }) => seed),
  };
}

/** Arms beside each other in each world, and over worlds × seeds where there are runs enough for that. */
export function blocksOf(pool: Pool, origin: Origin): Block[] {
  return [
    ...pool.environments.map((environment) => besideEachOther(pool, environment, origin)),
    ...overWorlds(pool, origin),
  ];
}

/** Interquartile means, probabilities of improvement and profiles; words where there are too few runs. */
export const overWorlds = (pool: Pool, origin: Origin): Block[] =>
  pool.metrics.flatMap((metric) => overWorldsBy(pool, metric, origin));

/** A row an arm, a column a metric; the best stands out where it is above every other arm in a paired interval. */
function besideEachOther(pool: Pool, environment: string, origin: Origin): Table {
  const { arms, metrics, last, at, name } = pool;
  const values = (metric: string, arm: string) => pool.valuesOf(metric, environment, arm, last);
  const best = metrics.flatMap((metric, column) => {
    const row = bestOf(arms.map((arm) => values(metric.name, arm)));
    return row === null ? [] : [[row, column + 1] as const];
  });
  return {
    kind: "table",
    title: `${name}, ${environment}: arms beside each other, ${at}`,
    note: `Means over seeds with 95 % t-intervals. ${BOLD}`,
    header: ["arm", ...metrics.map(({ title }) => title)],
    body: arms.map((arm): Cell[] => [arm, ...metrics.map((metric) => intervalOf(values(metric.name, arm)))]),
    best,
    origin,
  };
}

export const BOLD =
  "Bold: above every other row that has a figure, each by a paired 95 % interval over seeds; where none is, or a seed of one failed, nothing is bold.";

/**
 * The row that is surely above every other, seed by seed; null where none is, and where one is known of some seeds alone: it might be
 * above them all.
 *
 * @param rows [arms][seeds] in one order; one without any value takes no part
 */
export function bestOf(rows: readonly (readonly (number | null)[])[]): number | null {
  const known = rows.map((values) => (values.length >= 2 && !values.includes(null) ? (values as number[]) : null));
  if (rows.some((values, i) => known[i] === null && values.some((value) => value !== null))) return null;
  if (known.filter((values) => values !== null).length < 2) return null;
  const found = known.findIndex(
    (one, i) =>
      one !== null &&
      known.every(
        (other, j) => j === i || other === null || (other.length === one.length && pairedTInterval(one, other).low > 0),
      ),
  );
  return found < 0 ? null : found;
}

const UNKNOWN: Interval = { estimate: Number.NaN, low: Number.NaN, high: Number.NaN };
const intervalOf = (values: readonly (number | null)[]): Interval =>
  values.length >= 2 && !values.includes(null) ? tInterval(values as number[]) : UNKNOWN;

function overWorldsBy(pool: Pool, metric: Scores["metrics"][number], origin: Origin): Block[] {
  const { arms, environments, last, at, name } = pool;
  const complete = arms
    .map((arm) => ({ arm, scores: environments.map((world) => pool.valuesOf(metric.name, world, arm, last)) }))
    .filter(({ scores }) => scores.every((runs) => runs.length > 0 && !runs.includes(null))) as {
    readonly arm: string;
    readonly scores: readonly (readonly number[])[];
  }[];
  const count = (scores: readonly (readonly number[])[]) => scores.reduce((sum, runs) => sum + runs.length, 0);
  const enough = complete.filter(({ scores }) => count(scores) >= FEWEST);
  if (enough.length < 2) {
    const most = Math.max(0, ...complete.map(({ scores }) => count(scores)));
    const words = `${metric.title}: statistics over worlds × seeds take ${FEWEST} runs of at least two arms; the most that an arm has in all worlds is ${most}.`;
    return [{ kind: "words", paragraphs: [words] }];
  }
  const options = { seed: SEED };
  const without = arms.filter((name) => enough.every(({ arm }) => arm !== name));
  const means = enough.map(({ scores }) => (metric.oneScale ? interquartileMeanInterval(scores, options) : null));
  const table: Table = {
    kind: "table",
    title: `${name}: ${metric.title} over ${environments.length} worlds × seeds, ${at}`,
    note: `Stratified bootstrap over the runs of each world. P(row > column): how likely a run of the row beats one of the column, ties half; it says something where its interval leaves out 0.5.${without.length > 0 ? ` Without ${without.join(", ")}: unknown in some run, or of fewer than ${FEWEST}.` : ""}${metric.oneScale ? "" : " Worlds have different scales of this figure, so there is no mean over them."}`,
    header: [
      "arm",
      "runs",
      ...(metric.oneScale ? ["interquartile mean"] : []),
      ...enough.map(({ arm }) => `P(> ${arm})`),
    ],
    body: enough.map(({ arm, scores }, i): Cell[] => [
      arm,
      count(scores),
      ...(metric.oneScale ? [means[i] as Interval] : []),
      ...enough.map((other) => (other.arm === arm ? "" : probabilityOfImprovement(scores, other.scores, options))),
    ]),
    origin,
  };
  if (!metric.oneScale) return [table];
  const all = enough.flatMap(({ scores }) => scores.flat());
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const thresholds = Array.from({ length: PROFILE }, (_, i) => low + ((high - low) * i) / (PROFILE - 1));
  const svg = plotCurves({
    title: `${name}: share of runs above each ${metric.title}`,
    xLabel: metric.title,
    series: enough.map(({ arm, scores }) => ({
      name: arm,
      points: performanceProfile(scores, thresholds, options).map((interval, i) => ({ x: thresholds[i], ...interval })),
    })),
  });
  const words = `Performance profiles over ${environments.length} worlds × seeds with pointwise 95 % bands (stratified bootstrap): a line that lies above another everywhere is of the better arm.`;
  return svg === null
    ? [table]
    : [table, { kind: "picture", name: `${name}-${metric.name}-profile.svg`, svg, caption: words, origin }];
}

/** Thresholds of a profile. */
const PROFILE = 41;
