import { describe, expect, it } from "@jest/globals";
import {
  CONTINUES,
  type CreateLearner,
  createRollout,
  outputWidth,
  type PpoBatch,
  type RegressionBatch,
  type Rollout,
  TERMINATED,
} from "@magic-mask/core";
import { KEYS, leverWorld, WIDTH } from "../test-worlds.ts";
import { coverage } from "./coverage.ts";
import { doublyRobust } from "./doubly-robust.ts";
import { episodeReturn } from "./episode-return.ts";
import { keepBlind } from "./keep-blind.ts";
import { lazy } from "./lazy.ts";
import { meanOf } from "./mean-of.ts";
import type { Evidence, MaskObjective } from "./objective.ts";
import { paper } from "./paper.ts";
import { statemask, statemaskLagrangian } from "./statemask.ts";
import { valueDrop } from "./value-drop.ts";
import { valueGap } from "./value-gap.ts";

/** π and ν of every decision here. */
const PI = [0.5, 0.25, 0.25];
const NU = [0.25, 0.25, 0.5];
const ONE = { epochs: 1, learningRate: { start: 0.1, end: 0.1 } };

/** One decision that is followed by another, after which the agent's task is over. γ = ½. */
function episodeOf(rows: readonly { z: 0 | 1; p: number; r: number; V: number; A: number; a: number }[]): Evidence {
  const rollout: Rollout = createRollout(leverWorld(), 0, KEYS, rows.length);
  rollout.length = rows.length;
  rows.forEach(({ z, p, r, a }, row) => {
    rollout.observations[row * WIDTH] = row;
    rollout.legal.fill(1, row * KEYS, (row + 1) * KEYS);
    rollout.policy.set(PI.map(Math.log), row * KEYS);
    rollout.perturbation.set(NU.map(Math.log), row * KEYS);
    rollout.actions[row] = a;
    rollout.blinded[row] = z;
    rollout.blindProbability[row] = p;
    rollout.rewards[row] = r;
    rollout.ended[row] = row % 2 === 0 ? CONTINUES : TERMINATED;
    rollout.next[row] = row % 2 === 0 ? row + 1 : -1;
    rollout.episodes[row] = row >> 1;
  });
  return {
    rollout,
    discount: 0.5,
    rows: Int32Array.from(rows.keys()),
    values: Float32Array.from(rows, ({ V }) => V),
    advantages: Float32Array.from(rows, ({ A }) => A),
  };
}

const evidence = episodeOf([
  // δ = 1 + ½·4 − 2 = 1
  { z: 0, p: 0.25, r: 1, V: 2, A: 3, a: 0 },
  // δ = 2 − 4 = −2
  { z: 1, p: 0.25, r: 2, V: 4, A: -1, a: 2 },
  // δ = 0 + ½·6 − 1 = 2
  { z: 1, p: 0.5, r: 0, V: 1, A: 5, a: 1 },
  // δ = 7 − 6 = 1
  { z: 0, p: 0.5, r: 7, V: 6, A: 2, a: 0 },
]);

/** Learners that answer what they are told and remember, pass by pass, what they are to learn. */
function listener(answer: (input: Float32Array, output: number) => number) {
  const seen: (RegressionBatch & PpoBatch)[] = [];
  const createLearner: CreateLearner = (spec) => {
    const O = outputWidth(spec);
    return {
      spec,
      infer(inputs, count, out) {
        for (let row = 0; row < count; row++) {
          const input = inputs.subarray(row * spec.inputs, (row + 1) * spec.inputs);
          for (let o = 0; o < O; o++) out[row * O + o] = answer(input, o);
        }
      },
      async update({ batch }) {
        seen.push(structuredClone(batch) as (typeof seen)[number]);
        return { loss: 1, policy_loss: 1, value_loss: 2 };
      },
      gradient: async () => new Float32Array(0),
      exportState: () => ({
        parameters: new Float32Array(1),
        firstMoment: new Float32Array(1),
        secondMoment: new Float32Array(1),
        steps: 0,
      }),
      restoreState() {},
      dispose() {},
    };
  };
  return { seen, createLearner };
}

