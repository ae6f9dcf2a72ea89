import { describe, expect, it } from "@jest/globals";
import { type Explainer, play } from "@magic-mask/core";
import { gatedPolicy } from "./gated-policy.ts";
import { dropCurve, rewardDrop } from "./reward-drop.ts";
import { always, END, type Node, sure, tablePolicy, tableWorld } from "./test-worlds.ts";

const byNode = (scores: readonly number[]): Explainer => ({
  name: "planted",
  score({ count, observations }, criticality, spread) {
    for (let row = 0; row < count; row++) {
      criticality[row] = scores[observations.subarray(row * scores.length, (row + 1) * scores.length).indexOf(1)];
      spread[row] = Number.NaN;
    }
  },
});

describe("rewardDrop", () => {
  // Ten decisions in a row; action 0 earns the stake, action 1 nothing: 10 at node 4, 1 elsewhere, so a return of 19.
  // The policy always plays 0, ν always 1. A forced move that scores highest of all stands in between and must not
  // count.
  const stakes = [1, 1, 1, 1, 10, 1, 1, 1, 1, 1];
  const nodes: Node[] = stakes.map((stake, k) => ({
    agent: 0,
    actions: [sure(k === 9 ? 10 : k + 1, stake), sure(k === 9 ? 10 : k + 1, 0)],
  }));
  nodes.push({ agent: 0, actions: [sure(END, 0), null] });
  const scores = [...stakes, 99];
  const options = {
    make: tableWorld(nodes, 1, [0, 20]),
    policies: [tablePolicy(Array(11).fill([1, 0]))],
    agent: 0,
    perturbation: always(1, 2),
    explainer: byNode(scores),
    share: 0.1,
    episodes: 400,
    calibrationEpisodes: 50,
    seed: 3,
  };

  it("blinds exactly the decision that matters", () => {
    // One of ten decisions: 10 of the 20 that the range spans.
    const result = rewardDrop(options);
    expect(result.drop).toEqual({ estimate: 0.5, low: 0.5, high: 0.5 });
    expect(result).toMatchObject({ unperturbed: 19, perturbed: 9, budget: 0.1 });
  });

  it("spends the same budget on the lowest scores and at random", () => {
    // Lowest: one of nine equal stakes of 1 on average: 1/20 = .05, ± 4·√(9·(1/9)(8/9)/400)/20 = .0094.
    const bottom = rewardDrop({ ...options, order: "bottom" });
    expect(bottom.budget).toBeCloseTo(0.1, 12);
    expect(Math.abs(bottom.drop.estimate - 0.05)).toBeLessThan(0.0094);
    // Random: a tenth of 19: 1.9/20 = .095, ± 4·√(.09·(100 + 9)/400)/20 = .031.
    const random = rewardDrop({ ...options, order: "random" });
    expect(random.budget).toBeCloseTo(0.1, 12);
    expect(Math.abs(random.drop.estimate - 0.095)).toBeLessThan(0.031);
    expect(random.drop.low).toBeLessThan(random.drop.estimate);
    expect(random.drop.high).toBeGreaterThan(random.drop.estimate);
  });

  it("has a curve over budgets, each point spent as asked", () => {
    // 5, 10, 20 % of ten decisions: half of the 10 at stake, all of it, and one of the nine 1s on top: 5, 10, 11 of 20.
    const curve = dropCurve({ ...options, shares: [0.05, 0.1, 0.2] });
    expect(curve.map(({ budget }) => Number(budget.toFixed(3)))).toEqual([0.05, 0.1, 0.2]);
    [0.25, 0.5, 0.55].forEach((drop, k) => {
      // The first is a coin per episode: ± 4·.25/√400; the last a draw of one in nine.
      expect(Math.abs(curve[k].drop.estimate - drop)).toBeLessThan(k === 1 ? 1e-12 : 0.06);
    });
    expect(curve[1].drop).toEqual(rewardDrop(options).drop);
  });

  it("does not try play without blinding anew for each budget", () => {
    let plays = 0;
    const make = () => {
      plays++;
      return tableWorld(nodes, 1, [0, 20])();
    };
    const count = (shares: number[]) => {
      plays = 0;
      dropCurve({ ...options, make, shares, episodes: 10, calibrationEpisodes: 10, copies: 1 });
      return plays;
    };
    const apart = [0.05, 0.1, 0.2].reduce((sum, share) => sum + count([share]), 0);
    expect(count([0.05, 0.1, 0.2])).toBeLessThanOrEqual(apart - 8);
  });

  it("gives an explainer that cannot tell anything apart exactly the random drop", () => {
    const { gate: _, ...constant } = rewardDrop({ ...options, explainer: byNode(Array(11).fill(7)) });
    const { gate: __, ...random } = rewardDrop({ ...options, order: "random" });
    expect(constant).toEqual(random);
  });

  it("is repeatable, whatever the number of copies", () => {
    const random = rewardDrop({ ...options, order: "random" });
    expect(rewardDrop({ ...options, order: "random", copies: 7 })).toEqual(random);
    expect(rewardDrop({ ...options, order: "random", seed: 4 })).not.toEqual(random);
  });

  it("is negative where blinding helps, and measured against the range given", () => {
    // Now the policy plays the worthless action and ν the right one.
    const result = rewardDrop({
      ...options,
      policies: [tablePolicy([...Array(10).fill([0, 1]), [1, 0]])],
      perturbation: always(0, 2),
      range: 40,
    });
    expect(result.drop.estimate).toBe(-0.25);
  });

  it("compares episodes of the same chance", () => {
    // Stakes 5 and 1, then ±10 by chance: with the same ±10 in both, every episode loses exactly 5 of 40.
    const chance = [10, -10].map((reward) => ({ probability: 0.5, to: END, rewards: [reward] }));
    const noisy: Node[] = [
      { agent: 0, actions: [sure(1, 5), sure(1, 0)] },
      { agent: 0, actions: [sure(2, 1), sure(2, 0)] },
      { agent: 0, actions: [chance, null] },
    ];
    const policies = [tablePolicy(Array(3).fill([1, 0]))];
    const explainer = byNode([9, 1, 1]);
    const { drop, unperturbed } = rewardDrop({
      ...options,
      make: tableWorld(noisy, 1),
      policies,
      explainer,
      share: 0.5,
      range: 40,
    });
    expect(drop).toEqual({ estimate: 0.125, low: 0.125, high: 0.125 });
    // The noise is there: 6 ± 10/√400 on average.
    expect(unperturbed).not.toBe(6);
    expect(Math.abs(unperturbed - 6)).toBeLessThan(2);
  });

  it("blinds one agent alone", () => {
    // Two agents in turn, each decides once: 5 for agent 0, 3 for agent 1, whoever errs loses it for both.
    const make = tableWorld(
      [
        { agent: 0, actions: [sure(1, 5, 5), sure(1, 0, 0)] },
        { agent: 1, actions: [sure(END, 3, 3), sure(END, 0, 0)] },
      ],
      2,
    );
    const policies = [
      tablePolicy([
        [1, 0],
        [1, 0],
      ]),
      tablePolicy([
        [1, 0],
        [1, 0],
      ]),
    ];
    const result = rewardDrop({
      ...options,
      make,
      policies,
      agent: 1,
      share: 0.5,
      explainer: byNode([9, 9]),
      range: 8,
    });
    // Half of agent 1's decisions: 1.5 of 8, ± 4·1.5/√400/8 = .0375.
    expect(Math.abs(result.drop.estimate - 1.5 / 8)).toBeLessThan(0.0375);
    expect(result.budget).toBe(0.5);
  });

  it("closes the loop: blinding that leads to other states still spends the budget asked for", () => {
    // Node 0 scores 9; its wrong action leads through nodes 5 … 9 that score 8; then nodes 1 … 4 score 1. Unperturbed,
    // the top fifth of five decisions is node 0; behind that threshold an episode has ten decisions and one blinded: 10
    // %.
    const next = (k: number) => (k === 4 ? END : k === 9 ? 1 : k + 1);
    const world: Node[] = Array.from({ length: 10 }, (_, k) => ({
      agent: 0,
      actions: [sure(next(k), 1), sure(k === 0 ? 5 : next(k), 0)],
    }));
    const make = tableWorld(world, 1, [0, 10]);
    const policies = [tablePolicy(Array(10).fill([1, 0]))];
    const explainer = byNode([9, 1, 1, 1, 1, 8, 8, 8, 8, 8]);
    const { perturbation } = options;
    const naive = gatedPolicy(policies[0], {
      agent: 0,
      space: make().actionSpaces[0],
      observation: 10,
      perturbation,
      explainer,
      gate: { threshold: 1, ties: 0 },
    });
    const open = { threshold: 8, ties: 0 };
    const first = gatedPolicy(policies[0], {
      agent: 0,
      space: make().actionSpaces[0],
      observation: 10,
      perturbation,
      explainer,
      gate: open,
    });
    play({ make, policies: [naive], episodes: 10, seed: 1 });
    play({ make, policies: [first], episodes: 10, seed: 1 });
    expect(naive.blinded() / naive.scores.length).toBe(0.6);
    expect(first.blinded() / first.scores.length).toBe(0.1);
    const { budget, gate } = rewardDrop({ ...options, make, policies, explainer, share: 0.2 });
    // Two of ten: node 0, and one of the five that score 8.
    expect(Math.abs(budget - 0.2)).toBeLessThanOrEqual(0.005);
    expect(gate.threshold).toBe(8);
    expect(gate.ties).toBeCloseTo(0.2, 1);
  });

  it.each([
    [{ share: 0 }, "share must be in (0, 1), got 0"],
    [{ share: 10 }, "share must be in (0, 1), got 10"],
    [{ episodes: 0 }, "episodes must be a whole number ≥ 1, got 0"],
    [{ range: 0 }, "range must be > 0, got 0"],
    [{ make: tableWorld(nodes, 1) }, "range must be > 0, got none from the options or the world"],
  ])("refuses %j", (wrong, message) => {
    expect(() => rewardDrop({ ...options, ...wrong })).toThrow(`[metrics/reward-drop] ${message}`);
  });
});
