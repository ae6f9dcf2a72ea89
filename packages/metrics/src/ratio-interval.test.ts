import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import { ratioInterval } from "./ratio-interval.ts";
import { tInterval } from "./t-interval.ts";

describe("ratioInterval", () => {
  it("ends where the interval of a − ρb touches 0", () => {
    const random = stream(1);
    for (let trial = 0; trial < 20; trial++) {
      const b = Array.from({ length: 5 }, () => 1 + 0.2 * random.normal());
      const a = b.map((y) => 0.5 * y + 0.1 * random.normal());
      const { estimate, low, high } = ratioInterval(a, b)!;
      const against = (ratio: number) => tInterval(a.map((x, i) => x - ratio * b[i]));
      expect(against(low).low).toBeCloseTo(0, 10);
      expect(against(high).high).toBeCloseTo(0, 10);
      expect(against(estimate).estimate).toBeCloseTo(0, 12);
      expect(low).toBeLessThan(estimate);
      expect(high).toBeGreaterThan(estimate);
    }
  });

  it("is sure where a is a fixed part of b, however b varies", () => {
    expect(ratioInterval([1, 2, 1.5], [2, 4, 3])).toEqual({ estimate: 0.5, low: 0.5, high: 0.5 });
    const { low, high } = ratioInterval([-1, -2, -1.5], [2, 4, 3])!;
    expect([low, high]).toEqual([-0.5, -0.5]);
  });

  it("knows nothing where b may be 0", () => {
    // Mean .5, and −1 in it.
    expect(ratioInterval([1, 1, 1], [1, -1, 1.5])).toBeNull();
  });

  it("holds the true ratio in 95 of 100 cases", () => {
    const random = stream(2);
    let held = 0;
    for (let trial = 0; trial < 2000; trial++) {
      const b = Array.from({ length: 5 }, () => 1 + 0.1 * random.normal());
      const a = Array.from({ length: 5 }, () => 0.7 + 0.1 * random.normal());
      const { low, high } = ratioInterval(a, b)!;
      if (low <= 0.7 && high >= 0.7) held++;
    }
    // Standard error √(.95 · .05 / 2000) = .005.
    expect(Math.abs(held / 2000 - 0.95)).toBeLessThan(0.02);
  });

  it("refuses pairs that do not fit", () => {
    expect(() => ratioInterval([1, 2], [1])).toThrow("two arrays of one length");
    expect(() => ratioInterval([1], [1])).toThrow("at least 2 values");
  });
});
