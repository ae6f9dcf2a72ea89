import type { Interval } from "@magic-mask/metrics";
import { plotCurves, type Series } from "../curves.ts";
import { draw, heading, INK, intervalRows, VERMILION, withinUnit } from "../svg.ts";
import type { Comparison } from "./compare.ts";
import { CHANCE } from "./plan.ts";
import type { Summary } from "./summary.ts";

interface Titled {
  /** Name of the world. */
  readonly title: string;
  readonly summary: Summary;
  /** The explainer that is drawn in colour. */
  readonly subject: string;
}

/** All plots of a comparison that there is something to draw in, by the names of their files. */
export function plotsOf({
  plan,
  summary,
}: Pick<Comparison, "plan" | "summary">): { readonly name: string; readonly svg: string }[] {
  const about = { title: plan.environment.id, summary, subject: plan.subject };
  return [
    ...plan.budgets.map((budget) => [`auroc-${budget}.svg`, plotRanking(about, budget)] as const),
    ["drops.svg", plotDrops(about)] as const,
    ["steps.svg", plotSteps(about)] as const,
  ].flatMap(([name, svg]) => (svg === null ? [] : [{ name, svg }]));
}

/** AUROC of every explainer at one budget: dot and 95 % interval, best first; chance at ½. Null where nothing is known. */
function plotRanking({ title, summary, subject }: Titled, budget: number): string | null {
  const points = summary.rows
    .filter((row) => row.budget === budget || row.budget === 0)
    .flatMap(({ explainer, auroc }) => (auroc.interval ? [withinUnit({ explainer, ...auroc.interval })] : []))
    .sort((a, b) => b.estimate - a.estimate);
  if (points.length === 0) return null;
  const colour = ({ explainer }: { readonly explainer: string }) => (explainer === subject ? VERMILION : INK);
  return draw({
    height: 90 + 22 * points.length,
    marginLeft: 160,
    marginRight: 30,
    x: { label: "AUROC of the true top 10 %", labelAnchor: "center", grid: true },
    y: { domain: points.map(({ explainer }) => explainer), label: null },
    marks: [
      ...intervalRows(points, { y: "explainer", chance: 0.5, colour }),
      heading(`${title}: ${budget} environment steps`),
    ],
  });
}

/**
 * Loss of return against the share of decisions that was in fact blinded, those scored highest; of the subject those scored lowest,
 * too. Null where nothing is known.
 */
function plotDrops({ title, summary, subject }: Titled): string | null {
  const curves = (["top", "bottom"] as const).flatMap((order) =>
    summary.rows.flatMap(({ explainer, drops }): Series[] => {
      const points = drops.flatMap(({ order: own, drop, budget }) =>
        own === order && drop.interval && budget.interval
          ? [{ x: 100 * budget.interval.estimate, ...percent(drop.interval, explainer === subject) }]
          : [],
      );
      if (points.length === 0 || (order === "bottom" && explainer !== subject)) return [];
      // Where nothing is blinded nothing is lost.
      if (order === "top") return [{ name: explainer, points: [NOTHING, ...points], ...rankOf(explainer, subject) }];
      return [{ name: `${explainer}, lowest`, points }];
    }),
  );
  return plotCurves({
    title: `${title}: loss of return, % of its range, when the highest scored are blinded`,
    xLabel: "share of decisions blinded, %",
    // A row for each budget; drops are measured at the largest alone.
    series: curves,
  });
}

/** AUROC against the steps that an explainer learned from; what does not learn is a level. Null where nothing is known. */
function plotSteps({ title, summary, subject }: Titled): string | null {
  const known = summary.rows.flatMap(({ explainer, budget, auroc }) =>
    auroc.interval ? [{ explainer, budget, ...auroc.interval }] : [],
  );
  const learning = known.filter(({ budget }) => budget > 0);
  const names = [...new Set(learning.map(({ explainer }) => explainer))];
  return plotCurves({
    title: `${title}: AUROC of the true top 10 % by steps; without learning dashed`,
    xLabel: "environment steps that the explainer learned from",
    isUnit: true,
    log: [...new Set(learning.map(({ budget }) => budget))],
    series: names.map((name) => ({
      name,
      points: learning
        .filter(({ explainer }) => explainer === name)
        .map(({ budget: x, estimate, low, high }) => ({ x, estimate, ...(name === subject && { low, high }) })),
      ...rankOf(name, subject),
    })),
    levels: known
      .filter(({ budget }) => budget === 0)
      .map(({ explainer, estimate }) => ({ name: explainer, estimate })),
  });
}

const NOTHING = { x: 0, estimate: 0 };

const rankOf = (explainer: string, subject: string): Pick<Series, "rank"> =>
  explainer === subject ? { rank: "subject" } : explainer === CHANCE ? { rank: "reference" } : {};

const percent = ({ estimate, low, high }: Interval, bounded: boolean) => ({
  estimate: 100 * estimate,
  ...(bounded && { low: 100 * low, high: 100 * high }),
});
