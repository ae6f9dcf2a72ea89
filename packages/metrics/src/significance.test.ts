import { describe, expect, it } from "@jest/globals";
import { criticalStates } from "./significance.ts";
import { collectStates } from "./states.ts";
import { END, sure, tablePolicy, tableWorld, uniform } from "./test-worlds.ts";

describe("criticalStates", () => {
  // After a first move of chance, agent 0 decides at one of ten nodes. At nodes 1 and 2 action 0 earns 1 more on average than
  // action 1; elsewhere the two are alike. Everything earns ±1 of luck, which the branches do not share as the outcomes of
  // action 1 are listed the other way round.
  const luck = (mean: number, first: 1 | -1) =>
    [first, -first].map((sign) => ({ probability: 0.5, to: END, rewards: [mean + sign] }));
  const nodes = [
    {
      agent: 0,
      actions: [Array.from({ length: 10 }, (_, k) => ({ probability: 0.1, to: 1 + k, rewards: [0] })), null],
    },
    ...Array.from({ length: 10 }, (_, k) => ({ agent: 0, actions: [luck(k < 2 ? 1 : 0, 1), luck(0, -1)] })),
  ];
  const make = tableWorld(nodes, 1);
  const policies = [tablePolicy(nodes.map(() => [1, 0]))];
  const [states] = collectStates({ make, policies, perturbation: uniform(2), count: 100, seed: 1 });
  const nodeAt = (row: number) => states.decisions.observations.subarray(row * 11, (row + 1) * 11).indexOf(1);
  const found = criticalStates({ make, policies, states, rollouts: 64, seed: 9, discount: 1 });

  it("finds the states where something is at stake, and hardly any other", () => {
    // π plays action 0: Δ = ½·(mean of 0 − mean of 1) = .5 or 0; a rollout's is ½·(±1 ± 1 + gap), so its error at n = 64 is
    // 1/8 and .5 is four of them.
    const truly = found.filter(({ row }) => nodeAt(row) <= 2);
    const others = found.filter(({ row }) => nodeAt(row) > 2);
    expect(truly.length).toBeGreaterThan(10);
    expect(truly.filter(({ critical }) => critical).length / truly.length).toBeGreaterThan(0.8);
    expect(others.filter(({ critical }) => critical).length).toBeLessThanOrEqual(3);
    for (const { effect, p, q, critical } of found) {
      expect(q).toBeGreaterThanOrEqual(p);
      expect(critical).toBe(q <= 0.05);
      expect(effect.low).toBeLessThanOrEqual(effect.estimate);
    }
  });

  it("does not flatter: effects of states picked as maxima are those of fresh rollouts", () => {
    // Of 80 states worth nothing the largest of 80 estimates with error 1/8 is about 2.4 of them, .3; measured anew they are 0.
    const best = found.filter(({ row }) => nodeAt(row) > 2).sort((a, b) => b.effect.estimate - a.effect.estimate);
    const rows = best.slice(0, 8).map(({ row }) => row);
    const flattered = best.slice(0, 8).reduce((sum, { effect }) => sum + effect.estimate / 8, 0);
    const fresh = criticalStates({ make, policies, states, rows, rollouts: 64, seed: 10, discount: 1 });
    expect(fresh.map(({ row }) => row)).toEqual(rows);
    expect(flattered).toBeGreaterThan(0.15);
    expect(Math.abs(fresh.reduce((sum, { effect }) => sum + effect.estimate / 8, 0))).toBeLessThan(0.13);
  });

  it("claims no more than the rollouts can where they all say the same", () => {
    const certain = tableWorld([{ agent: 0, actions: [sure(END, 1), sure(END, 0)] }], 1);
    const alone = [tablePolicy([[1, 0]])];
    const [only] = collectStates({ make: certain, policies: alone, perturbation: uniform(2), count: 3, seed: 1 });
    const [{ effect, p, q, critical }] = criticalStates({
      make: certain,
      policies: alone,
      states: only,
      rollouts: 3,
      seed: 1,
      discount: 1,
    });
    // π and ν are float32 log-probabilities.
    expect(effect.estimate).toBeCloseTo(0.5, 7);
    expect([effect.low, effect.high]).toEqual([effect.estimate, effect.estimate]);
    // 2⁻³
    expect([p, q, critical]).toEqual([0.125, 0.125, false]);
  });
});
