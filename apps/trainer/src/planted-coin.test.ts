import { describe, expect, it } from "@jest/globals";
import { controls } from "@magic-mask/masking";
import { explainPlanted, TO_LEARN } from "./test-planted.ts";

describe("on a planted world with decoys, from a coin's blinding", () => {
  it.each(["advantage_entropy", "doubly_robust", "advantage_doubly_robust", "keep_blind"])(
    "%s finds what matters",
    async (name) => {
      const { areaOf, explainer } = await explainPlanted(name, ...TO_LEARN.coin);
      expect(areaOf(explainer)).toBeGreaterThanOrEqual(0.95);
    },
  );

  it("advantage does, where the published loss and chance find nothing and entropy falls for decoys", async () => {
    const run = await explainPlanted("advantage", "evaluation.paperSeeds=24", ...TO_LEARN.coin);
    const { areaOf, explainer, postHoc, spec, policy } = run;
    expect(areaOf(explainer)).toBeGreaterThanOrEqual(0.95);
    const papers = postHoc.papers.map(([mask]) => areaOf(mask.explainer));
    expect(Math.abs(papers.reduce((sum, area) => sum + area, 0) / papers.length - 0.5)).toBeLessThan(0.1);
    const control = (name: string) => areaOf(controls[name].create({ spec, agent: 0, policy, seed: 1 }));
    expect(Math.abs(control("random") - 0.5)).toBeLessThan(0.1);
    // Three of nine other decisions are decoys, as sure as locks: 6/9 + ½·3/9.
    expect(control("entropy")).toBeCloseTo(5 / 6, 2);
  });
});
