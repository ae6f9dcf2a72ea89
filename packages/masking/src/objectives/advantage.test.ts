import { describe, expect, it } from "@jest/globals";
import { type CreateLearner, candidates, ILLEGAL, type MlpSpec, type Rollout, type UpdatePlan } from "@magic-mask/core";
import { explainerLaws, referenceLearner } from "@magic-mask/core/testing";
import { createCritic } from "../critic.ts";
import { selectDecisions } from "../select.ts";
import { allDecisions, KEYS, leverWorld, playLevers, SURE, TICKS, truth, WIDTH } from "../test-worlds.ts";
import { type AdvantageOptions, advantage } from "./advantage.ts";
import type { Evidence, MaskLearner } from "./objective.ts";

const PLAN = { epochs: 6, learningRate: { start: 0.01, end: 0.002 } };

const makeMask = (options: AdvantageOptions = {}, { agent = 0, seed = 1, createLearner = referenceLearner } = {}) =>
  advantage({ hidden: [12], minibatch: 32, ...options }).create({ spec: leverWorld(), agent, createLearner, seed });

/** The evidence of some episodes, blinded as after training, by a critic that was fitted to them. */
async function evidenceOf(episodes: number, seed: number, agent = 0): Promise<Evidence> {
  const rollout = playLevers(episodes, 0.4, seed);
  const options = { spec: leverWorld(), createLearner: referenceLearner, discount: 1, hidden: [8], minibatch: 32 };
  const critic = createCritic({ ...options, agent, seed });
  await critic.fit(rollout, PLAN);
  return critic.judge(rollout);
}

/** Δ̂ and its spread at every decision there is. */
function scoreAll(mask: MaskLearner, agent = 0) {
  const decisions = allDecisions(agent);
  const [criticality, spread] = [new Float32Array(decisions.count), new Float32Array(decisions.count)];
  mask.explainer.score(decisions, criticality, spread);
  return { criticality: [...criticality], spread: [...spread], ticks: decisions.ticks };
}

const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** A learner that does nothing but remember what it is told to learn. */
function listener() {
  const seen: {
    inputs: Float32Array;
    targets: Float32Array;
    weights: Float32Array;
    plan: UpdatePlan;
    outputs: readonly number[];
  }[] = [];
  const createLearner: CreateLearner = (spec, random) => ({
    ...referenceLearner(spec, random),
    async update(objective, plan) {
      seen.push({ ...(objective.batch as unknown as (typeof seen)[number]), plan, outputs: (spec as MlpSpec).outputs });
      return { loss: 6 };
    },
  });
  return { seen, createLearner };
}