/** What an objective is taught by some evidence, pass by pass. */
async function taught(
  objective: MaskObjective,
  { of = evidence, plan = ONE, answer = () => 0 }: { of?: Evidence; plan?: typeof ONE; answer?: Answer } = {},
) {
  const { seen, createLearner } = listener(answer);
  const mask = objective.create({ spec: leverWorld(), agent: 0, createLearner, seed: 1 });
  const statistics = await mask.fit(of, plan);
  return { seen, mask, statistics };
}
type Answer = (input: Float32Array, output: number) => number;

/** Column `o` of O. */
const column = (numbers: Float32Array, o: number, O: number) => [...numbers].filter((_, i) => i % O === o);
const close = (numbers: readonly number[]) => numbers.map((x) => expect.closeTo(x, 5));

/** Whether weights are these, but for how often each head's bootstrap drew an episode. @param arms [n × 2] */
function expectBootstrapped(weights: Float32Array, expected: readonly number[], K: number, O: number) {
  const unit = expected.map((w, i) => {
    const at = Math.floor(i / (O / K)) * O + (i % (O / K)) * K;
    return [...weights.subarray(at, at + K)].map((x) => (w === 0 ? x : x / w));
  });
  for (const [i, times] of unit.entries()) {
    for (const x of times) if (Math.abs(x - Math.round(x)) > 1e-5) throw new Error(`weight ${i} counts ${x} times`);
    if (expected[i] === 0) expect(times).toEqual(Array(K).fill(0));
  }
  expect(unit.flat().some((x) => x > 0)).toBe(true);
}

describe("keep_blind", () => {
  it("learns y − V in each arm, weighted by the inverse of its probability", async () => {
    const { seen } = await taught(keepBlind());
    const [{ targets, weights }] = seen;
    for (const o of [0, 2, 3, 5]) expect(column(targets, o, 6)).toEqual([3, -1, 5, 2]);
    // 1/(1 − ¼), 1/¼, 1/½, 1/(1 − ½): 4/3, 4, 2, 2 sum to 28/3 in 8 places, each times 8·3/28 = 6/7.
    expectBootstrapped(weights, [8 / 7, 0, 0, 24 / 7, 0, 12 / 7, 12 / 7, 0], 3, 6);
  });

  it("has the arms' difference for its criticality", async () => {
    // Estimates of keeping 1, 2, 3 and of being blinded 3, 3, 0: −2, −1, 3, mean 0, deviation √((4 + 1 + 9)/2) = √7.
    const { mask } = await taught(keepBlind(), { answer: (_, o) => [1, 2, 3, 3, 3, 0][o] });
    const { policy, perturbation, observations, legal } = evidence.rollout;
    const [criticality, spread] = [new Float32Array(2), new Float32Array(2)];
    const decisions = { agent: 0, count: 2, policy, perturbation, observations, legal };
    mask.explainer.score(decisions, criticality, spread);
    expect([...criticality]).toEqual(close([0, 0]));
    expect([...spread]).toEqual(close([Math.sqrt(7), Math.sqrt(7)]));
  });
});

describe("value_drop", () => {
  it("learns V(o) − (r + γV(o′)) from blinded decisions alone", async () => {
    const { seen } = await taught(valueDrop());
    const [{ targets, weights }] = seen;
    expect(column(targets, 0, 3)).toEqual([2, -2]);
    expectBootstrapped(weights, [1, 1], 3, 3);
  });
});

describe("value_gap", () => {
  // The action is one-hot, the third of three before ln π(a) and π(a).
  const worth: Answer = (input, o) => (o + 1) * (input.at(-3) ?? 0) - (input.at(-5) ?? 0);

  it("learns y − V of what the policy itself did", async () => {
    const { seen } = await taught(valueGap());
    const [{ targets, weights, inputs }] = seen;
    expect(column(targets, 1, 3)).toEqual([3, 2]);
    expectBootstrapped(weights, [1, 1], 3, 3);
    const X = inputs.length / 2;
    for (const i of [0, 1]) expect([...inputs.subarray((i + 1) * X - 5, (i + 1) * X - 2)]).toEqual([1, 0, 0]);
  });

  it("is the range over legal actions", async () => {
    const { mask } = await taught(valueGap(), { answer: worth });
    const { rollout } = evidence;
    const [criticality, spread] = [new Float32Array(2), new Float32Array(2)];
    const legal = Uint8Array.of(1, 1, 1, 1, 1, 0);
    mask.explainer.score({ agent: 0, count: 2, ...rollout, legal }, criticality, spread);
    // Actions are worth −1, 0 and 1, 2 or 3: ranges 2, 3, 4. Without the third: 1 by all.
    expect([...criticality]).toEqual([3, 1]);
    expect([...spread]).toEqual([1, 0]);
  });
});

