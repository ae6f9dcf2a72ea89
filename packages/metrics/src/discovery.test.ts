import { describe, expect, it } from "@jest/globals";
import { discovery } from "./discovery.ts";

describe("discovery", () => {
  it("is the first point from which all are above the threshold", () => {
    // Above at 200, below again at 300: it stays above from 400 on.
    expect(discovery([100, 200, 300, 400, 500], [0.5, 0.9, 0.7, 0.85, 0.81])).toBe(400);
    expect(discovery([100, 200], [0.9, 0.9])).toBe(100);
    expect(discovery([100, 200], [0.6, 0.7], 0.5)).toBe(100);
  });

  it("is unknown where the curve ends at or below it", () => {
    expect(discovery([100, 200], [0.9, 0.8])).toBeNaN();
  });

  it("refuses steps that do not ascend", () => {
    expect(() => discovery([100, 100], [0.9, 0.8])).toThrow("steps must ascend, got 100 after 100");
    expect(() => discovery([], [])).toThrow("needs two arrays of one length");
  });
});
