import { describe, expect, it } from "@jest/globals";
import { box, discrete, distributionOf, ILLEGAL, multiDiscrete, stream } from "@magic-mask/core";
import { uniform } from "./uniform.ts";

const none = new Float32Array(0);

describe("uniform", () => {
  it("gives each legal action the same probability", () => {
    const out = new Float32Array(6);
    const legal = Uint8Array.of(1, 0, 1, 0, 0, 1);
    uniform(discrete(3)).evaluate({ count: 2, observations: none, legal }, none, out);
    expect([...out]).toEqual([-Math.log(2), ILLEGAL, -Math.log(2), ILLEGAL, ILLEGAL, -0].map(Math.fround));
  });

  it("does so in each part of a multi-discrete action", () => {
    const out = new Float32Array(5);
    const legal = Uint8Array.of(1, 1, 1, 0, 1);
    uniform(multiDiscrete(2, 3)).evaluate({ count: 1, observations: none, legal }, none, out);
    // ½ and ½; ½, –, ½.
    expect([...out]).toEqual([-Math.log(2), -Math.log(2), -Math.log(2), ILLEGAL, -Math.log(2)].map(Math.fround));
  });

  it("has the mean and variance of the uniform distribution over a box", () => {
    const space = box([2], [-2, 0], [2, 6]);
    const out = new Float32Array(8);
    uniform(space).evaluate({ count: 2, observations: none, legal: new Uint8Array(0) }, none, out);
    // Means 0 and 3; variances 4²/12 and 6²/12.
    const row = [0, 3, Math.log(4 / Math.sqrt(12)), Math.log(6 / Math.sqrt(12))].map(Math.fround);
    expect([...out]).toEqual([...row, ...row]);
    const random = stream(1);
    const draws = Array.from({ length: 20_000 }, () => {
      const slot = new Float32Array(2);
      distributionOf(space).at(out, 0).sample(random, slot, 0);
      return slot[1];
    });
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    // Four standard errors: 4·√(3/20,000) = .049 and 4·3·√(2/20,000) = .12.
    expect(Math.abs(mean - 3)).toBeLessThan(0.049);
    expect(Math.abs(variance - 3)).toBeLessThan(0.12);
  });

  it("refuses a box without bounds", () => {
    expect(() => uniform(box([1], Number.NEGATIVE_INFINITY, 1))).toThrow(
      expect.objectContaining({ code: "unsupported", message: expect.stringContaining("entry 0") }),
    );
  });
});
