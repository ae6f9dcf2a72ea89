import { describe, expect, it } from "@jest/globals";
import { tInterval } from "@magic-mask/metrics";
import { ticksOf } from "../../../test-ticks.ts";
import type { Result } from "../../study.ts";
import type { SharingFigures } from "../common/sharing-figures.ts";
import { reportOnCommunication } from "./report.ts";

const SEEDS = [1, 2, 3];
const axes = { environment: ["pong"], seed: SEEDS, budget: [100, 1000], mode: ["none", "all"] };
/** Two agents, one of whom is always .1 better. */
const result = (
  mode: string,
  budget: number,
  seed: number,
  area: number,
  fidelity: number | null,
): Result<SharingFigures> => ({
  at: { environment: "pong", seed, budget, mode },
  steps: budget,
  figures: {
    agents: [area - 0.05, area + 0.05].map((stacked, i) => ({ agent: `a${i}`, own: 0.7, head: 0.6, stacked })),
    fidelity: { all: fidelity, sameRole: fidelity, crossRole: null },
    matrix: [],
    bytes: mode === "none" ? 0 : 500,
    delivery: mode === "none" ? null : 1,
    received: 0,
    age: { onArrival: null, atUse: null },
    redundancy: null,
  },
  seconds: { shared: 0, learning: 0, judging: 0 },
});
/** Per seed: AUROC and fidelity of none, then of all, at the largest budget; a tenth less AUROC at the smaller one. */
const reported = (rows: readonly (readonly [number, number | null, number, number | null])[]) =>
  reportOnCommunication(
    axes,
    rows.flatMap(([alone, aloneFidelity, shared, sharedFidelity], i) => [
      result("none", 1000, i + 1, alone, aloneFidelity),
      result("all", 1000, i + 1, shared, sharedFidelity),
      result("none", 100, i + 1, alone - 0.1, aloneFidelity),
      result("all", 100, i + 1, shared - 0.1, sharedFidelity),
    ]),
  );

