import type { Interval } from "@magic-mask/metrics";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Okabe & Ito's colours, apart for every kind of sight. */
export const INK = "#000000";
export const BLUE = "#0072b2";
export const VERMILION = "#d55e00";
export const GREEN = "#009e73";
export const PURPLE = "#cc79a7";
export const ORANGE = "#e69f00";
export const SKY = "#56b4e9";
export const GREY = "#767676";
export const PAPER = "#ffffff";

/** What a page may call them: variables of its style sheet, which are others in the dark. */
const VARIABLES: Readonly<Record<string, string>> = {
  [INK]: "var(--ink)",
  [BLUE]: "var(--blue)",
  [VERMILION]: "var(--vermilion)",
  [GREEN]: "var(--green)",
  [PURPLE]: "var(--purple)",
  [ORANGE]: "var(--orange)",
  [SKY]: "var(--sky)",
  [GREY]: "var(--grey)",
  [PAPER]: "var(--ground)",
};

/** A picture made by `draw` whose colours are those of the page that it is put into. */
export const themed = (svg: string): string =>
  svg
    .replace(/#[0-9a-f]{6}\b/g, (colour) => VARIABLES[colour] ?? colour)
    .replace(/(--plot-background|background): ?white/g, "$1:var(--ground)");

export interface Label {
  readonly text: string;
  /** What it names. */
  readonly estimate: number;
}

/**
 * Where labels go: in the order of what they name, as near to it as their height and the frame allow.
 *
 * @param gap least distance from one to the next, in the units of what they name
 * @param frame lowest and highest place; where there is no room for all in it, they go beyond its lower end
 * @returns lowest first
 */
export function spread<T extends Label>(
  labels: readonly T[],
  gap: number,
  [low, high]: readonly [number, number],
): (T & { readonly at: number })[] {
  const sorted = [...labels].sort((a, b) => a.estimate - b.estimate);
  // Labels that would touch are one block, centred on what they name.
  interface Block {
    readonly size: number;
    readonly centre: number;
  }
  const blocks: Block[] = [];
  const placed = ({ size, centre }: Block) => {
    const half = ((size - 1) / 2) * gap;
    return Math.min(high - half, Math.max(low + half, centre));
  };
  for (const { estimate } of sorted) {
    let block: Block = { size: 1, centre: estimate };
    for (let below = blocks.pop(); below; below = blocks.pop()) {
      if (placed(block) - placed(below) >= ((block.size + below.size) / 2) * gap) {
        blocks.push(below);
        break;
      }
      const size = block.size + below.size;
      block = { size, centre: (block.centre * block.size + below.centre * below.size) / size };
    }
    blocks.push(block);
  }
  const places = blocks.flatMap((block) =>
    Array.from({ length: block.size }, (_, i) => placed(block) + (i - (block.size - 1) / 2) * gap),
  );
  return sorted.map((label, i) => ({ ...label, at: places[i] }));
}

/** Of an interval, what there can be of an area under a curve or a share: a t-interval of few seeds knows no such bounds. */
export const withinUnit = <T extends { readonly low?: number; readonly high?: number }>(interval: T): T => ({
  ...interval,
  ...(interval.low !== undefined && { low: Math.max(0, interval.low) }),
  ...(interval.high !== undefined && { high: Math.min(1, interval.high) }),
});

export const heading = (text: string) =>
  Plot.text([text], { frameAnchor: "top-left", dy: -26, fontSize: 14, fontWeight: "bold" });

/**
 * Dots with their intervals, a row each, and a line where chance is.
 *
 * @param y the key that rows are named by @param fy the key of the strip that a row is in, where there are several
 */
export const intervalRows = <T extends Interval>(
  points: readonly T[],
  { chance, colour, ...rows }: { y: string; fy?: string; chance: number; colour: (point: T) => string },
) => [
  Plot.ruleX([chance], { stroke: GREY, strokeDasharray: "4 3" }),
  Plot.ruleY(points, { ...rows, x1: "low", x2: "high", stroke: colour, strokeWidth: 1.5 }),
  Plot.dot(points, { ...rows, x: "estimate", fill: colour, r: 4 }),
];

/** An SVG document of its own. */
export function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!DOCTYPE html><html><body></body></html>");
  const svg = Plot.plot({
    document: document as never,
    width: 760,
    height: 460,
    marginTop: 44,
    marginBottom: 44,
    marginRight: 150,
    style: { background: "white", fontFamily: "sans-serif", fontSize: "12px" },
    ...options,
  }) as unknown as { outerHTML: string; setAttribute(name: string, value: string): void };
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}
