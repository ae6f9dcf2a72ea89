import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import { ndcg } from "./ndcg.ts";

describe("ndcg", () => {
  const third = 1 / Math.log2(3);

  it("discounts the k-th place by log₂(k + 1) and stops at the cut", () => {
    // Two of four places. Order by score: truths 1, 3 → 1 + 3·.6309; ideal: 3, 2 → 3 + 2·.6309.
    expect(ndcg([9, 8, 2, 1], [1, 3, 2, 0], { top: 0.5 })).toBeCloseTo((1 + 3 * third) / (3 + 2 * third), 12);
  });

  it("gives nothing for a criticality below 0", () => {
    // Order: −5 (gain 0), then 2; ideal: 2, then 0.
    expect(ndcg([9, 8, 2, 1], [-5, 2, -1, -1], { top: 0.5 })).toBeCloseTo((2 * third) / 2, 12);
  });

  it("shares gains among equal scores, also across the cut", () => {
    // All equal: each place earns the mean gain (4 + 2 + 0 + 0)/4 = 1.5. Ideal: 4 + 2·.6309.
    expect(ndcg([1, 1, 1, 1], [0, 4, 0, 2], { top: 0.5 })).toBeCloseTo((1.5 * (1 + third)) / (4 + 2 * third), 12);
  });

  it("is the mean over random ways to break ties in the scores", () => {
    const random = stream(5, "ndcg");
    const truth = Array.from({ length: 12 }, () => random.below(5) - 1);
    const scores = truth.map(() => random.below(3));
    let sum = 0;
    for (let draw = 0; draw < 20_000; draw++)
      sum += ndcg(
        scores.map((score) => score + random.uniform() / 2),
        truth,
        { top: 0.4 },
      );
    // Values lie in [0, 1], so four standard errors are at most 4 · .5/√20,000 = .014.
    expect(Math.abs(ndcg(scores, truth, { top: 0.4 }) - sum / 20_000)).toBeLessThan(0.014);
  });

  it("is 1 for the true order and NaN where nothing is critical", () => {
    expect(ndcg([5, 1, 7], [5, 1, 7], { top: 0.9 })).toBe(1);
    expect(ndcg([1, 2], [0, -1])).toBeNaN();
  });
});
