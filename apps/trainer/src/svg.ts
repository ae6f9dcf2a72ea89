import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Okabe & Ito's colours, apart for every kind of sight and in grey. */
export const INK = "#000000";
export const BLUE = "#0072b2";
export const VERMILION = "#d55e00";
export const GREY = "#767676";

export interface Label {
  readonly text: string;
  /** What it names. */
  readonly estimate: number;
}

/** Labels to the right of the frame, moved apart where they would cover each other. */
export const named = <T extends Label>(labels: readonly T[], colour: (label: T) => string): Plot.Markish[] => [
  Plot.text(spread(labels), {
    frameAnchor: "right",
    y: "at",
    text: "text",
    textAnchor: "start",
    dx: 10,
    fill: colour,
    fontSize: 10,
  }),
];

/** Labels at least a thirtieth of the whole height apart, in their order, as near to what they name as that allows. */
function spread<T extends Label>(labels: readonly T[]): (T & { readonly at: number })[] {
  const sorted = [...labels].sort((a, b) => a.estimate - b.estimate);
  const gap = (sorted[sorted.length - 1].estimate - sorted[0].estimate) / 30;
  // Labels that would touch are one block, centred on what they name.
  const blocks: { readonly size: number; readonly centre: number }[] = [];
  for (const { estimate } of sorted) {
    let block = { size: 1, centre: estimate };
    for (let below = blocks.pop(); below; below = blocks.pop()) {
      if (block.centre - below.centre >= ((block.size + below.size) / 2) * gap) {
        blocks.push(below);
        break;
      }
      const size = block.size + below.size;
      block = { size, centre: (block.centre * block.size + below.centre * below.size) / size };
    }
    blocks.push(block);
  }
  const places = blocks.flatMap(({ size, centre }) =>
    Array.from({ length: size }, (_, i) => centre + (i - (size - 1) / 2) * gap),
  );
  return sorted.map((label, i) => ({ ...label, at: places[i] }));
}

export const heading = (text: string) =>
  Plot.text([text], { frameAnchor: "top-left", dy: -26, fontSize: 14, fontWeight: "bold" });

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
