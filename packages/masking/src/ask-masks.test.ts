import { describe, expect, it } from "@jest/globals";
import type { Decisions } from "@magic-mask/core";
import { askMasks } from "./ask-masks.ts";
import type { MaskLearner } from "./objectives/objective.ts";

const mask = (probability: number | undefined): MaskLearner =>
  ({
    explainer: { name: "sure" },
    ...(probability !== undefined && {
      blind: ({ count }: Decisions, out: Float32Array) => void out.fill(probability, 0, count),
    }),
  }) as unknown as MaskLearner;

describe("asking masks", () => {
  it("asks that of the agent whose decisions they are", () => {
    const ask = askMasks([mask(0.25), mask(1)]);
    const probability = new Float32Array(4).fill(9);
    ask({ agent: 0, count: 3 } as Decisions, probability);
    expect([...probability]).toEqual([0.25, 0.25, 0.25, 9]);
    ask({ agent: 1, count: 2 } as Decisions, probability);
    expect([...probability]).toEqual([1, 1, 0.25, 9]);
  });

  it("refuses masks that learn from a coin", () => {
    expect(() => askMasks([mask(0.5), mask(undefined)])).toThrow(
      "[masking/ask-masks] sure learns from a coin's blinding and decides none itself",
    );
  });
});
