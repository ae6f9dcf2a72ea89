import { describe, expect, it } from "@jest/globals";
import { matchedMean } from "./matched-mean.ts";

describe("matchedMean", () => {
  it("gives both the same say, in the units of the first", () => {
    // a: mean 2, deviation √2 · 1; b = 10·(3, 2, 1): mean 20, ten times the deviation. ã = (3, 2, 1), and the mean of (1, 2, 3) with it is 2.
    const { mean, scale } = matchedMean([1, 2, 3], [30, 20, 10]);
    expect(scale).toBeCloseTo(0.1, 12);
    for (const x of mean) expect(x).toBeCloseTo(2, 12);
    // b in the order of a: ã = a
    [...matchedMean([1, 2, 3], [-10, 0, 10]).mean].forEach((x, i) => {
      expect(x).toBeCloseTo(i + 1, 12);
    });
  });

  it("leaves the order to one where the other has none", () => {
    // ½·(1 + 2), ½·(2 + 2), ½·(3 + 2)
    const flat = matchedMean([1, 2, 3], Array(3).fill(-1.4189385332));
    expect([...flat.mean]).toEqual([1.5, 2, 2.5]);
    expect(flat.scale).toBe(0);
    const other = matchedMean([7, 7, 7], [1, 2, 3]);
    // ã = 6, 7, 8
    expect([...other.mean]).toEqual([6.5, 7, 7.5]);
    expect(other.scale).toBe(1);
  });
});
