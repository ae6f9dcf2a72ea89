import { type Interval, tInterval } from "@magic-mask/metrics";
import { digits, markdownTable } from "../measure/table.ts";

/** One figure of a trained team, and what it is to reach. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** What another way of playing came to with the same seed: the difference is to be above 0 beyond chance. */
  readonly over?: number;
}

/** A figure over all seeds. */
export interface FigureOverSeeds extends Interval, Omit<Figure, "value" | "over"> {
  readonly values: readonly number[];
  readonly over?: { readonly values: readonly number[]; readonly difference: Interval };
}

/** What is written down of one world. */
export interface LearningSummary {
  readonly world: string;
  readonly steps: number;
  readonly seeds: readonly { readonly seconds: number }[];
  readonly figures: readonly FigureOverSeeds[];
}

/** Figures of several seeds, [seeds][figures], each with its mean and interval; references are paired seed by seed. */
export function overSeeds(runs: readonly (readonly Figure[])[]): FigureOverSeeds[] {
  return runs[0].map(({ value: _, over: __, ...about }, k) => {
    const values = runs.map((figures) => figures[k].value);
    const others = runs.flatMap((figures) => figures[k].over ?? []);
    const figure = { ...about, ...intervalOf(values), values };
    if (others.length === 0) return figure;
    return { ...figure, over: { values: others, difference: intervalOf(values.map((value, i) => value - others[i])) } };
  });
}

/** The mean of one value, too, though that has no interval. */
const intervalOf = (values: readonly number[]): Interval =>
  values.length > 1 ? tInterval(values) : { estimate: values[0], low: Number.NaN, high: Number.NaN };

/** A bound is reached by the mean; a reference by the whole interval of the paired differences, so never with one seed. */
function reached({ estimate, atLeast, atMost, over }: FigureOverSeeds): string {
  if (over) {
    const { low, high } = over.difference;
    return `${low > 0 ? "yes" : "no"}, by ${range(low, high)}`;
  }
  if (atLeast === undefined && atMost === undefined) return "–";
  return estimate >= (atLeast ?? Number.NEGATIVE_INFINITY) && estimate <= (atMost ?? Number.POSITIVE_INFINITY)
    ? "yes"
    : "no";
}

function wanted({ atLeast, atMost, over }: FigureOverSeeds): string {
  if (over) return `> ${digits(over.values.reduce((sum, value) => sum + value, 0) / over.values.length)}, paired`;
  if (atLeast !== undefined) return `≥ ${digits(atLeast)}`;
  return atMost === undefined ? "–" : `≤ ${digits(atMost)}`;
}

/** JSON has null where there is no number. */
const range = (low: number | null, high: number | null) =>
  Number.isFinite(low) ? `${digits(low as number)} … ${digits(high as number)}` : "–";

/** One row per figure, world by world. */
export function learningTable(summaries: readonly LearningSummary[]): string {
  const rows = summaries.flatMap(({ world, steps, seeds, figures }) => {
    const seconds = Math.max(...seeds.map((run) => run.seconds));
    return figures.map((figure) => [
      world,
      figure.name,
      digits(figure.estimate),
      range(figure.low, figure.high),
      wanted(figure),
      reached(figure),
      digits(steps / 1e6),
      String(seeds.length),
      digits(seconds),
    ]);
  });
  return markdownTable(
    ["world", "figure", "mean", "95 % over seeds", "wanted", "reached", "M steps", "seeds", "s, at most"],
    rows,
  );
}