describe("doubly_robust", () => {
  it("learns ψ, with Â from the other half of the episodes", async () => {
    // Â = 1 for every action, so Σ(π − ν)Â = 0. (π − ν)/b: of action 0 ¼/(¾·½ + ¼·¼) = 4/7 at p = ¼ and ¼/(3/8) = 2/3 at ½;
    // of action 2 −¼/(¾·¼ + ¼·½) = −4/5; of action 1 0.
    // ψ = 4/7·(3 − 1), −4/5·(−1 − 1), 0, 2/3·(2 − 1)
    const { seen } = await taught(doublyRobust(), { answer: (_, o) => Number(o < 3) });
    const { targets } = seen[seen.length - 1];
    expect(column(targets, 0, 3)).toEqual(close([8 / 7, 8 / 5, 0, 2 / 3]));
  });

  it("judges each episode by a net that has not learned from it", async () => {
    const row = { z: 0, p: 0.5, r: 1, V: 0, A: 1, a: 0 } as const;
    const of = episodeOf(Array(24).fill(row));
    /** Episodes that each net has learned from and that it was asked about; the observation tells the row. */
    const nets: { learned: Set<number>; asked: Set<number> }[] = [];
    const episodesIn = (inputs: Float32Array, width: number, count: number) =>
      Array.from({ length: count }, (_, i) => inputs[i * width] >> 1);
    const createLearner: CreateLearner = (spec, random) => {
      const net = { learned: new Set<number>(), asked: new Set<number>() };
      nets.push(net);
      const { createLearner: create } = listener(() => 0);
      const learner = create(spec, random);
      return {
        ...learner,
        infer(inputs, count, out) {
          for (const episode of episodesIn(inputs, spec.inputs, count)) net.asked.add(episode);
          learner.infer(inputs, count, out);
        },
        update(objective, plan) {
          const { inputs } = objective.batch;
          for (const episode of episodesIn(inputs, spec.inputs, inputs.length / spec.inputs)) net.learned.add(episode);
          return learner.update(objective, plan);
        },
      };
    };
    const mask = doublyRobust().create({ spec: leverWorld(), agent: 0, createLearner, seed: 1 });
    await mask.fit(of, ONE);
    const [first, second] = nets;
    for (let episode = 0; episode < 12; episode++) {
      expect(first.learned.has(episode)).toBe(!second.learned.has(episode));
      const [strange] = [first, second].filter(({ learned }) => !learned.has(episode));
      expect(strange.asked.has(episode)).toBe(true);
    }
    expect(Math.min(first.learned.size, second.learned.size)).toBeGreaterThan(0);
  });

  it("counts what Â says of all actions, too", async () => {
    // Â(x, 0) = 1 and 0 else: Σ(π − ν)Â = ¼. ψ = ¼ + 4/7·(3 − 1), ¼ − 4/5·(−1 − 0), ¼, ¼ + 2/3·(2 − 1)
    const { seen } = await taught(doublyRobust(), { answer: (input) => input.at(-5) ?? 0 });
    const { targets } = seen[seen.length - 1];
    expect(column(targets, 0, 3)).toEqual(close([39 / 28, 21 / 20, 1 / 4, 11 / 12]));
  });
});

