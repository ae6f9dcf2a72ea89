import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { plotCurves } from "./curves.ts";
import { BLUE, spread, themed } from "./svg.ts";
import { ticksOf } from "./test-ticks.ts";

describe("spread", () => {
  it("leaves labels where they are if there is room, and centres those that would touch", () => {
    const of = (...estimates: number[]) => estimates.map((estimate) => ({ text: `${estimate}`, estimate }));
    const places = (labels: ReturnType<typeof of>) => spread(labels, 1, [0, 10]).map(({ at }) => at);
    expect(places(of(5, 2))).toEqual([2, 5]);
    // 5 and 5.2 are a block about 5.1; the two at the top end at the frame.
    expect(places(of(5, 5.2))).toEqual([4.6, 5.6]);
    expect(places(of(10, 10))).toEqual([9, 10]);
    expect(places(of(0, 0.1, 0.2))).toEqual([0, 1, 2]);
  });

  it("never lets two touch, and keeps them in the frame and in their order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (estimates) => {
          const gap = 1 / 20;
          const placed = spread(
            estimates.map((estimate) => ({ text: "", estimate })),
            gap,
            [0, 1],
          );
          placed.forEach(({ at, estimate }, i) => {
            expect(at).toBeGreaterThanOrEqual(-1e-9);
            expect(at).toBeLessThanOrEqual(1 + 1e-9);
            if (i === 0) return;
            expect(at - placed[i - 1].at).toBeGreaterThanOrEqual(gap - 1e-9);
            expect(estimate).toBeGreaterThanOrEqual(placed[i - 1].estimate);
          });
        },
      ),
    );
  });
});

describe("plotCurves", () => {
  const series = Array.from({ length: 17 }, (_, i) => ({
    name: `arm ${i}`,
    points: [0, 1].map((x) => ({ x, estimate: i + x })),
  }));

  it("tells lines apart by their marks and dashes together, colours aside", () => {
    const svg = plotCurves({ title: "t", xLabel: "x", series }) as string;
    // Marks of the names: one a series; its shape is its path.
    const lines = [...svg.matchAll(/<g[^>]*aria-label="line"[^>]*>/g)].map(([tag]) => tag);
    expect(lines).toHaveLength(17);
    const dashes = lines.map((tag) => /stroke-dasharray="([^"]*)"/.exec(tag)?.[1] ?? "");
    const dots = [...svg.matchAll(/<g[^>]*aria-label="dot"[^>]*>\s*<(?:path|circle)[^>]*>/g)].map(([tag]) => tag);
    const marks = dots.slice(0, 17).map((tag) => {
      const path = /\bd="([^"]*)"/.exec(tag)?.[1] ?? "circle";
      return `${path} ${/\bfill="#ffffff"/.test(tag)}`;
    });
    expect(new Set(marks.map((mark, i) => `${mark} ${dashes[i]}`)).size).toBe(17);
    for (const { name } of series) expect(svg).toContain(`>${name}</text>`);
  });

  it("cuts intervals of what lies between 0 and 1 there, and the axis", () => {
    const wide = [{ name: "a", points: [{ x: 1, estimate: 0.6, low: -3.19, high: 4.4 }] }];
    const of = (isUnit: boolean) => plotCurves({ title: "t", xLabel: "x", series: wide, isUnit }) as string;
    expect(ticksOf(of(true), "y")).toEqual(Array.from({ length: 11 }, (_, i) => i / 10));
    expect(ticksOf(of(false), "y")).toEqual(expect.arrayContaining([-3, 4]));
    // From one end of the frame to the other, which is 372 high below a margin of 44.
    expect(of(true)).toMatch(/<line y2="44" y1="416"/);
    // Of what is known well the axis shows no more than there is.
    const narrow = [{ name: "a", points: [{ x: 1, estimate: 0.6, low: 0.55, high: 0.65 }] }];
    const ticks = ticksOf(plotCurves({ title: "t", xLabel: "x", series: narrow, isUnit: true }) as string, "y");
    expect([ticks[0], ticks[ticks.length - 1]]).toEqual([0.55, 0.65]);
  });

  it("writes a tenth as a tenth, and a thousand as 1k", () => {
    const upTo = (last: number) => {
      const points = [1, 3, 5].map((k) => ({ x: (k * last) / 5, estimate: k }));
      return plotCurves({ title: "t", xLabel: "x", series: [{ name: "a", points }] }) as string;
    };
    expect(ticksOf(upTo(1), "x")).toEqual(expect.arrayContaining([0.2, 0.6, 1]));
    expect(upTo(5000)).toContain(">1k</text>");
  });

  it("is nothing without points", () => {
    expect(plotCurves({ title: "t", xLabel: "x", series: [{ name: "a", points: [] }] })).toBeNull();
  });

  it("takes the colours of the page that it is put into", () => {
    const svg = plotCurves({ title: "t", xLabel: "x", series: series.slice(0, 1) }) as string;
    expect(svg).toContain(BLUE);
    expect(themed(svg)).not.toMatch(/#[0-9a-f]{6}|background: ?white/);
    expect(themed(svg)).toContain("var(--blue)");
  });
});
