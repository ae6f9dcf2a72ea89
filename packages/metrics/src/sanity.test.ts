import { describe, expect, it } from "@jest/globals";
import { type Explainer, type Policy, stream } from "@magic-mask/core";
import {
  chanceCurve,
  equalWindows,
  nothingDropped,
  orderedCurves,
  permutedScores,
  randomisedPolicy,
  replayFloor,
} from "./sanity.ts";
import { collectStates } from "./states.ts";
import { always, END, type Node, tablePolicy, tableWorld, uniform } from "./test-worlds.ts";

// Ten decisions in a row; π plays action 0, which earns the stake; each step adds ±1 of luck.
const STAKES = [0, 8, 0, 0, 3, 0, 0, 0, 2, 0];
const nodes: Node[] = STAKES.map((stake, k) => {
  const to = k === 9 ? END : k + 1;
  const pay = (reward: number) => [1, -1].map((luck) => ({ probability: 0.5, to, rewards: [reward + luck] }));
  return { agent: 0, actions: [pay(stake), pay(0)] };
});
const make = tableWorld(nodes, 1, [-10, 23]);
const policies = [tablePolicy(nodes.map(() => [0.95, 0.05]))];
const perturbation = always(1, 2);
const nodeOf = (observations: Float32Array, row: number) => observations.subarray(row * 10, (row + 1) * 10).indexOf(1);
/** Scores each decision by its stake, if told π as it is; with another π it says another thing. */
const knowing = (sign = 1): Explainer => ({
  name: "knowing",
  score({ count, observations, policy, perturbation: nu }, criticality) {
    for (let row = 0; row < count; row++) {
      const gap = Math.exp(policy[2 * row]) - Math.exp(nu[2 * row]);
      criticality[row] = sign * gap * STAKES[nodeOf(observations, row)];
    }
  },
});
const draws = stream(7, "unknowing");
const unknowing: Explainer = {
  name: "unknowing",
  score({ count }, criticality) {
    for (let row = 0; row < count; row++) criticality[row] = draws.uniform();
  },
};
const base = { make, policies, agent: 0, seed: 1, episodes: 200 };
const [states] = collectStates({ make, policies, perturbation: uniform(2), count: 200, seed: 1 });
const truth = Float64Array.from({ length: 200 }, (_, s) => STAKES[nodeOf(states.decisions.observations, s)]);

describe("the sanity battery passes where all is well", () => {
  it("permuted scores", () => {
    const row = permutedScores(truth, truth, 1);
    expect(row.passed).toBe(true);
    expect(Math.abs(row.measured.estimate - 0.5)).toBeLessThan(0.03);
    // Equal scores are at ½ in any order.
    expect(permutedScores(new Float64Array(200), truth, 1).passed).toBe(true);
    // Unknown where nothing is critical.
    expect(permutedScores(truth, new Float64Array(200), 1).measured.estimate).toBeNaN();
  });

  const redrawn: Policy[] = Array.from({ length: 20 }, (_, k) => {
    const random = stream(k, "redrawn");
    return tablePolicy(nodes.map(() => [random.uniform(), 0]).map(([p]) => [p, 1 - p]));
  });

  it("randomised policy", () => {
    const options = { states, truth, perturbation: uniform(2), policies: redrawn };
    expect(randomisedPolicy({ ...options, explainer: knowing() })).toMatchObject({ passed: true });
    // One that looks at the states alone knows as much as before.
    const stubborn: Explainer = {
      name: "stubborn",
      score({ count, observations }, criticality) {
        for (let row = 0; row < count; row++) criticality[row] = STAKES[nodeOf(observations, row)];
      },
    };
    const row = randomisedPolicy({ ...options, explainer: stubborn });
    expect(row).toMatchObject({ passed: false });
    // P(|T| ≥ 4) with 19 degrees of freedom; of a normal figure it is 6.33e-5.
    expect(row.byChance).toBeCloseTo(0.000767, 5);
  });

  it("random windows, replay floor, nothing withheld", () => {
    expect(equalWindows({ ...base, perturbation, explainer: unknowing })).toMatchObject({
      passed: true,
      byChance: 6.334e-5,
    });
    expect(replayFloor({ ...base, explainer: knowing() })).toMatchObject({
      passed: true,
      byChance: 0,
      measured: { estimate: 0 },
    });
    expect(nothingDropped({ ...base, explainer: knowing(), shares: [0.1, 0.5] })).toMatchObject({ passed: true });
  });

  it("K-curves", () => {
    const curve = { ...base, perturbation, shares: [0.1, 0.3] };
    expect(chanceCurve({ ...curve, explainer: unknowing }).map(({ passed }) => passed)).toEqual([true, true]);
    // Two budgets: highest less random, random less lowest, and the rise of the random curve.
    expect(orderedCurves({ ...curve, explainer: knowing() }).map(({ passed }) => passed)).toEqual(Array(5).fill(true));
  });
});

describe("the sanity battery fails where something is wrong", () => {
  it("windows that cost more than random ones, for an explainer said to know nothing", () => {
    expect(equalWindows({ ...base, perturbation, explainer: knowing() })).toMatchObject({ passed: false });
  });

  it("a curve that is not chance's, and one upside down", () => {
    const curve = { ...base, perturbation, shares: [0.1, 0.3] };
    expect(chanceCurve({ ...curve, explainer: knowing() }).map(({ passed }) => passed)).toEqual([false, false]);
    const upsideDown = orderedCurves({ ...curve, explainer: knowing(-1) }).map(({ passed }) => passed);
    expect(upsideDown.slice(0, 4)).toEqual([false, false, false, false]);
  });
});