describe("what the advantage heads learn", () => {
  const rollout: Rollout = playLevers(3000, 0.4, 7);
  const rows = Int32Array.from({ length: rollout.length }, (_, row) => row).filter((row) => rollout.agents[row] === 0);
  const advantages = Float32Array.from({ length: rollout.length }, (_, row) => row / 1000);
  const evidence: Evidence = { rollout, discount: 1, rows, values: advantages, advantages };
  const { seen, createLearner } = listener();

  it("is y − V from [x, a, ln π(a), π(a)], in as many passes as were asked for, each in an order of its own", async () => {
    const { loss } = await makeMask({}, { createLearner }).fit(evidence, {
      epochs: 3,
      learningRate: { start: 0.3, end: 0.1 },
    });
    // The learner says 6 for three heads together.
    expect(loss).toBe(2);
    expect(seen.map(({ plan }) => plan.learningRate)).toEqual([0.3, expect.closeTo(0.2, 12), 0.1]);
    const orders = seen.map(({ plan }) => [...plan.rows]);
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual([...rows.keys()]);
    expect(new Set(orders.map((order) => order.join())).size).toBe(3);
    const [{ inputs, targets }] = seen;
    const X = WIDTH + 2 * KEYS + 2 + KEYS + 2;
    expect(inputs.length).toBe(rows.length * X);
    for (const i of [0, 1, 17]) {
      const row = rows[i];
      const [o, action] = [rollout.observations.subarray(row * WIDTH, (row + 1) * WIDTH), rollout.actions[row]];
      const key = o.indexOf(1, TICKS) - TICKS;
      const probabilities = [0, 1, 2].map((a) => (a === key ? SURE : 0.1));
      const H = -0.8 * Math.log(0.8) - 2 * 0.1 * Math.log(0.1);
      const x = [...o, ...probabilities, ...probabilities.map(Math.log), H, SURE];
      const tail = [
        ...[0, 1, 2].map((a) => (a === action ? 1 : 0)),
        Math.log(probabilities[action]),
        probabilities[action],
      ];
      expect([...inputs.subarray(i * X, (i + 1) * X)]).toEqual(
        [...x, ...tail].map((value) => expect.closeTo(value, 5)),
      );
      expect([...targets.subarray(i * 3, (i + 1) * 3)]).toEqual(Array(3).fill(Math.fround(row / 1000)));
    }
  });

  it("is weighted to count π's and ν's choices alike, whoever made them", () => {
    const [{ weights }] = seen;
    // w = (½π + ½ν)/b with b = (1 − p)π + pν. Tick 0, p = .4: the key (.4 + ⅙)/(.48 + .1333) = .9239, another
    // (.05 + ⅙)/(.06 + .1333) = 1.1207; later p = .2: the key .5667/.7067 = .8019, another .2167/.1467 = 1.4773.
    const expected = Array.from(rows, (row) => {
      const isKey = rollout.observations[row * WIDTH + TICKS + rollout.actions[row]] === 1;
      if (rollout.ticks[row] === 0) return isKey ? 0.923913 : 1.12069;
      return isKey ? 0.801887 : 1.477273;
    });
    const scale = mean(expected);
    expected.forEach((w, i) => {
      for (const k of [0, 1, 2]) {
        // How often the head's bootstrap drew the episode: a whole number.
        const times = weights[i * 3 + k] / (w / scale);
        if (Math.abs(times - Math.round(times)) > 1e-4) throw new Error(`row ${i} of head ${k} counts ${times} times`);
      }
    });
  });

  it("is drawn episode by episode, with replacement, for each head apart", () => {
    const [{ weights }] = seen;
    const counts: number[][] = [[], [], []];
    const least = Math.min(...weights.filter((w) => w > 0));
    rows.forEach((row, i) => {
      for (const k of [0, 1, 2]) {
        const inBag = weights[i * 3 + k] > 0 ? 1 : 0;
        const before = counts[k][rollout.episodes[row]];
        // All of an episode is in the sample or none.
        if (before !== undefined && before > 0 !== inBag > 0)
          throw new Error(`episode ${rollout.episodes[row]} was torn apart`);
        if (rollout.ticks[row] === 0) {
          const isKey = rollout.observations[row * WIDTH + TICKS + rollout.actions[row]] === 1;
          counts[k][rollout.episodes[row]] = Math.round(
            weights[i * 3 + k] / least / (isKey ? 0.923913 / 0.801887 : 1.12069 / 0.801887),
          );
        }
      }
    });
    // Poisson(1): P(0) = P(1) = e⁻¹ = .368, P(2) = .184, P(3) = .061, each ± 4·√(.25/3000) = .037 at most.
    for (const head of counts) {
      expect(head.length).toBe(3000);
      [0.3679, 0.3679, 0.1839, 0.0613].forEach((q, times) => {
        const share = head.filter((count) => count === times).length / 3000;
        expect(Math.abs(share - q)).toBeLessThan(4 * Math.sqrt((q * (1 - q)) / 3000));
      });
    }
    // Two heads agree by chance alone: in Σ P(n)² = .31 of the episodes.
    const alike = counts[0].filter((count, episode) => count === counts[1][episode]).length / 3000;
    expect(Math.abs(alike - 0.31)).toBeLessThan(0.04);
  });

  it("is learned by heads on one trunk, or by nets of their own", async () => {
    const { seen: heard, createLearner: create } = listener();
    const plan = { epochs: 1, learningRate: { start: 0.3, end: 0.1 } };
    await makeMask({ ensemble: 4 }, { createLearner: create }).fit(evidence, plan);
    await makeMask({ ensemble: 4, separate: true }, { createLearner: create }).fit(evidence, plan);
    expect(heard.map(({ outputs }) => outputs)).toEqual([[4], [1, 1, 1, 1]]);
    // A single pass is made at the first rate.
    expect(heard[0].plan.learningRate).toBe(0.3);
  });
});

