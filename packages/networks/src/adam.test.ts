import { describe, expect, it } from "@jest/globals";
import { adamStep, gradientNorm } from "./adam.ts";

const one = (parameter: number) => ({
  parameters: Float32Array.of(parameter),
  firstMoment: new Float32Array(1),
  secondMoment: new Float32Array(1),
});

describe("adamStep", () => {
  it("moves by the learning rate at first, then by the corrected moments", () => {
    const arrays = one(1);
    adamStep(arrays, Float32Array.of(2), 1, 0.1, 1);
    // m = 0.2, m̂ = 0.2/0.1 = 2; v = 0.004, v̂ = 0.004/0.001 = 4; 0.1·2/(2 + 1e-5) = 0.0999995.
    expect(arrays.parameters[0]).toBeCloseTo(1 - 0.0999995, 6);
    adamStep(arrays, Float32Array.of(-1), 1, 0.1, 2);
    // m = 0.9·0.2 − 0.1 = 0.08, m̂ = 0.08/0.19; v = 0.999·0.004 + 0.001 = 0.004996, v̂ = 0.004996/0.001999 = 2.49925.
    expect(arrays.firstMoment[0]).toBeCloseTo(0.08, 6);
    expect(arrays.secondMoment[0]).toBeCloseTo(0.004996, 6);
    expect(arrays.parameters[0]).toBeCloseTo(1 - 0.0999995 - (0.1 * 0.421053) / (1.580902 + 1e-5), 5);
  });

  it("scales the gradient first", () => {
    const [scaled, small] = [one(1), one(1)];
    adamStep(scaled, Float32Array.of(2), 0.25, 0.1, 1);
    adamStep(small, Float32Array.of(0.5), 1, 0.1, 1);
    expect(scaled).toEqual(small);
  });

  it("needs no correction after very many steps", () => {
    const arrays = {
      parameters: Float32Array.of(0),
      firstMoment: Float32Array.of(1),
      secondMoment: Float32Array.of(1),
    };
    adamStep(arrays, Float32Array.of(1), 1, 0.5, 1_000_000_000);
    // m = v = 1: 0.5·1/(1 + 1e-5).
    expect(arrays.parameters[0]).toBeCloseTo(-0.499995, 6);
  });
});

it("gradientNorm is Euclidean, and no overflow of float32 or NaN hides in it", () => {
  expect(gradientNorm(Float32Array.of(3, 0, -4))).toBe(5);
  expect(gradientNorm(Float32Array.of(3e30, 4e30)) / 5e30).toBeCloseTo(1, 6);
  expect(gradientNorm(Float32Array.of(1, Number.NaN))).toBeNaN();
});
