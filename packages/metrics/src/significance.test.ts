import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import fc from "fast-check";
import { normalBelow } from "./normal.ts";
import { benjaminiHochberg, criticalStates } from "./significance.ts";
import { collectStates } from "./states.ts";
import { END, sure, tablePolicy, tableWorld, uniform } from "./test-worlds.ts";

describe("benjaminiHochberg", () => {
  it("follows the example of its authors", () => {
    // Benjamini & Hochberg 1995, §3.2: 15 p-values, of which the procedure rejects the first four at .05.
    const p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
    ];
    expect([...benjaminiHochberg(p)].map((q) => q <= 0.05)).toEqual(p.map((_, i) => i < 4));
    // .0095·15/4
    expect(benjaminiHochberg(p)[3]).toBeCloseTo(0.035625, 12);
  });

  it("agrees with scipy.stats.false_discovery_control", () => {
    const p = [
      0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34, 0.341,
      0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986,
    ];
    const wanted = [
      0.025, 0.1, 0.21, 0.21, 0.21, 0.25, 0.264285714286, 0.491071428571, 0.491071428571, 0.491071428571,
      0.491071428571, 0.491071428571, 0.491071428571, 0.491071428571, 0.5328125, 0.5328125, 0.564705882353,
      0.781578947368, 0.781578947368, 0.87, 0.907142857143, 0.986, 0.986, 0.986, 0.986,
    ];
    const order = p.map((_, i) => (i * 7) % 25);
    const adjusted = benjaminiHochberg(order.map((i) => p[i]));
    order.forEach((i, at) => {
      expect(adjusted[at]).toBeCloseTo(wanted[i], 11);
    });
  });

  it("keeps the order of the p-values, is never below them, and does not depend on their places", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 }), (p) => {
        const q = benjaminiHochberg(p);
        p.forEach((value, i) => {
          expect(q[i]).toBeGreaterThanOrEqual(value);
          expect(q[i]).toBeLessThanOrEqual(1);
          p.forEach((other, j) => {
            if (value < other) expect(q[i]).toBeLessThanOrEqual(q[j]);
          });
        });
        expect(benjaminiHochberg([...p].reverse())).toEqual(q.reverse());
      }),
    );
  });

  it("controls the false discovery rate at π₀·α and less of it than picking at α does", () => {
    // 40 of 50 hypotheses are true; p of the others from a mean of 3 standard errors. BH at .2 has a rate of .8·.2 = .16 for
    // independent p-values (its theorem); 400 simulations leave a standard error below .01.
    const random = stream(5, "fdr");
    let [controlled, naive] = [0, 0];
    for (let run = 0; run < 400; run++) {
      const p = Float64Array.from({ length: 50 }, (_, i) => 1 - normalBelow(random.normal() + (i < 40 ? 0 : 3)));
      const share = (rejected: (i: number) => boolean) => {
        const found = [...p.keys()].filter(rejected);
        return found.length === 0 ? 0 : found.filter((i) => i < 40).length / found.length;
      };
      const q = benjaminiHochberg(p);
      controlled += share((i) => q[i] <= 0.2) / 400;
      naive += share((i) => p[i] <= 0.2) / 400;
    }
    expect(Math.abs(controlled - 0.16)).toBeLessThan(0.03);
    expect(naive).toBeGreaterThan(0.35);
  });

  it.each([
    [[], "needs at least 1 p-value"],
    [[0.5, 1.1], "a p-value must be in [0, 1], got 1.1 at entry 1"],
    [[Number.NaN], "got NaN at entry 0"],
  ])("refuses %j", (p, message) => {
    expect(() => benjaminiHochberg(p)).toThrow(message);
  });
});

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
