import { describe, expect, it } from "@jest/globals";
import type { Policy } from "@magic-mask/core";
import { plantedOptimal } from "@magic-mask/environments";
import { self } from "@magic-mask/ppo";
import { assembleWorld } from "../assemble.ts";
import { resolveConfig } from "../config.ts";
import { createGuard, type GuardState } from "./divergence.ts";

const OPTIONS = { agents: 1, ticks: 12, keys: 2 };
const config = resolveConfig({ flags: { environment: { id: "planted_v0", options: OPTIONS } } });
const world = assembleWorld(config);
const best = plantedOptimal(OPTIONS);
/** As sure of itself, and always wrong. */
const worst: Policy = {
  evaluate(batch, parameters, values) {
    best.evaluate(batch, parameters, values);
    const n = parameters.length / batch.count;
    for (let row = 0; row < batch.count; row++) {
      const own = parameters.subarray(row * n, (row + 1) * n);
      const key = own.indexOf(own.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY));
      own.fill(-50).fill(0, (key + 1) % n, ((key + 1) % n) + 1);
    }
  },
};
const guardOf = (policy: Policy, state?: GuardState) =>
  createGuard(config, world, { learners: [{ policy }], players: [0], opponents: self() }, state);
const round = { criticLoss: 1, maskLoss: Number.NaN, mean: 0.5, coverage: 0.5, perturbation: 0 };
const at = (steps: number, entropy: number, more: object = {}) => ({
  steps,
  statistics: [{ entropy, explained_variance: Number.NaN, ...more }],
  rounds: [round],
});

describe("createGuard", () => {
  it("stops at what is not finite, but for what is undefined at times", () => {
    const { check } = guardOf(best);
    check(at(1, 1));
    check({ steps: 2, statistics: [{}], rounds: [] });
    expect(() => check(at(3, 1, { approx_kl: Number.NaN }))).toThrow("after 3 steps: approx_kl of policy 0 is NaN");
    const rounds = [{ ...round, maskLoss: Number.POSITIVE_INFINITY }];
    expect(() => check({ ...at(4, 1), rounds })).toThrow(
      expect.objectContaining({ code: "diverged", message: expect.stringContaining("is Infinity") }),
    );
  });

  it("stops at an update after which nothing is left of the policy, not at one that is only worth a warning", () => {
    const { check } = guardOf(best);
    check(at(1, 1, { approx_kl: 300 }));
    expect(() => check(at(2, 1, { approx_kl: 6.473e18 }))).toThrow(
      expect.objectContaining({
        code: "diverged",
        message: expect.stringContaining(
          "after 2 steps: approx_kl of policy 0 is 6.47e+18 nats in one update, above 1000",
        ),
      }),
    );
  });

  it("stops after 20 iterations of a policy that is sure of itself and earns nothing by it", () => {
    const { check } = guardOf(worst);
    check(at(0, 1));
    for (let i = 1; i < 20; i++) check(at(i, 0.009));
    expect(() => check(at(20, 0.009))).toThrow(
      expect.objectContaining({
        code: "diverged",
        message: expect.stringMatching(/collapsed: for 20 iterations .* 1 %/),
      }),
    );
  });

  it("lets one go on that is not sure of itself for so long, or that earns more than random play", () => {
    for (const [policy, entropies] of [
      [worst, [1, ...Array(60).fill(0.011)]],
      [worst, [1, ...Array(19).fill(0), 0.5, ...Array(19).fill(0)]],
      [best, [1, ...Array(60).fill(0)]],
    ] as const) {
      const { check } = guardOf(policy);
      entropies.forEach((entropy, i) => {
        check(at(i, entropy));
      });
    }
  });

  it("goes on counting where it stopped", () => {
    const before = guardOf(worst);
    before.check(at(0, 1));
    for (let i = 1; i < 20; i++) before.check(at(i, 0));
    const state = before.exportState();
    expect(state).toEqual({ first: [1], gone: [19] });
    expect(() => guardOf(worst, state).check(at(20, 0))).toThrow("collapsed");
  });
});