describe("the report on communication", () => {
  const report = reported([
    [0.8, 0.6, 0.85, 0.8],
    [0.82, 0.63, 0.88, 0.8],
    [0.78, 0.6, 0.83, 0.75],
  ]);

  it("pairs modes with none, seed by seed", () => {
    const [small, large, discovered] = report.tables;
    expect([small.title, large.title]).toEqual(["pong: 100 environment steps", "pong: 1.00k environment steps"]);
    // Gains .05, .06, .05; the means over two agents are in the middle.
    const [name, area, gain] = large.body[1];
    expect(name).toBe("all");
    expect((area as { estimate: number }).estimate).toBeCloseTo((0.85 + 0.88 + 0.83) / 3, 12);
    const wanted = tInterval([0.05, 0.06, 0.05]);
    expect((gain as { low: number }).low).toBeCloseTo(wanted.low, 12);
    expect(report.sentences).toEqual([
      "pong: all changes the stacked AUROC of none by +0.053 [0.039, 0.068] at 100, +0.053 [0.039, 0.068] at 1.00k steps; above zero at 100, 1.00k (95 % paired t-intervals over seeds).",
      // Losses 1 − .6/.8 = .25, 1 − .63/.8 = .2125 and 1 − .6/.75 = .2.
      "The claim is judged at the largest budget. At smaller ones, where agents know less, it would be called reproduced in 1 of 1 comparisons: pong, all, 100 steps, +0.22 [0.16, 0.29].",
    ]);
    // Above .8 from 1,000 steps on: of none .82 alone, of all each; .75, .78 and .73 before.
    expect(discovered.body).toEqual([
      ["none", Number.NaN, 1000, Number.NaN],
      ["all", 1000, 1000, 1000],
    ]);
    expect(report.pictures.map(({ name: file }) => file)).toEqual(["pong-auroc.svg", "pong-fidelity.svg"]);
  });

  it("draws figures within what there can be", () => {
    // .4 and .9 of two seeds: .65 ± 12.7·.25.
    const { pictures } = reported([
      [0.4, 0.4, 0.4, 0.4],
      [0.9, 0.9, 0.9, 0.9],
    ]);
    for (const { svg } of pictures) expect(ticksOf(svg, "y")).toEqual(Array.from({ length: 11 }, (_, i) => i / 10));
  });

  it("hands on every run, of those that failed nothing", () => {
    const { scores } = reportOnCommunication(axes, [result("none", 100, 1, 0.7, 0.6)]);
    // A world, two modes, three seeds, two budgets.
    expect(scores?.runs).toHaveLength(12);
    expect(scores?.runs.slice(0, 2)).toEqual([
      {
        environment: "pong",
        arm: "none",
        seed: 1,
        steps: 100,
        values: { auroc: expect.closeTo(0.7, 12), fidelity: 0.6 },
      },
      { environment: "pong", arm: "none", seed: 1, steps: 1000, values: { auroc: null, fidelity: null } },
    ]);
  });

  it.each([
    // 1 − .6/.8 = .25, 1 − .63/.8 = .21, 1 − .6/.75 = .2: .22 [.16, .29].
    ["reproduced", [0.6, 0.8, 0.63, 0.8, 0.6, 0.75]],
    // .02, .03, .02
    ["not reproduced", [0.784, 0.8, 0.776, 0.8, 0.784, 0.8]],
    // −.25, .25, .2: anything from a gain to the claimed loss.
    ["not reproduced", [0.75, 0.6, 0.6, 0.8, 0.6, 0.75]],
    ["not comparable", [null, null, null, null, null, null]],
  ])("judges the paper's claim: %s", (verdict, [a, b, c, d, e, f]) => {
    const { judgements } = reported([
      [0.8, a as number | null, 0.8, b as number | null],
      [0.8, c as number | null, 0.8, d as number | null],
      [0.8, e as number | null, 0.8, f as number | null],
    ]);
    expect(judgements.map((each) => [each.where, each.verdict])).toEqual([["pong, all, 1.00k steps", verdict]]);
  });

  it("holds features against features, and says what signatures keep of their gain", () => {
    const told = { ...axes, budget: [100], mode: ["none", "perturbed", "none_features", "features"] };
    // Seed by seed: perturbed gains .04, .05, .04, features .08, .1, .08: half of it.
    const { tables, sentences } = reportOnCommunication(
      told,
      [0, 0.01, 0].flatMap((more, i) => [
        result("none", 100, i + 1, 0.7, 0.6),
        result("perturbed", 100, i + 1, 0.74 + more, 0.6),
        result("none_features", 100, i + 1, 0.75, 0.6),
        result("features", 100, i + 1, 0.83 + 2 * more, 0.6),
      ]),
    );
    const kept = tables[tables.length - 1];
    expect(kept.title).toBe("pong: what signatures keep of pooling the features");
    expect(kept.header).toEqual(["steps", "perturbed", "features", "share kept"]);
    const [steps, short, long, share] = kept.body[0] as [string, ...{ estimate: number; low: number }[]];
    expect(steps).toBe("100");
    expect(short.estimate).toBeCloseTo(0.13 / 3, 12);
    expect(long.estimate).toBeCloseTo(0.26 / 3, 12);
    expect(share.low).toBeCloseTo(0.5, 6);
    expect(sentences[1]).toContain("features changes the stacked AUROC of none_features by +0.087");
  });

  it("names seeds that are missing", () => {
    const partial = reportOnCommunication(axes, [result("none", 100, 1, 0.7, 0.6)]);
    expect(partial.tables[0].note).toContain(
      "Unknown: none for seeds 2, 3; all for seeds 1, 2, 3: they failed, nothing was at stake, or what agents see has no room in a record.",
    );
    expect(partial.judgements[0].verdict).toBe("not comparable");
  });
});
