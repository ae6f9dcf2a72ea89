import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { CHANCE } from "./plan.ts";
import type { Summary } from "./summary.ts";

/** Okabe & Ito's colours, apart for every kind of sight and in grey. */
const INK = "#000000";
const BLUE = "#0072b2";
const VERMILION = "#d55e00";
const GREY = "#767676";

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
  const colour = ({ explainer }: { explainer: string }) => (explainer === subject ? VERMILION : INK);
  return draw({
    height: 70 + 22 * points.length,
    marginLeft: 150,
    x: { label: "AUROC of the true top 10 %", grid: true },
    y: { domain: points.map(({ explainer }) => explainer), label: null },
    marks: [
      Plot.ruleX([0.5], { stroke: GREY, strokeDasharray: "4 3" }),
      Plot.ruleY(points, { y: "explainer", x1: "low", x2: "high", stroke: colour, strokeWidth: 1.5 }),
      Plot.dot(points, { y: "explainer", x: "estimate", fill: colour, r: 4 }),
      heading(`${title}: ${budget} environment steps`),
    ],
  });
}

/** Loss of return against the share of decisions that was in fact blinded: highest scores (line), lowest (dashed), and chance (grey). */
export function plotDrops({ title, summary, subject }: Titled): string | null {
  const curves = summary.rows.flatMap((row) =>
    row.drops.flatMap(({ order, drop, budget }) =>
      drop.interval && budget.interval && (order === "top" || row.explainer === subject)
        ? [
            {
              curve: `${row.explainer} ${order}`,
              explainer: row.explainer,
              order,
              budget: budget.interval.estimate,
              ...drop.interval,
            },
          ]
        : [],
    ),
  );
  if (curves.length === 0) return null;
  const own = curves.filter(({ explainer }) => explainer === subject);
  const others = curves.filter(({ explainer }) => explainer !== subject);
  const colour = ({ explainer }: { explainer: string }) =>
    explainer === subject ? VERMILION : explainer === CHANCE ? GREY : BLUE;
  const dash = ({ order, explainer }: { order: string; explainer: string }) =>
    order === "bottom" ? "6 4" : explainer === CHANCE ? "2 3" : "none";
  const last = [...new Map(curves.map((point) => [point.curve, point])).values()];
  return draw({
    height: 420,
    marginLeft: 60,
    marginRight: 140,
    x: { label: "share of decisions blinded, %", transform: (share: number) => 100 * share },
    y: { label: "loss of return, % of its range", grid: true, transform: (share: number) => 100 * share },
    marks: [
      Plot.ruleY([0], { stroke: GREY }),
      ...[...new Set(others.concat(own).map(({ curve }) => curve))].map((name) => {
        const points = curves.filter(({ curve }) => curve === name);
        return Plot.line(points, {
          x: "budget",
          y: "estimate",
          stroke: colour(points[0]),
          strokeDasharray: dash(points[0]),
          strokeOpacity: points[0].explainer === subject ? 1 : 0.6,
        });
      }),
      Plot.ruleX(own, { x: "budget", y1: "low", y2: "high", stroke: VERMILION }),
      Plot.dot(curves, { x: "budget", y: "estimate", fill: colour, r: 2.5 }),
      Plot.text(spread(last), {
        x: () => Math.max(...last.map(({ budget }) => budget)),
        y: "at",
        text: "curve",
        textAnchor: "start",
        dx: 8,
        fill: colour,
        fontSize: 10,
      }),
      heading(`${title}: blinding what is scored highest, and lowest (dashed)`),
    ],
  });
}

/** AUROC against the steps that an explainer learned from; what does not learn is a level. */
export function plotSteps({ title, summary, subject }: Titled): string | null {
  const points = summary.rows.flatMap(({ explainer, budget, auroc }) =>
    auroc.interval && budget > 0 ? [{ explainer, budget, ...auroc.interval }] : [],
  );
  const levels = summary.rows.flatMap(({ explainer, budget, auroc }) =>
    auroc.interval && budget === 0 ? [{ explainer, estimate: auroc.interval.estimate }] : [],
  );
  if (points.length === 0) return null;
  const most = Math.max(...points.map(({ budget }) => budget));
  const colour = ({ explainer }: { explainer: string }) => (explainer === subject ? VERMILION : BLUE);
  const names = [
    ...points
      .filter(({ budget }) => budget === most)
      .map(({ explainer, estimate }) => ({ explainer, estimate, fixed: false })),
    ...levels.map((level) => ({ ...level, fixed: true })),
  ];
  return draw({
    height: 420,
    marginLeft: 60,
    marginRight: 140,
    x: { label: "environment steps that the explainer learned from (log)", type: "log" },
    y: { label: "AUROC of the true top 10 %", grid: true },
    marks: [
      Plot.ruleY(levels, { y: "estimate", stroke: GREY, strokeDasharray: "4 3" }),
      Plot.line(points, { x: "budget", y: "estimate", z: "explainer", stroke: colour }),
      Plot.ruleX(
        points.filter(({ explainer }) => explainer === subject),
        { x: "budget", y1: "low", y2: "high", stroke: VERMILION },
      ),
      Plot.dot(points, { x: "budget", y: "estimate", fill: colour, r: 3 }),
      Plot.text(spread(names), {
        x: () => most,
        y: "at",
        text: "explainer",
        textAnchor: "start",
        dx: 8,
        fill: (each: { explainer: string; fixed: boolean }) => (each.fixed ? GREY : colour(each)),
        fontSize: 10,
      }),
      heading(`${title}: what more steps bring; without learning (dashed)`),
    ],
  });
}

/** Labels moved apart, in their order, so that none covers another: a thirtieth of the whole height each. */
function spread<T extends { readonly estimate: number }>(labels: readonly T[]): (T & { readonly at: number })[] {
  const sorted = [...labels].sort((a, b) => a.estimate - b.estimate);
  const [low, high] = [sorted[0].estimate, sorted[sorted.length - 1].estimate];
  const gap = (high - low) / 30;
  let least = Number.NEGATIVE_INFINITY;
  return sorted.map((label) => {
    const at = Math.max(label.estimate, least);
    least = at + gap;
    return { ...label, at };
  });
}

const heading = (text: string) =>
  Plot.text([text], { frameAnchor: "top-left", dy: -28, fontSize: 14, fontWeight: "bold" });

/** An SVG document of its own. */
function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!DOCTYPE html><html><body></body></html>");
  const svg = Plot.plot({
    document: document as never,
    width: 720,
    marginTop: 40,
    style: { background: "white", fontFamily: "sans-serif", fontSize: "12px" },
    ...options,
  }) as unknown as { outerHTML: string; setAttribute(name: string, value: string): void };
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}