describe("a fitted advantage mask", () => {
  it.each([
    ["left, three nets", 0, true],
    ["right, three nets", 1, true],
    ["left, one trunk", 0, false],
  ])("finds what is at stake in each decision: %s", async (_, agent, separate) => {
    const mask = makeMask({ separate }, { agent });
    await mask.fit(await evidenceOf(1500, 1, agent), PLAN);
    const { criticality, ticks } = scoreAll(mask, agent);
    criticality.forEach((estimate, row) => {
      expect(Math.abs(estimate - truth(agent, ticks[row]))).toBeLessThan(0.12);
    });
    // What the whole world hangs on stands before everything else: AUROC 1.
    const critical = criticality.filter((_x, row) => truth(agent, ticks[row]) > 0.4);
    const others = criticality.filter((_x, row) => truth(agent, ticks[row]) <= 0.4);
    expect(Math.min(...critical)).toBeGreaterThan(Math.max(...others));
  });

  it("knows less with less to learn from: its spread and its error fall with data", async () => {
    const [few, many] = await Promise.all(
      [40, 800].map(async (episodes) => {
        const mask = makeMask({ separate: true });
        // As many steps for both.
        await mask.fit(await evidenceOf(episodes, 1), { ...PLAN, epochs: 4 * (800 / episodes) });
        const { criticality, spread, ticks } = scoreAll(mask);
        return { spread: mean(spread), error: mean(criticality.map((x, row) => Math.abs(x - truth(0, ticks[row])))) };
      }),
    );
    expect(many.spread).toBeLessThan(few.spread / 2);
    expect(many.error).toBeLessThan(few.error);
  });

  it("scores each decision alone, in batches of any size", async () => {
    const mask = makeMask();
    await mask.fit(await evidenceOf(100, 2), PLAN);
    const one = allDecisions(0);
    const { criticality, spread } = scoreAll(mask);
    // The same decisions over and over, across several chunks.
    const times = 50;
    const repeat = <T extends Float32Array | Uint8Array>(column: T): T => {
      const out = new (column.constructor as new (n: number) => T)(column.length * times);
      for (let k = 0; k < times; k++) out.set(column, k * column.length);
      return out;
    };
    const { agent, count, observations, legal, policy, perturbation } = one;
    const many = {
      agent,
      count: count * times,
      observations: repeat(observations),
      legal: repeat(legal),
      policy: repeat(policy),
      perturbation: repeat(perturbation),
    };
    const [all, spreads] = [new Float32Array(many.count), new Float32Array(many.count)];
    mask.explainer.score(many, all, spreads);
    expect([...all]).toEqual(Array(times).fill(criticality).flat());
    expect([...spreads]).toEqual(Array(times).fill(spread).flat());
    // Where ν is π nothing is lost.
    mask.explainer.score({ ...one, perturbation: policy }, all, spreads);
    expect([...all.subarray(0, count)].every((x) => x === 0)).toBe(true);
  });

  it("leaves illegal actions out of the sum, and has the ensemble's deviation for its spread", () => {
    // Three heads, each of which holds one action to be worth 1 and the others nothing.
    const createLearner: CreateLearner = (spec, random) => ({
      ...referenceLearner(spec, random),
      infer(inputs, count, out) {
        const oneHot = spec.inputs - 2 - KEYS;
        for (let pair = 0; pair < count; pair++) {
          for (let k = 0; k < KEYS; k++) out[pair * KEYS + k] = inputs[pair * spec.inputs + oneHot + k];
        }
      },
    });
    const mask = makeMask({}, { createLearner });
    const logs = (...probabilities: number[]) => probabilities.map((p) => (p > 0 ? Math.log(p) : ILLEGAL));
    const decisions = {
      agent: 0,
      count: 2,
      observations: new Float32Array(2 * WIDTH),
      legal: Uint8Array.of(1, 1, 1, 1, 0, 1),
      policy: Float32Array.from([...logs(0.8, 0.1, 0.1), ...logs(0.9, 0, 0.1)]),
      perturbation: Float32Array.from([...logs(0.2, 0.2, 0.6), ...logs(0.5, 0, 0.5)]),
    };
    const [criticality, spread] = [new Float32Array(2), new Float32Array(2)];
    mask.explainer.score(decisions, criticality, spread);
    // Heads say .6, −.1, −.5: mean 0, deviation √((.36 + .01 + .25)/2) = √.31; then .4, 0, −.4: mean 0, √(.32/2) = .4
    expect([...criticality]).toEqual([expect.closeTo(0, 6), expect.closeTo(0, 6)]);
    expect([...spread]).toEqual([expect.closeTo(Math.sqrt(0.31), 6), expect.closeTo(0.4, 6)]);
    const sure = { ...decisions, count: 1, perturbation: Float32Array.from(logs(0, 0, 1)) };
    mask.explainer.score(
      { ...sure, policy: Float32Array.from(logs(1, 0, 0)), legal: Uint8Array.of(1, 1, 0) },
      criticality,
      spread,
    );
    // Only the two legal ones are asked about: heads say 1, 0, 0.
    expect(criticality[0]).toBeCloseTo(1 / 3, 6);
  });

  it("ranks its states: the mask is uniform over those visited, and the share τ of them lies at or below τ", async () => {
    const mask = makeMask();
    const evidence = await evidenceOf(500, 3);
    const unknown = new Float32Array(12);
    mask.mask(allDecisions(0), unknown);
    expect([...unknown]).toEqual(Array(12).fill(0.5));
    await mask.fit(evidence, PLAN);
    const { rollout } = evidence;
    const rows = Int32Array.from({ length: rollout.length }, (_, row) => row).filter(
      (row) => rollout.agents[row] === 0,
    );
    const pick = (column: Float32Array, width: number) =>
      Float32Array.from([...rows].flatMap((row) => [...column.subarray(row * width, (row + 1) * width)]));
    const decisions = {
      agent: 0,
      count: rows.length,
      observations: pick(rollout.observations, WIDTH),
      legal: new Uint8Array(rows.length * KEYS).fill(1),
      policy: pick(rollout.policy, KEYS),
      perturbation: pick(rollout.perturbation, KEYS),
    };
    const m = new Float32Array(rows.length);
    mask.mask(decisions, m);
    expect(mean([...m])).toBeCloseTo(0.5, 1);
    for (const threshold of [0.25, 0.5, 0.75]) {
      const blinded = [...m].map((value) => (value <= threshold ? 1 : 0));
      // There are but twelve kinds of state, so a tie reaches 1/24 to either side; 1024 states were ranked: ± 3·.016.
      expect(Math.abs(mean(blinded) - threshold)).toBeLessThan(0.11);
    }
    // What is at stake most is kept.
    const { criticality } = scoreAll(mask);
    mask.mask(allDecisions(0), m);
    expect(m[criticality.indexOf(Math.max(...criticality))]).toBeGreaterThan(0.9);
  });

  it("stays uniform while the scale of what is at stake drifts from fit to fit", async () => {
    const mask = makeMask();
    const evidence = await evidenceOf(200, 3);
    for (const scale of [1, 10, 100]) {
      const advantages = evidence.advantages.map((advantage) => scale * advantage);
      await mask.fit({ ...evidence, advantages }, PLAN);
      const m = new Float32Array(evidence.rows.length);
      mask.mask(selectDecisions(evidence.rollout, evidence.rows, 0), m);
      expect(mean([...m])).toBeCloseTo(0.5, 1);
    }
  });

  const laws = explainerLaws.map((law) => [law.name, law] as const);
  it.each(laws)("%s", async (_, law) => {
    const rollout = playLevers(30, 0.4, 4);
    const fitted = makeMask();
    const critic = createCritic({
      spec: leverWorld(),
      agent: 0,
      createLearner: referenceLearner,
      seed: 1,
      discount: 1,
      hidden: [4],
    });
    await fitted.fit(critic.judge(rollout), PLAN);
    const state = fitted.exportState();
    const make = () => {
      const mask = makeMask();
      mask.restoreState(state);
      return mask.explainer;
    };
    await law.run({ make, shape: { observation: WIDTH, actions: KEYS } });
  });

  it.each(laws)("where actions are candidates: %s", async (_, law) => {
    const spec = { ...leverWorld(), actionSpaces: [candidates(KEYS, 3), candidates(KEYS, 3)] };
    const make = () =>
      advantage({ hidden: [6] }).create({ spec, agent: 0, createLearner: referenceLearner, seed: 1 }).explainer;
    await law.run({ make, shape: { observation: WIDTH, actions: KEYS, features: 3 } });
  });

  it("learns on while the policy does, and continues from a saved state as if it had not stopped", async () => {
    const [whole, stopped] = [makeMask(), makeMask()];
    const [first, second] = [await evidenceOf(60, 5), await evidenceOf(60, 6)];
    const plan = { epochs: 2, learningRate: { start: 0.01, end: 0.01 } };
    for (const mask of [whole, stopped]) await mask.fit(first, plan);
    const resumed = makeMask();
    resumed.restoreState(structuredClone(stopped.exportState()));
    const losses = [await whole.fit(second, plan), await resumed.fit(second, plan)];
    expect(losses[1]).toEqual(losses[0]);
    expect(resumed.exportState()).toEqual(whole.exportState());
    // It goes on from where it was: neither the net, nor the order of rows, nor the ranks start over.
    const [, anew] = [await stopped.fit(second, plan), makeMask()];
    await anew.fit(second, plan);
    expect(stopped.exportState()).toEqual(whole.exportState());
    expect(anew.exportState()).not.toEqual(whole.exportState());
  });

  it("has nothing to learn from no rows", async () => {
    const mask = makeMask();
    const before = mask.exportState();
    const nothing = { ...(await evidenceOf(10, 1)), rows: new Int32Array(0) };
    expect(await mask.fit(nothing, PLAN)).toEqual({});
    expect(mask.exportState()).toEqual(before);
  });

  it("can be one net that learns from every episode and tells no spread", async () => {
    const { seen, createLearner } = listener();
    const lone = makeMask({ ensemble: 1, balanced: false, policyFeatures: false }, { createLearner });
    const evidence = await evidenceOf(20, 3);
    await lone.fit(evidence, { epochs: 1, learningRate: { start: 1, end: 1 } });
    const [{ weights, inputs }] = seen;
    // Neither drawn by a bootstrap nor weighted: each row counts once. [o, a] alone.
    expect([...weights]).toEqual(Array(evidence.rows.length).fill(1));
    expect(inputs.length).toBe(evidence.rows.length * (WIDTH + KEYS));
    expect(scoreAll(lone).spread.every(Number.isNaN)).toBe(true);
    expect(scoreAll(lone).criticality.some(Number.isNaN)).toBe(false);
  });

  it.each([{ ensemble: 0 }, { minibatch: 0 }])("refuses %j", (options) => {
    expect(() => makeMask(options)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
