import { describe, expect, it } from "@jest/globals";
import {
  box,
  type CreateLearner,
  createRollout,
  type Decisions,
  DRAWS,
  discrete,
  distributionOf,
  type EnvironmentSpec,
  type Rollout,
  stream,
  TERMINATED,
} from "@magic-mask/core";
import { referenceLearner } from "@magic-mask/core/testing";
import { pairFeatures } from "../features.ts";
import { objectives, objectivesFor } from "../index.ts";
import { leverWorld } from "../test-worlds.ts";
import { advantage } from "./advantage.ts";
import { doublyRobust } from "./doubly-robust.ts";

const space = box([2], [-1, 0], [3, 10]);
const spec: EnvironmentSpec = {
  ...leverWorld(),
  observationSpaces: [box([1], -1, 1), box([1], -1, 1)],
  actionSpaces: [space, space],
};
/** Places in a pair: o, two means, two ln σ, two entries of the action, ln π. */
const [X, ACTION, LOG_PROB] = [8, 5, 7];

describe("a pair of a state and a continuous action", () => {
  const { width, write } = pairFeatures(1, space);
  const source = {
    count: 2,
    observations: Float32Array.of(9, 0.5),
    legal: new Uint8Array(0),
    policy: Float32Array.of(9, 9, 9, 9, 2, 5, 0, Math.LN2),
  };

  it("is the observation, means and ln σ, the action as it is played, all from bounds to [−1, 1], and its log-density", () => {
    expect(width).toBe(X);
    const out = new Float32Array(X + 2).fill(7);
    // Bounds −1 to 3 and 0 to 10: middles 1 and 5, halves 2 and 5. σ = 1 and 2: ½ and .4 of a half.
    write(source, 1, Float32Array.of(0, 20), out, 1);
    // z = −2 and 7.5: −½·(4 + 56.25) − ln 1 − ln 2 − ln 2π is cut off at −10.
    const [mean, deviation] = [
      [0.5, 0],
      [Math.log(0.5), Math.log(0.4)],
    ];
    expect([...out]).toEqual([7, 0.5, ...mean, ...deviation, -0.5, 1, -10, 7].map((x) => expect.closeTo(x, 6)));
    write(source, 1, Float32Array.of(3, 5), out, 1);
    expect(out[1 + LOG_PROB]).toBeCloseTo(-0.5 - Math.LN2 - Math.log(2 * Math.PI), 6);
  });

  it("needs bounds", () => {
    expect(() => pairFeatures(1, box([1], 0, Number.POSITIVE_INFINITY))).toThrow("needs bounded actions, but entry 0");
  });
});

/** A learner that knows: Â = 2·a₀ + 10·a₁ in scaled entries, for each head one more. */
const knowing: CreateLearner = (model, random) => ({
  ...referenceLearner(model, random),
  infer(inputs, count, out) {
    const heads = model.kind === "mlp" ? model.outputs.reduce((sum, n) => sum + n, 0) : 0;
    for (let pair = 0; pair < count; pair++) {
      const [a, b] = inputs.subarray(pair * X + ACTION, pair * X + ACTION + 2);
      for (let e = 0; e < heads; e++) out[heads * pair + e] = (1 + e) * (2 * a + 10 * b);
    }
  },
});

const count = 600;
const random = stream(3);
const decisions: Decisions = {
  agent: 0,
  count,
  observations: new Float32Array(count),
  legal: new Uint8Array(0),
  // σ = e⁻³, so that nothing is cut at the bounds.
  policy: Float32Array.from({ length: 4 * count }, (_, at) => (at % 4 < 2 ? 1 + random.uniform() : -3)),
  perturbation: Float32Array.from({ length: 4 * count }, (_, at) => (at % 4 < 2 ? 1 + random.uniform() : -2)),
};

/** Those decisions, each an episode of its own: every fifth is blinded. */
function played(rows: number): Rollout {
  const rollout = createRollout(spec, 0, 4, rows);
  rollout.length = rows;
  rollout.policy.set(decisions.policy.subarray(0, 4 * rows));
  rollout.perturbation.set(decisions.perturbation.subarray(0, 4 * rows));
  rollout.ended.fill(TERMINATED);
  rollout.blindProbability.fill(0.2);
  for (let row = 0; row < rows; row++) {
    rollout.episodes[row] = row;
    rollout.blinded[row] = row % 5 === 0 ? 1 : 0;
    densityAt(row % 5 === 0 ? rollout.perturbation : rollout.policy, row).sample(random, rollout.actions, 2 * row);
  }
  return rollout;
}

const densityAt = (rows: Float32Array, row: number) => distributionOf(space).at(rows, 4 * row);

/** π and ν of what was done. */
const densitiesOf = ({ policy, perturbation, actions }: Rollout, row: number) =>
  [policy, perturbation].map((of) => Math.exp(densityAt(of, row).logProb(actions, 2 * row)));

