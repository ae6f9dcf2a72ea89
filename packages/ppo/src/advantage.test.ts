import { describe, expect, it } from "@jest/globals";
import { CONTINUES, createRollout, LAST_LOOK, OPEN, TERMINATED, TRUNCATED } from "@magic-mask/core";
import { computeTargets, explainedVariance, learnableRows, type Targets } from "./advantage.ts";
import { lockWorld } from "./test-worlds.ts";

const CAPACITY = 10;

function someRollout() {
  const rollout = createRollout(lockWorld(), 0, 3, CAPACITY);
  // Agent 0: rows 0 → 2 → 4 (terminated). Agent 1: row 1 → 3 (truncated, last look 5), row 6 open, row 7 blinded, row 8 disturbed.
  rollout.length = 9;
  rollout.agents.set([0, 1, 0, 1, 0, 1, 1, 1, 1]);
  rollout.ended.set([CONTINUES, CONTINUES, CONTINUES, TRUNCATED, TERMINATED, LAST_LOOK, OPEN, TERMINATED, TERMINATED]);
  rollout.next.set([2, 3, 4, 5, -1, -1, -1, -1, -1]);
  rollout.rewards.set([1, 0, 2, 4, 4, 0, 9, 9, 9]);
  rollout.values.set([1, 2, 4, 0, 2, 8, 9, 9, 9]);
  rollout.blinded[7] = 1;
  rollout.disturbed[8] = 1;
  return rollout;
}

const empty = (): Targets => ({ advantages: new Float32Array(0), returns: new Float32Array(0) });

describe("the rows that PPO learns from", () => {
  it("are complete, by the policy's own choice, and undisturbed", () => {
    const rollout = someRollout();
    expect([...learnableRows(rollout, [0, 1])]).toEqual([0, 1, 2, 3, 4]);
    expect([...learnableRows(rollout, [0])]).toEqual([0, 2, 4]);
    expect([...learnableRows(rollout, [1])]).toEqual([1, 3]);
    expect([...learnableRows(rollout, [2])]).toEqual([]);
  });
});

describe("targets", () => {
  it("are λ-returns, and their gain over V brought to mean 0 and deviation 1", () => {
    const rollout = someRollout();
    const targets = empty();
    const rows = learnableRows(rollout, [0, 1]);
    computeTargets(rollout, rows, 0.5, 0.5, targets);
    // Agent 0: y₄ = 4;  y₂ = 2 + ½·(½·2 + ½·4) = 3.5;  y₀ = 1 + ½·(½·4 + ½·3.5) = 2.875
    // Agent 1: y₃ = 4 + ½·8 = 8 (the clock ran out at a state worth 8);  y₁ = 0 + ½·(½·0 + ½·8) = 2
    expect([...targets.returns.subarray(0, 5)]).toEqual([2.875, 2, 3.5, 8, 4]);
    // y − V = 1.875, 0, −.5, 8, 2: mean 2.275, mean square (3.515625 + 0 + .25 + 64 + 4) / 5 = 14.353125,
    // variance 14.353125 − 5.175625 = 9.1775
    const deviation = Math.sqrt(9.1775);
    [1.875, 0, -0.5, 8, 2].forEach((gain, row) => {
      expect(targets.advantages[row]).toBeCloseTo((gain - 2.275) / deviation, 5);
    });
  });

  it("are normalised over the rows that are learned from alone", () => {
    const rollout = someRollout();
    const targets = empty();
    computeTargets(rollout, learnableRows(rollout, [1]), 0.5, 0.5, targets);
    // Gains 0 and 8: mean 4, deviation 4.
    expect([targets.advantages[1], targets.advantages[3]].map((x) => Math.round(x * 1e5) / 1e5)).toEqual([-1, 1]);
  });

  it("have a place for every row there is room for, so that they match the rollout's columns", () => {
    const rollout = someRollout();
    const targets = empty();
    computeTargets(rollout, learnableRows(rollout, [0]), 0.9, 0.9, targets);
    expect([targets.returns.length, targets.advantages.length]).toEqual([CAPACITY, CAPACITY]);
    const { returns } = targets;
    computeTargets(rollout, learnableRows(rollout, [0]), 0.9, 0.9, targets);
    expect(targets.returns).toBe(returns);
    // One that is too long would not do either.
    const long = { advantages: new Float32Array(20), returns: new Float32Array(20) };
    computeTargets(rollout, learnableRows(rollout, [0]), 0.9, 0.9, long);
    expect([long.returns.length, long.advantages.length]).toEqual([CAPACITY, CAPACITY]);
  });

  it("are finite where all gains are equal", () => {
    const rollout = someRollout();
    const targets = empty();
    computeTargets(rollout, Int32Array.of(4), 0.5, 0.5, targets);
    expect(targets.advantages[4]).toBe(0);
  });
});

describe("explained variance", () => {
  const rows = Int32Array.of(0, 1, 3);
  const returns = Float32Array.of(1, 2, 99, 3);

  it("is the share of the variance of y that V accounts for", () => {
    // y = 1, 2, 3: variance ⅔. V = 1, 2, 4: y − V = 0, 0, −1, variance 2/9. 1 − (2/9) / (2/3) = ⅔
    expect(explainedVariance(Float32Array.of(1, 2, 0, 4), returns, rows)).toBeCloseTo(2 / 3, 12);
  });

  it("is 1 for a perfect critic, whatever it is off by on the whole, 0 for a constant and below for worse", () => {
    expect(explainedVariance(Float32Array.of(1, 2, 0, 3), returns, rows)).toBe(1);
    expect(explainedVariance(Float32Array.of(6, 7, 0, 8), returns, rows)).toBe(1);
    expect(explainedVariance(Float32Array.of(5, 5, 0, 5), returns, rows)).toBe(0);
    // V = 3, 2, 1: y − V = −2, 0, 2, variance 8/3, four times that of y.
    expect(explainedVariance(Float32Array.of(3, 2, 0, 1), returns, rows)).toBe(-3);
  });

  it("is NaN where there is nothing to explain", () => {
    expect(explainedVariance(Float32Array.of(1, 2), Float32Array.of(5, 5), Int32Array.of(0, 1))).toBeNaN();
  });
});
