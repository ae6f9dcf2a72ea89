import { describe, expect, it } from "@jest/globals";
import { momentsOf } from "./moments.ts";

describe("momentsOf", () => {
  it("gives the mean and the standard deviation over all", () => {
    // Mean 5; squares 9, 1, 1, 1, 0, 0, 4, 16, of mean 4.
    const { mean, deviation } = momentsOf([2, 4, 4, 4, 5, 5, 7, 9]);
    expect(mean).toBeCloseTo(5, 12);
    expect(deviation).toBeCloseTo(2, 12);
    expect(momentsOf([3])).toEqual({ mean: 3, deviation: 0 });
  });

  it("knows equal numbers, though a tenth of them has no end in binary", () => {
    for (const count of [3, 10, 100]) expect(momentsOf(Array(count).fill(-1.4189385332)).deviation).toBe(0);
    expect(momentsOf(Array(10).fill(0)).deviation).toBe(0);
    // A thousandth is a difference.
    expect(momentsOf([1, 1.001]).deviation).toBeCloseTo(0.0005, 12);
  });
});
