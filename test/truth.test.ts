import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Explainer } from "@magic-mask/core";
import type { States, Truth } from "@magic-mask/metrics";
import { membersIn, sourcesIn } from "./workspace.ts";

/** Truth is for judging explanations, never for making them. */
describe("truth cannot reach an explainer", () => {
  it("by its type: an explainer takes decisions, which hold neither truth nor the snapshots that it is made from", () => {
    const score = (explainer: Explainer, states: States, truth: Truth, out: Float32Array) => {
      explainer.score(states.decisions, out, out);
      // @ts-expect-error: held-out states, snapshots included, are no decisions
      explainer.score(states, out, out);
      // @ts-expect-error: nor is truth
      explainer.score(truth, out, out);
      // @ts-expect-error: nor do decisions lead back to the snapshots
      return states.decisions.snapshots;
    };
    // `npm run typecheck` is what checks the lines above: each must be an error.
    expect(score).toHaveLength(4);
  });

  it("by what it may import: where explainers are made, no file names truth or metrics", () => {
    const masking = membersIn("packages").find(({ manifest }) => manifest.name === "@magic-mask/masking");
    const files = sourcesIn(join((masking as { folder: string }).folder, "src")).filter(
      (file) => !file.endsWith(".test.ts"),
    );
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const text = readFileSync(file, "utf8");
      expect([file, text.match(/\b(Truth|branchingTruth|measureTruth|truthOf)\b|@magic-mask\/metrics/)]).toEqual([
        file,
        null,
      ]);
    }
  });
});