describe("lazy", () => {
  it("learns δ, less the cost of control where kept, and the best of what follows by its own estimate", async () => {
    // δ = 1, −2, 2, 1: σ = √(10/4); η = σ/√10 = ½. Next, Q(keep) = 3 and Q(blind) = 4 by every head: γ·4 = 2 where it goes on.
    const { seen } = await taught(lazy({ cost: 1 / Math.sqrt(10) }), { answer: (_, o) => (o < 3 ? 3 : 4) });
    const [{ targets, weights }] = seen;
    for (const k of [0, 2]) {
      expect(column(targets, k, 6)).toEqual(close([1 - 0.5 + 2, -2 - 0.5, 2 - 0.5 + 2, 1 - 0.5]));
      expect(column(targets, 3 + k, 6)).toEqual(close([1 + 2, -2, 2 + 2, 1]));
    }
    expectBootstrapped(weights, [8 / 7, 0, 0, 24 / 7, 0, 12 / 7, 12 / 7, 0], 3, 6);
  });
});

describe("episode_return", () => {
  it("learns how far each decision moves the predicted return", async () => {
    // g = 2 everywhere. Kept are rows 0 and 3: |1 + ½·2 − 2| = 0 and |7 − 2| = 5.
    const { seen } = await taught(episodeReturn(), { answer: () => 2 });
    const [model, contributions] = seen;
    // Returns to go: 1 + ½·2 and 7, through the blinded decision between.
    expect([...model.targets]).toEqual([2, 7]);
    expect(column(contributions.targets, 0, 3)).toEqual([0, 5]);
  });
});

