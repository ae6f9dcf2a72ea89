import * as Plot from "@observablehq/plot";
import { BLUE, draw, GREY, heading, INK, named, VERMILION } from "../svg.ts";
import { CHANCE } from "./plan.ts";
import type { Summary } from "./summary.ts";

interface Titled {
  /** Name of the world. */
  readonly title: string;
  readonly summary: Summary;
  /** The explainer that is drawn in colour. */
  readonly subject: string;
}

/** AUROC of every explainer at one budget: dot and 95 % interval, best first; chance at ½. Null where nothing is known. */
export function plotRanking({ title, summary, subject }: Titled, budget: number): string | null {
  const points = summary.rows
    .filter((row) => row.budget === budget || row.budget === 0)
    .flatMap(({ explainer, auroc }) => (auroc.interval ? [{ explainer, ...auroc.interval }] : []))
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
      Plot.ruleX([0.5], { stroke: GREY, strokeDasharray: "4 3" }),
      Plot.ruleY(points, { y: "explainer", x1: "low", x2: "high", stroke: colour, strokeWidth: 1.5 }),
      Plot.dot(points, { y: "explainer", x: "estimate", fill: colour, r: 4 }),
      heading(`${title}: ${budget} environment steps`),
    ],
  });
}

/**
 * Loss of return against the share of decisions that was in fact blinded, those scored highest; of the subject those scored lowest,
 * too. Null where nothing is known.
 */
export function plotDrops({ title, summary, subject }: Titled): string | null {
  const points = summary.rows.flatMap(({ explainer, drops }) =>
    drops.flatMap(({ order, drop, budget }) =>
      drop.interval && budget.interval
        ? [{ explainer, order, budget: budget.interval.estimate, ...drop.interval }]
        : [],
    ),
  );
  const top = points.filter(({ order }) => order === "top");
  if (top.length === 0) return null;
  const own = points.filter(({ explainer }) => explainer === subject);
  const lowest = own.filter(({ order }) => order === "bottom");
  const names = [...new Set(top.map(({ explainer }) => explainer))];
  // Where nothing is blinded nothing is lost.
  const curves = [...names.map((explainer) => ({ explainer, budget: 0, estimate: 0 })), ...top];
  const last = names.map((name) => top.filter(({ explainer }) => explainer === name).slice(-1)[0]);
  const colour = ({ explainer }: { readonly explainer: string }) =>
    explainer === subject ? VERMILION : explainer === CHANCE ? GREY : BLUE;
  const labels = [
    ...last.map(({ explainer, estimate }) => ({ explainer, estimate, text: explainer })),
    ...lowest.map(({ explainer, estimate }) => ({ explainer, estimate, text: `${explainer}, lowest` })),
  ];
  return draw({
    x: { label: "share of decisions blinded, %", labelAnchor: "center", transform: (share: number) => 100 * share },
    y: { label: null, grid: true, transform: (share: number) => 100 * share },
    marks: [
      Plot.ruleY([0], { stroke: GREY }),
      Plot.line(curves, { x: "budget", y: "estimate", z: "explainer", stroke: colour, strokeOpacity: 0.7 }),
      Plot.ruleX(own, { x: "budget", y1: "low", y2: "high", stroke: VERMILION }),
      Plot.dot(top, { x: "budget", y: "estimate", fill: colour, r: 2.5 }),
      Plot.dot(lowest, { x: "budget", y: "estimate", stroke: VERMILION, fill: "white", r: 3.5 }),
      ...named(labels, colour),
      heading(`${title}: loss of return, % of its range, when the highest scored are blinded`),
    ],
  });
}

/** AUROC against the steps that an explainer learned from; what does not learn is a level. Null where nothing is known. */
export function plotSteps({ title, summary, subject }: Titled): string | null {
  const known = summary.rows.flatMap(({ explainer, budget, auroc }) =>
    auroc.interval ? [{ explainer, budget, text: explainer, ...auroc.interval }] : [],
  );
  const levels = known.filter(({ budget }) => budget === 0);
  const points = known.filter(({ budget }) => budget > 0);
  if (points.length === 0) return null;
  const budgets = [...new Set(points.map(({ budget }) => budget))];
  const most = Math.max(...budgets);
  const colour = ({ explainer, budget }: { readonly explainer: string; readonly budget: number }) =>
    explainer === subject ? VERMILION : budget === 0 ? GREY : BLUE;
  return draw({
    x: {
      label: "environment steps that the explainer learned from",
      labelAnchor: "center",
      type: "log",
      ticks: budgets,
      tickFormat: "~s",
    },
    y: { label: null, grid: true },
    marks: [
      Plot.ruleY(levels, { y: "estimate", stroke: GREY, strokeDasharray: "4 3" }),
      Plot.line(points, { x: "budget", y: "estimate", z: "explainer", stroke: colour, strokeOpacity: 0.7 }),
      Plot.ruleX(
        points.filter(({ explainer }) => explainer === subject),
        { x: "budget", y1: "low", y2: "high", stroke: VERMILION },
      ),
      Plot.dot(points, { x: "budget", y: "estimate", fill: colour, r: 3 }),
      ...named([...points.filter(({ budget }) => budget === most), ...levels], colour),
      heading(`${title}: AUROC of the true top 10 % by steps; without learning dashed`),
    ],
  });
}
