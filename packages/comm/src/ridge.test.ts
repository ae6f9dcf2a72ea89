import { describe, expect, it } from "@jest/globals";
import { solveRidge } from "./ridge.ts";

describe("ridge", () => {
  it("solves (G + λI)β = b", () => {
    // G + I = [[4, 2], [2, 3]], b = (8, 8): β = (1, 2). The upper triangle is not read.
    const beta = solveRidge(Float64Array.of(3, Number.NaN, 2, 2), Float64Array.of(8, 8), 1);
    expect(beta[0]).toBeCloseTo(1, 12);
    expect(beta[1]).toBeCloseTo(2, 12);
  });
});