describe("the mean of objectives", () => {
  const fixed = (name: string, criticality: number, spread: number): MaskObjective => ({
    name,
    blinding: "coin",
    create: () => ({
      explainer: {
        name,
        score({ count }, out, deviation) {
          out.fill(criticality, 0, count);
          deviation.fill(spread, 0, count);
        },
      },
      mask() {},
      fit: async () => ({ loss: criticality }),
      exportState: () => ({}),
      restoreState() {},
    }),
  });

  it("is that of their criticalities, spreads and losses", async () => {
    const both = meanOf("both", [fixed("one", 1, 0.5), fixed("two", 3, 1.5)]);
    const { mask, statistics } = await taught(both);
    const [criticality, spread] = [new Float32Array(1), new Float32Array(1)];
    mask.explainer.score({ agent: 0, count: 1, ...evidence.rollout }, criticality, spread);
    expect([mask.explainer.name, criticality[0], spread[0], statistics.loss]).toEqual(["both", 2, 1, 2]);
  });

  it.each([
    ["one alone", [keepBlind()]],
    ["masks that decide", [keepBlind(), paper()]],
  ])("refuses %s", (_, objectives) => {
    expect(() => meanOf("mean", objectives)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});

describe("a mask that PPO trains", () => {
  const sigma = Math.sqrt(10 / 4);
  // W = 1 everywhere; logits do not matter here.
  const answer: Answer = (_, o) => (o === 2 ? 1 : 0);
  /** y of two rewards in a row, γ = ½, λ = .9. */
  const returnsOf = (first: number, last: number) => [first + 0.5 * (0.1 * 1 + 0.9 * last), last];

  it("learns from its own bits and their probabilities, and returns of δ and what blinding is paid", async () => {
    const { seen, statistics } = await taught(statemask({ bonus: 0.25 }), { answer });
    const [{ actions, logProbs, legal, returns, advantages }] = seen;
    // 0 blinds, 1 keeps.
    expect([...actions]).toEqual([1, 0, 0, 1]);
    expect([...legal]).toEqual(Array(8).fill(1));
    expect([...logProbs]).toEqual(close([0.75, 0.25, 0.5, 0.5].map(Math.log)));
    const y = [
      ...returnsOf(1 / sigma, -2 / sigma + 0.25), //
      ...returnsOf(2 / sigma + 0.25, 1 / sigma),
    ];
    expect([...returns]).toEqual(close(y));
    // A = y − W
    expect([...advantages]).toEqual(close(y.map((x) => x - 1)));
    // −(1 − 2 + 2 + 1)/4 = −½ is lost in units of σ; ¾ + ¾ + ½ + ½ of 4 are kept.
    expect(statistics).toMatchObject({ loss: 1 + 0.5 * 2, kept: 0.625, bonus: 0.25 });
  });

  it("passes over decisions that it had no say in", async () => {
    const of = structuredClone(evidence);
    of.rollout.blindProbability.set([0, 1], 0);
    const { seen } = await taught(statemask(), { of });
    expect([...seen[0].actions]).toEqual([0, 1]);
    of.rollout.blindProbability.fill(0);
    expect((await taught(statemask(), { of })).seen).toEqual([]);
  });

  it("is paid less where blinding costs more than is tolerated, and more where it costs less", async () => {
    // What is lost is −½/σ: far below what is tolerated, so ln α rises by ½, its largest step. Of α = .1: .1649.
    const { statistics } = await taught(statemaskLagrangian({ tolerance: 0.1 }));
    expect(statistics.bonus).toBeCloseTo(0.1 * Math.exp(0.5), 6);
    // Turned about, ½/σ = .3162 is lost: .3162/.25 − 1 = .2649 too much.
    const of = structuredClone(evidence);
    of.rollout.rewards.set([-1, 6, -4, 5]);
    const worse = await taught(statemaskLagrangian({ tolerance: 0.25 }), { of });
    expect(worse.statistics.bonus).toBeCloseTo(0.1 * Math.exp(-(0.5 / sigma / 0.25 - 1) / 2), 6);
  });

  it("is held to the share it is to keep, and drawn to it where nothing is at stake", async () => {
    const { seen, statistics } = await taught(coverage({ threshold: 0.25, prior: 0.5 }), { answer });
    // Kept are .625 of .25: α = (.625 − .25)/2 from 0 on.
    expect(statistics.bonus).toBeCloseTo(0.1875, 6);
    // Keeping is paid ½·ln ¼ and blinding ½·ln ¾; the entropy bonus of the loss is the rest of −½·KL.
    const [keep, blind] = [Math.log(0.25) / 2, Math.log(0.75) / 2];
    expect([...seen[0].returns]).toEqual(
      close([
        ...returnsOf(1 / sigma + keep, -2 / sigma + blind), //
        ...returnsOf(2 / sigma + blind, 1 / sigma + keep),
      ]),
    );
  });

  it("says how probable it is to keep, and never quite excludes the other while it learns", async () => {
    // Logits of blinding 1 and of keeping 3 are worth σ(2) = .8808; of 0 and 30 nearly 1.
    const { policy, perturbation, observations, legal } = evidence.rollout;
    const decisions = { agent: 0, count: 1, policy, perturbation, observations, legal };
    const out = new Float32Array(1);
    const { mask } = await taught(statemask(), { answer: (_, o) => [1, 3, 0][o] });
    mask.mask(decisions, out);
    expect(out[0]).toBeCloseTo(0.880797, 6);
    mask.blind?.(decisions, out);
    expect(out[0]).toBeCloseTo(1 - 0.880797, 6);
    const sure = await taught(statemask(), { answer: (_, o) => [0, 30, 0][o] });
    sure.mask.blind?.(decisions, out);
    expect(out[0]).toBeCloseTo(0.02, 6);
    const spread = new Float32Array(1);
    sure.mask.explainer.score(decisions, out, spread);
    expect([out[0], spread[0]]).toEqual([expect.closeTo(1, 6), Number.NaN]);
  });
});

describe("options", () => {
  it.each([
    ["ensemble", () => keepBlind({ ensemble: 0 })],
    ["minibatch", () => valueGap({ minibatch: 0 })],
    ["minibatch", () => statemask({ minibatch: 0 })],
    ["cost", () => lazy({ cost: -1 })],
    ["bonus", () => statemask({ bonus: 0 })],
    ["tolerance", () => statemaskLagrangian({ tolerance: 0 })],
    ["threshold", () => coverage({ threshold: 1 })],
    ["prior", () => coverage({ prior: -1 })],
  ])("are refused out of bounds: %s", (name, make) => {
    const create = () =>
      make().create({ spec: leverWorld(), agent: 0, createLearner: listener(() => 0).createLearner, seed: 1 });
    expect(create).toThrow(expect.objectContaining({ code: "invalid-option", message: expect.stringContaining(name) }));
  });
});
