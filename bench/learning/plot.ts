import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Mean return of the episodes that ended in each stretch of a run. */
export type LearningCurve = readonly { readonly steps: number; readonly mean: number }[];

/** One line per seed, as an SVG document. */
export function plotLearning(title: string, runs: readonly { seed: number; curve: LearningCurve }[]): string {
  const { document } = parseHTML("<!DOCTYPE html><html><body></body></html>");
  const points = runs.flatMap(({ seed, curve }) => curve.map((point) => ({ ...point, seed: `seed ${seed}` })));
  const svg = Plot.plot({
    document: document as never,
    width: 720,
    height: 300,
    marginLeft: 60,
    marginTop: 40,
    style: { background: "white", fontFamily: "sans-serif", fontSize: "12px" },
    x: { label: "environment steps over all copies, millions", transform: (steps: number) => steps / 1e6 },
    y: { label: null, grid: true },
    color: { range: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"] },
    marks: [
      Plot.line(points, { x: "steps", y: "mean", stroke: "seed" }),
      Plot.text([title], { frameAnchor: "top-left", dy: -30, fontSize: 14, fontWeight: "bold" }),
    ],
  }) as unknown as { outerHTML: string; setAttribute(name: string, value: string): void };
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}
