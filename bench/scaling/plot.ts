import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Curve } from "./curve.ts";

const COLOURS = ["#4269d0", "#ff725c", "#6cc5b0", "#9c6b4e", "#97bbf5"];

/** A curve as an SVG document: measured points, their fits dashed, each series named at its end. */
export function plotCurve({ title, x, y, series, logX, logY }: Curve): string {
  const { document } = parseHTML("<!DOCTYPE html><html><body></body></html>");
  const points = series.flatMap(({ name, points }) => points.map(([x, y]) => ({ name, x, y })));
  const fits = series.flatMap(({ name, points, fit }) => {
    const [low, high] = [points[0][0], points[points.length - 1][0]];
    return Array.from({ length: 65 }, (_, i) => low * (high / low) ** (i / 64)).map((x) => ({ name, x, y: fit.at(x) }));
  });
  const ends = series.map(({ name, points }) => ({
    name,
    x: points[points.length - 1][0],
    y: points[points.length - 1][1],
  }));
  const channels = { x: "x", y: "y", stroke: "name" };
  const svg = Plot.plot({
    document: document as never,
    width: 720,
    height: 420,
    marginRight: 130,
    marginTop: 64,
    style: { background: "white", fontFamily: "sans-serif", fontSize: "12px" },
    x: {
      ...(logX && { type: "log", base: 2 }),
      label: x,
      ticks: [...new Set(points.map((point) => point.x))],
      tickFormat: String,
    },
    y: { ...(logY ? { type: "log" } : { zero: true }), label: null, grid: true, tickFormat: String },
    color: { domain: series.map(({ name }) => name), range: COLOURS },
    marks: [
      Plot.line(fits, { ...channels, strokeDasharray: "4 3" }),
      Plot.dot(points, { x: "x", y: "y", fill: "name", r: 4 }),
      Plot.text(apart(ends, logY), { x: "x", y: "y", text: "name", fill: "name", textAnchor: "start", dx: 10 }),
      Plot.text([title], { frameAnchor: "top-left", dx: -30, dy: -50, fontSize: 14, fontWeight: "bold" }),
      Plot.text([y], { frameAnchor: "top-left", dx: -30, dy: -28 }),
    ],
  }) as unknown as { outerHTML: string; setAttribute(name: string, value: string): void };
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}

/** Moves labels that would lie on each other. */
function apart<T extends { readonly y: number }>(labels: readonly T[], logY: boolean): T[] {
  const highest = Math.max(...labels.map(({ y }) => y));
  const raised = [...labels].sort((a, b) => a.y - b.y);
  for (let i = 1; i < raised.length; i++) {
    const least = logY ? raised[i - 1].y * 1.15 : raised[i - 1].y + highest / 24;
    if (raised[i].y < least) raised[i] = { ...raised[i], y: least };
  }
  return raised;
}
