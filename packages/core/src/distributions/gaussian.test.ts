import { describe, expect, it } from "@jest/globals";
import { stream } from "../random.ts";
import { gaussian } from "./gaussian.ts";

const { log, PI } = Math;
// Entry 0: N(1, 2²); entry 1: N(−1, ½²).
const ROW = Float32Array.of(9, 1, -1, log(2), log(0.5));
const at = () => gaussian(2).at(ROW, 1);

describe("gaussian", () => {
  it("has the normal density, entry by entry", () => {
    // z = (3 − 1)/2 = 1 and (−1 + 1)/½ = 0; ln(2·½) = 0.
    expect(at().logProb(Float32Array.of(7, 3, -1), 1)).toBeCloseTo(-0.5 - log(2 * PI), 6);
  });

  it("has the entropy Σ ln σ + ½·ln 2πe", () => {
    expect(at().entropy()).toBeCloseTo(log(2 * PI * Math.E), 6);
  });

  it("draws with its means and deviations", () => {
    const random = stream("gaussian");
    const out = new Float32Array(2);
    const n = 20_000;
    const sums = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      at().sample(random, out, 0);
      [out[0], out[1], (out[0] - 1) ** 2, (out[1] + 1) ** 2].forEach((x, k) => {
        sums[k] += x / n;
      });
    }
    // Four standard errors: 4·2/√n = .057, 4·½/√n = .014; of a variance: 4·√2·σ²/√n = .16 and .01.
    expect(Math.abs(sums[0] - 1)).toBeLessThan(0.057);
    expect(Math.abs(sums[1] + 1)).toBeLessThan(0.015);
    expect(Math.abs(sums[2] - 4)).toBeLessThan(0.16);
    expect(Math.abs(sums[3] - 0.25)).toBeLessThan(0.01);
  });

  it("has its means as mode, and takes expectations from draws of the given stream", () => {
    const out = new Float32Array(3);
    at().mode(out, 1);
    expect([...out]).toEqual([0, 1, -1]);
    const mean = (seed: number) => at().expect(([a]) => a, stream(seed));
    expect(mean(1)).toBe(mean(1));
    expect(mean(1)).not.toBe(mean(2));
    // Four standard errors of 16 draws: 4·2/4.
    expect(Math.abs(mean(1) - 1)).toBeLessThan(2);
  });

  it("keeps ln σ in its bounds, and refuses NaN", () => {
    const outputs = Float32Array.of(0.5, 80, -80, 9);
    gaussian(1).normalise(outputs, 0, new Uint8Array(0), 0);
    expect(outputs[1]).toBe(2);
    gaussian(1).normalise(outputs, 1, new Uint8Array(0), 0);
    expect([...outputs]).toEqual([0.5, 2, -5, 9]);
    for (const bad of [Float32Array.of(Number.NaN, 0), Float32Array.of(0, Number.POSITIVE_INFINITY)]) {
      const run = () => gaussian(1).normalise(bad, 0, new Uint8Array(0), 0);
      expect(run).toThrow(expect.objectContaining({ code: "not-finite" }));
    }
    expect(() => gaussian(1).at(Float32Array.of(Number.NaN, 0), 0).sample(stream(0), outputs, 0)).toThrow(
      expect.objectContaining({ code: "not-finite" }),
    );
  });
});