describe("the advantage mask over continuous actions", () => {
  it("compares what π and ν draw: exactly, where Â is linear", () => {
    const mask = advantage().create({ spec, agent: 0, createLearner: knowing, seed: 1 });
    const [criticality, spread] = [new Float32Array(count), new Float32Array(count)];
    mask.explainer.score(decisions, criticality, spread);
    for (const row of [0, 1, 255, 256, 599]) {
      const gap = [0, 1].map((i) => decisions.policy[4 * row + i] - decisions.perturbation[4 * row + i]);
      // Scaled by halves 2 and 5; heads say 1, 2, 3 times that: mean 2, deviation 1.
      const one = (2 * gap[0]) / 2 + (10 * gap[1]) / 5;
      expect(criticality[row]).toBeCloseTo(2 * one, 4);
      expect(spread[row]).toBeCloseTo(Math.abs(one), 4);
    }
  });

  it("says what given actions are worth", () => {
    const mask = advantage().create({ spec, agent: 0, createLearner: knowing, seed: 1 });
    const actions = Float32Array.from({ length: count * DRAWS * 2 }, () => random.uniform());
    const out = new Float32Array(count * DRAWS);
    mask.advantages?.(decisions, out, actions);
    for (const at of [0, 17, count * DRAWS - 1]) {
      const [a, b] = [(actions[2 * at] - 1) / 2, (actions[2 * at + 1] - 5) / 5];
      expect(out[at]).toBeCloseTo(2 * (2 * a + 10 * b), 4);
    }
  });

  it("weighs samples by densities, and learns from the action that was played", async () => {
    let seen: { inputs: Float32Array; weights: Float32Array } | undefined;
    const createLearner: CreateLearner = (model, chance) => ({
      ...referenceLearner(model, chance),
      async update({ batch }) {
        seen = batch as unknown as typeof seen;
        return { loss: 0 };
      },
    });
    const rollout = played(400);
    const mask = advantage().create({ spec, agent: 0, createLearner, seed: 1 });
    const values = new Float32Array(400);
    const plan = { epochs: 1, learningRate: { start: 0.1, end: 0.1 } };
    await mask.fit({ rollout, discount: 1, rows: Int32Array.from(values.keys()), values, advantages: values }, plan);
    const w = Array.from(values, (_, row) => {
      const [pi, nu] = densitiesOf(rollout, row);
      return (pi + nu) / 2 / (0.8 * pi + 0.2 * nu);
    });
    const scale = w.reduce((sum, x) => sum + x, 0) / 400;
    let counted = 0;
    for (let row = 0; row < 400; row++) {
      const times = (seen as NonNullable<typeof seen>).weights[3 * row] / (w[row] / scale);
      expect(Math.abs(times - Math.round(times))).toBeLessThan(1e-3);
      counted += times;
      expect((seen as NonNullable<typeof seen>).inputs[row * X + ACTION]).toBeCloseTo(
        (rollout.actions[2 * row] - 1) / 2,
        5,
      );
    }
    expect(counted / 400).toBeCloseTo(1, 0);
  });
});

describe("doubly robust criticality over continuous actions", () => {
  it("adds what Â left unexplained, by densities", async () => {
    let targets = new Float32Array(0);
    const createLearner: CreateLearner = (model, chance) => ({
      ...knowing(model, chance),
      async update({ batch }) {
        // What is learned of states alone: o, two means, two ln σ.
        if (model.kind === "mlp" && model.inputs === 5) ({ targets } = batch as unknown as { targets: typeof targets });
        return { loss: 0 };
      },
    });
    const rollout = played(200);
    const values = new Float32Array(200);
    const evidence = { rollout, discount: 1, rows: Int32Array.from(values.keys()), values, advantages: values };
    const mask = doublyRobust().create({ spec, agent: 0, createLearner, seed: 1 });
    await mask.fit(evidence, { epochs: 1, learningRate: { start: 0.1, end: 0.1 } });
    for (const row of [0, 1, 5, 199]) {
      const [pi, nu] = densitiesOf(rollout, row);
      // Both heads of a half together: 1.5·(2·a₀ + 10·a₁), of entries scaled by their halves 2 and 5.
      const worth = (a: number, b: number) => 1.5 * ((2 * (a - 1)) / 2 + (10 * (b - 5)) / 5);
      const mean = (of: Float32Array) => worth(of[4 * row], of[4 * row + 1]);
      const own = worth(rollout.actions[2 * row], rollout.actions[2 * row + 1]);
      const left = ((pi - nu) / (0.8 * pi + 0.2 * nu)) * (0 - own);
      expect(targets[3 * row]).toBeCloseTo(mean(rollout.policy) - mean(rollout.perturbation) + left, 3);
    }
  });
});

describe.each(Object.entries(objectives))("%s over continuous actions", (name, objective) => {
  const small: CreateLearner = (model, chance) => referenceLearner({ ...model, hidden: [5] }, chance);
  const make = () => objective({ threshold: 0.5 }).create({ spec, agent: 0, createLearner: small, seed: 1 });

  if (name === "value_gap") {
    it("refuses: a range over a continuum is none of what was seen", () => {
      expect(make).toThrow("[masking/value-gap] needs discrete actions or candidates, got box");
    });
    return;
  }

  it("learns, and gives scores and masks that are the same again from a saved state", async () => {
    const rollout = played(60);
    const advantages = Float32Array.from({ length: 60 }, () => random.normal());
    const rows = Int32Array.from(advantages.keys());
    const mask = make();
    const plan = { epochs: 2, learningRate: { start: 0.01, end: 0.01 } };
    await mask.fit({ rollout, discount: 1, rows, values: new Float32Array(60), advantages }, plan);
    const again = make();
    again.restoreState(structuredClone(mask.exportState()));
    const [scores, masks] = [mask, again].map((each) => {
      const [criticality, m] = [new Float32Array(count), new Float32Array(count)];
      each.explainer.score(decisions, criticality, new Float32Array(count));
      each.mask(decisions, m);
      expect(criticality.every(Number.isFinite)).toBe(true);
      expect(m.every((x) => x >= 0 && x <= 1)).toBe(true);
      return [...criticality, ...m];
    });
    expect(masks).toEqual(scores);
    expect(mask.exportState()).not.toEqual(make().exportState());
  });
});

it("is told apart which objectives learn over a continuum of actions", () => {
  const able = objectivesFor(space);
  expect(Object.keys(objectives).filter((name) => !able.includes(name))).toEqual(["value_gap"]);
  expect(objectivesFor(discrete(3))).toEqual(Object.keys(objectives));
});
