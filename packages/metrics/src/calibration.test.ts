import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import { calibration } from "./calibration.ts";

describe("calibration", () => {
  it("counts the truths inside, the interval widened by truth's own error", () => {
    // z = 1.645 at 90 %. Widths z·√(σ̂² + σ_T²): z·1 = 1.645 with σ̂ = 1, σ_T = 0: a miss of 1.6 is inside, one of 1.7 not.
    // With σ̂ = .6 and σ_T = .8 it is z·1 as well: 1.6 inside. Variance of truth's error: .64 of 3 in all.
    const truth = { criticality: Float64Array.of(1.6, 1.7, 1.6), standardError: Float64Array.of(0, 0, 0.8) };
    const { coverage, noise } = calibration([0, 0, 0], [1, 1, 0.6], truth);
    expect(coverage).toBeCloseTo(2 / 3, 12);
    expect(noise).toBeCloseTo(0.64 / 3, 12);
  });

  const random = stream(3, "calibration");
  /** Δ̂ = Δ + σ̂·factor·Z, T = Δ + σ_T·Z, over 4,000 states. */
  const simulate = (factor: number, noise: number, level?: number) => {
    const S = 4000;
    const delta = Float64Array.from({ length: S }, random.normal);
    const spread = Float64Array.from({ length: S }, () => 0.2 + random.uniform());
    const standardError = Float64Array.from({ length: S }, () => noise * random.uniform());
    return calibration(
      delta.map((value, s) => value + factor * spread[s] * random.normal()),
      spread,
      { criticality: delta.map((value, s) => value + standardError[s] * random.normal()), standardError },
      level === undefined ? {} : { level },
    ).coverage;
  };

  it("finds what is asked for where the explainer's spread is right, however noisy the truth", () => {
    // 4,000 states: the standard error is √(.9·.1/4000) = .005.
    for (const noise of [0, 0.5, 2]) expect(Math.abs(simulate(1, noise) - 0.9)).toBeLessThan(0.02);
    expect(Math.abs(simulate(1, 0.5, 0.5) - 0.5)).toBeLessThan(0.04);
  });

  it("sees a spread that is too small or too large", () => {
    // Errors twice the spread: P(|Z| < 1.645/2) = .589; half of it: P(|Z| < 3.29) = .999.
    expect(Math.abs(simulate(2, 0) - 0.589)).toBeLessThan(0.03);
    expect(Math.abs(simulate(0.5, 0) - 0.999)).toBeLessThan(0.003);
  });

  it("is unknown without a spread", () => {
    const truth = { criticality: Float64Array.of(1), standardError: Float64Array.of(1) };
    expect(calibration([1], [Number.NaN], truth)).toEqual({ coverage: Number.NaN, noise: Number.NaN });
    expect(() => calibration([1, 2], [1, 1], truth)).toThrow("needs an estimate and a spread for each of 1 states");
  });
});
