import { describe, expect, it } from "@jest/globals";
import { box, type Decisions, discrete, ILLEGAL, multiDiscrete } from "@magic-mask/core";
import { klPerturbation } from "./kl-perturbation.ts";

const decisions = (policy: number[], perturbation: number[]): Decisions => ({
  agent: 0,
  count: policy.length / 2,
  observations: new Float32Array(0),
  legal: new Uint8Array(policy.length).fill(1),
  policy: Float32Array.from(policy, (p) => (p > 0 ? Math.log(p) : ILLEGAL)),
  perturbation: Float32Array.from(perturbation, (p) => (p > 0 ? Math.log(p) : ILLEGAL)),
});

describe("klPerturbation", () => {
  it("is the mean of Σ π ln(π/b)", () => {
    // π = (.9, .1), ν = (.5, .5), p = .2: b = (.82, .18). The second decision has π = ν: KL 0.
    const first = 0.9 * Math.log(0.9 / 0.82) + 0.1 * Math.log(0.1 / 0.18);
    expect(klPerturbation(decisions([0.9, 0.1, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]), discrete(2), 0.2)).toBeCloseTo(
      first / 2,
      6,
    );
  });

  it("leaves out what the policy never does", () => {
    // π = (1, 0), b = (.95, .05): ln(1/.95).
    expect(klPerturbation(decisions([1, 0], [0.5, 0.5]), discrete(2), 0.1)).toBeCloseTo(-Math.log(0.95), 6);
  });

  it("is 0 without blinding, and infinite where ν alone rules and excludes the policy", () => {
    expect(klPerturbation(decisions([1, 0], [0, 1]), discrete(2), 0)).toBeCloseTo(0, 12);
    expect(klPerturbation(decisions([1, 0], [0, 1]), discrete(2), 1)).toBe(Number.POSITIVE_INFINITY);
  });

  it("is not known of densities", () => {
    expect(klPerturbation(decisions([1, 0], [0, 1]), box([1], 0, 1), 0.1)).toBeNaN();
  });

  it("refuses other spaces, rates outside [0, 1] and no decisions", () => {
    expect(() => klPerturbation(decisions([1, 0], [0, 1]), multiDiscrete(2), 0.1)).toThrow(
      "needs discrete actions or candidates, got multi-discrete",
    );
    expect(() => klPerturbation(decisions([1, 0], [0, 1]), discrete(2), 1.5)).toThrow(
      "blindProbability must be in [0, 1], got 1.5",
    );
    expect(() => klPerturbation(decisions([], []), discrete(2), 0.1)).toThrow("needs at least 1 decision, got 0");
  });
});
