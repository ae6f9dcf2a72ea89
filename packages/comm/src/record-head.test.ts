import { describe, expect, it } from "@jest/globals";
import {
  type CreateLearner,
  candidates,
  type Decisions,
  discrete,
  type Learner,
  type ModelSpec,
  type RegressionBatch,
  stream,
  type UpdatePlan,
} from "@magic-mask/core";
import { createRecordBuffer, type RecordBuffer } from "./buffer.ts";
import { createRecordHead, type RecordHeadOptions } from "./record-head.ts";
import { createSignature, SIGNATURE_LENGTH } from "./signature.ts";
import { recordOf, signatureOf, world } from "./test-world.ts";

/** f(x) = w·x + b, trained by plain gradient descent on the weighted squared error. */
function linearLearner(spec: ModelSpec): Learner & { updates: { batch: RegressionBatch; plan: UpdatePlan }[] } {
  const D = spec.inputs;
  const parameters = new Float32Array(D + 1);
  const updates: { batch: RegressionBatch; plan: UpdatePlan }[] = [];
  const answer = (inputs: Float32Array, row: number) => {
    let sum = parameters[D];
    for (let i = 0; i < D; i++) sum += parameters[i] * inputs[row * D + i];
    return sum;
  };
  return {
    spec,
    updates,
    infer(inputs, count, out) {
      for (let row = 0; row < count; row++) out[row] = answer(inputs, row);
    },
    async update(objective, plan) {
      if (objective.loss.kind !== "regression") throw new Error("regression only");
      const batch = objective.batch as RegressionBatch;
      updates.push({ batch, plan });
      const gradient = new Float64Array(D + 1);
      let loss = 0;
      for (let at = 0; at < plan.rows.length; at += plan.minibatch) {
        gradient.fill(0);
        const rows = plan.rows.subarray(at, at + plan.minibatch);
        for (const row of rows) {
          const error = answer(batch.inputs, row) - batch.targets[row];
          loss += (batch.weights[row] * error * error) / plan.rows.length;
          const slope = (2 * batch.weights[row] * error) / rows.length;
          for (let i = 0; i < D; i++) gradient[i] += slope * batch.inputs[row * D + i];
          gradient[D] += slope;
        }
        for (let i = 0; i <= D; i++) parameters[i] -= plan.learningRate * gradient[i];
      }
      return { loss };
    },
    gradient: async () => new Float32Array(0),
    exportState: () => ({ parameters, firstMoment: parameters, secondMoment: parameters, steps: 0 }),
    restoreState: ({ parameters: from }) => parameters.set(from),
    dispose: () => {},
  };
}

/** As long as what buffers hold by default: zeros follow. */
const signature = { ...createSignature(world, { seed: 4 }), length: SIGNATURE_LENGTH };

function headOn(buffer: RecordBuffer, options: Partial<RecordHeadOptions> = {}) {
  let made: ReturnType<typeof linearLearner>;
  const createLearner: CreateLearner = (spec) => {
    made = linearLearner(spec);
    return made;
  };
  const values = (_: number, __: Float32Array, count: number, out: Float32Array) => void out.fill(0.5, 0, count);
  const head = createRecordHead({
    spec: world,
    agent: 0,
    buffer,
    signature,
    values,
    createLearner,
    random: stream(1),
    ...options,
  });
  return { head, learner: made! };
}

const decisionsOf = (agent: number, policies: number[][], perturbations: number[][]): Decisions => ({
  agent,
  count: policies.length,
  observations: Float32Array.from({ length: policies.length * 8 }, (_, i) => Math.sin(i)),
  legal: new Uint8Array(policies.length * 3).fill(1),
  policy: Float32Array.from(policies.flat(), (p) => (p === 0 ? -1e9 : Math.log(p))),
  perturbation: Float32Array.from(perturbations.flat(), (p) => (p === 0 ? -1e9 : Math.log(p))),
});

describe("record head", () => {
  it("gives the network [σ/127, one-hot a, ln π(a), π(a)] and the mean advantage", async () => {
    const buffer = createRecordBuffer();
    const sigma = signatureOf(127, -127, 0, 64);
    const fields = {
      signature: sigma,
      action: 2,
      logProb: Math.log(0.25),
      perturbationLogProb: Math.log(1 / 3),
      blindProbability: 0.1,
    };
    buffer.insert(recordOf({ ...fields, advantage: 1 }));
    buffer.insert(recordOf({ ...fields, advantage: 4 }));
    buffer.insert(recordOf({ ...fields, action: 0, logProb: -1e9 }));
    const { head, learner } = headOn(buffer);
    expect(learner.spec).toEqual({ kind: "mlp", inputs: 33, hidden: [64, 64], activation: "relu", outputs: [1] });
    await head.fit({ now: 0, steps: 1, random: stream(2) });
    const { inputs, targets } = learner.updates[0].batch;
    const log = Math.fround(Math.log(0.25));
    expect(Array.from(inputs.subarray(0, 33))).toEqual(
      [1, -1, 0, 64 / 127, ...new Array(24).fill(0), 0, 0, 1, log, Math.exp(log)].map(Math.fround),
    );
    expect(targets[0]).toBe(2.5);
    // An action that π never takes: ln π(a) is told as −10.
    expect(Array.from(inputs.subarray(33 + 28, 66))).toEqual([1, 0, 0, -10, 0]);
  });

  it("leaves the action out where it is the place of a candidate", async () => {
    const spec = { ...world, actionSpaces: world.agents.map(() => candidates(3, 5)) };
    const buffer = createRecordBuffer();
    buffer.insert(recordOf({ signature: signatureOf(127), action: 2, logProb: Math.log(0.5), advantage: 1 }));
    const { head, learner } = headOn(buffer, { spec });
    expect(learner.spec.inputs).toBe(30);
    await head.fit({ now: 0, steps: 1, random: stream(2) });
    const { inputs } = learner.updates[0].batch;
    expect([inputs[0], ...inputs.subarray(28, 30)]).toEqual([1, Math.fround(Math.log(0.5)), 0.5]);
    // Σ (π − ν)(a)·Ã is finite and tells decisions apart.
    const [criticality, spread] = [new Float32Array(2), new Float32Array(2)];
    const rows = [
      [0.5, 0.25, 0.25],
      [1 / 3, 1 / 3, 1 / 3],
    ];
    head.score(decisionsOf(0, rows, [rows[1], rows[1]]), criticality, spread);
    expect(criticality[0]).not.toBe(0);
    expect(criticality[1]).toBeCloseTo(0, 6);
  });

  it("weights rows by balance, relevance and number", async () => {
    const buffer = createRecordBuffer({ halfLife: 100 });
    const common = { perturbationLogProb: Math.log(1 / 3), blindProbability: 0.1, policyVersion: 20 };
    const put = (x: number, fields: object) =>
      buffer.insert(recordOf({ ...common, signature: signatureOf(x), ...fields }));
    put(0, { logProb: Math.log(0.5), step: 200 });
    put(0, { logProb: Math.log(0.5), step: 200 });
    put(60, { logProb: Math.log(0.02), step: 100 });
    put(60, { logProb: Math.log(0.5), step: 200, agent: 1, policyVersion: 30 });
    put(0, { logProb: Math.log(0.5), step: 200, agent: 1, policyVersion: 20 });
    put(0, { logProb: Math.log(0.5), step: 200, agent: 2, role: 1, policyVersion: 5 });
    const { head, learner } = headOn(buffer, { otherRole: 0.25, versionHalfLife: 10 });
    const { rows, age } = await head.fit({ now: 200, steps: 1, random: stream(2) });
    // π = .5: b = .9·.5 + .1/3 = .48333, w = (.5 + .33333)/2 / .48333 = .86207.
    // π = .02: b = .9·.02 + .1/3 = .05133, w = (.02 + .33333)/2 / .05133 = 3.44156. Mean (4·.86207 + 3.44156)/5 = 1.37797.
    const even = 0.86207 / 1.37797;
    const rare = 3.44156 / 1.37797;
    // Two records; one half-life old; a peer's newest; ten versions behind it; another role's newest.
    const wanted = [2 * even, rare / 2, even, even / 2, even / 4];
    wanted.forEach((weight, row) => {
      expect(learner.updates[0].batch.weights[row]).toBeCloseTo(weight, 4);
    });
    expect(rows).toBe(5);
    // Ages 0, 100, 0, 0, 0.
    expect(age).toBe(20);
  });

  it("bounds what a row counts whose sender says that it is never blinded", async () => {
    const buffer = createRecordBuffer();
    const common = { perturbationLogProb: Math.log(1 / 3) };
    buffer.insert(recordOf({ ...common, logProb: Math.log(1 / 3), blindProbability: 0.1, signature: signatureOf(0) }));
    buffer.insert(recordOf({ ...common, logProb: -10, blindProbability: 0, agent: 1, signature: signatureOf(60) }));
    const { head, learner } = headOn(buffer);
    await head.fit({ now: 0, steps: 1, random: stream(2) });
    // Where π = ν, w = 1. At π = e⁻¹⁰ and p = .005: (e⁻¹⁰ + 1/3)/2 / (.995·e⁻¹⁰ + .005/3) = 97.37; p = 0 would make it 3,671.
    const { weights } = learner.updates[0].batch;
    expect(Math.max(...weights) / Math.min(...weights)).toBeCloseTo(97.37, 1);
  });

  it("counts records by trust, and says whose they were", async () => {
    const buffer = createRecordBuffer();
    const common = { logProb: Math.log(1 / 3), perturbationLogProb: Math.log(1 / 3), blindProbability: 0.1 };
    buffer.insert(recordOf({ ...common }));
    buffer.insert(recordOf({ ...common, agent: 1 }));
    buffer.insert(recordOf({ ...common, agent: 2, role: 1 }));
    const trust = { weights: Float64Array.of(1, 0.6, 0) };
    const { head, learner } = headOn(buffer, { trust });
    const { rows, shares } = await head.fit({ now: 0, steps: 1, random: stream(2) });
    // Who is not trusted at all is not even read.
    expect(rows).toBe(2);
    expect(learner.updates[0].batch.weights).toEqual(Float32Array.of(1, 0.6));
    expect(Array.from(shares)).toEqual([1 / 1.6, 0.6 / 1.6, 0].map((share) => expect.closeTo(share, 9)));
  });

  it("traces a score to whose records lie near", () => {
    const buffer = createRecordBuffer({ halfLife: 100 });
    const { head } = headOn(buffer, { trust: { weights: Float64Array.of(1, 0.5, 1) } });
    const decisions = decisionsOf(0, [[0.5, 0.3, 0.2]], [[0.3, 0.3, 0.4]]);
    const out = new Float64Array(3).fill(9);
    head.trace(decisions, out);
    expect(Array.from(out)).toEqual([0, 0, 0]);
    const here = new Int8Array(28);
    signature.write(0, decisions.observations, 0, decisions.policy, 0, 0.5, here, 0);
    buffer.insert(recordOf({ signature: here, step: 100 }));
    buffer.insert(recordOf({ signature: here, step: 0 }));
    buffer.insert(recordOf({ agent: 1, signature: here, step: 100 }));
    buffer.insert(recordOf({ agent: 2, role: 1, signature: here, step: 100 }));
    buffer.insert(recordOf({ agent: 2, role: 1, signature: here.map((x) => (x > 0 ? x - 127 : x + 127)), step: 100 }));
    head.trace(decisions, out);
    // Own: 1 and ½ for one a half-life old; the peer's by trust ½; the other role's by ½; what is far does not count. Sum 2.5.
    expect(Array.from(out)).toEqual([0.6, 0.2, 0.2].map((share) => expect.closeTo(share, 9)));
  });

  it("takes as many steps whatever it holds, and uses rows evenly", async () => {
    for (const count of [1, 3, 7, 50]) {
      const buffer = createRecordBuffer({ similarity: 1 });
      for (let i = 0; i < count; i++) buffer.insert(recordOf({ signature: signatureOf(i) }));
      const { head, learner } = headOn(buffer);
      await head.fit({ now: 0, steps: 5, minibatch: 4, random: stream(3) });
      const { plan } = learner.updates[0];
      expect([plan.rows.length, plan.minibatch]).toEqual([20, 4]);
      const uses = new Array(count).fill(0);
      for (const row of plan.rows) uses[row]++;
      expect(Math.max(...uses) - Math.min(...uses)).toBeLessThanOrEqual(1);
    }
  });

  it("learns a planted advantage from its own and its peers' records", async () => {
    // y = c·σ/127 + d_a, d = (−1, .25, .75), told by three agents in shares; noise of standard deviation .1.
    const d = [-1, 0.25, 0.75];
    const random = stream(9, "test");
    const buffer = createRecordBuffer({ similarity: 1 });
    for (let i = 0; i < 3000; i++) {
      const odds = [0.2 + random.uniform(), 0.2 + random.uniform(), 0.2 + random.uniform()];
      const sigma = Int8Array.from({ length: 28 }, () => random.below(255) - 127);
      const action = random.below(3);
      const advantage = 0.5 * (sigma[3] / 127) - (0.3 * sigma[9]) / 127 + d[action] + 0.1 * random.normal();
      const agent = i % 3;
      buffer.insert(
        recordOf({
          agent,
          role: agent === 2 ? 1 : 0,
          signature: sigma,
          action,
          logProb: Math.log(odds[action] / (odds[0] + odds[1] + odds[2])),
          perturbationLogProb: Math.log(1 / 3),
          blindProbability: 0.1,
          advantage,
        }),
      );
    }
    const { head } = headOn(buffer);
    const fit = { now: 0, steps: 4000, minibatch: 64, learningRate: 0.05, random: stream(10) };
    await head.fit(fit);
    const { loss } = await head.fit({ ...fit, steps: 100, learningRate: 0.005 });
    expect(loss).toBeLessThan(0.015);

    // Σ_a (π − ν)(a)·y(a): what does not depend on a cancels.
    // π = (.5, .3, .2), ν uniform: −.1667 + (−.0333)(.25) + (−.1333)(.75) = −.275.
    // π = (.1, .3, .6), ν = (.5, .3, .2): .4 + .4·.75 = .7.   π = ν: 0.
    const policy = [0.5, 0.3, 0.2];
    const third = [1 / 3, 1 / 3, 1 / 3];
    for (const agent of [0, 1, 2]) {
      const criticality = new Float32Array(4).fill(9);
      const spread = new Float32Array(4).fill(9);
      head.score(decisionsOf(agent, [policy, [0.1, 0.3, 0.6], third], [third, policy, third]), criticality, spread);
      expect(Math.abs(criticality[0] + 0.275)).toBeLessThan(0.05);
      expect(Math.abs(criticality[1] - 0.7)).toBeLessThan(0.05);
      expect(criticality[2]).toBeCloseTo(0, 6);
      expect(criticality[3]).toBe(9);
      expect(Array.from(spread)).toEqual([Number.NaN, Number.NaN, Number.NaN, 9]);
    }
  });

  it("scores another agent's decisions at that agent's signatures and values", () => {
    const asked: number[] = [];
    const values = (agent: number, observations: Float32Array, count: number, out: Float32Array) => {
      asked.push(agent);
      for (let b = 0; b < count; b++) out[b] = observations[8 * b];
    };
    const { head, learner } = headOn(createRecordBuffer(), { values });
    // A network that answers Σ_k (k + 1)·σ_k for action 2, and 0 for others.
    const ramp = (sigma: ArrayLike<number>, at: number) => {
      let sum = 0;
      for (let k = 0; k < 28; k++) sum += (k + 1) * sigma[at + k];
      return sum;
    };
    learner.infer = (inputs, count, out) => {
      for (let row = 0; row < count; row++) out[row] = inputs[33 * row + 30] * ramp(inputs, 33 * row);
    };
    // More pairs than are inferred at once: 2,000 decisions × 3 actions. (π − ν)(2) is .4 and −.1 in turns.
    const turns = (even: number[], odd: number[]) => Array.from({ length: 2000 }, (_, b) => (b % 2 ? odd : even));
    const decisions = decisionsOf(2, turns([0.1, 0.1, 0.8], [0.2, 0.6, 0.2]), turns([0.3, 0.3, 0.4], [0.4, 0.3, 0.3]));
    const criticality = new Float32Array(2000);
    head.score(decisions, criticality, new Float32Array(2000));
    expect(asked).toEqual([2]);
    const sigma = new Int8Array(28);
    for (const b of [0, 1, 1364, 1365, 1366, 1999]) {
      const value = decisions.observations[8 * b];
      signature.write(2, decisions.observations, 8 * b, decisions.policy, 3 * b, value, sigma, 0);
      expect(criticality[b]).toBeCloseTo(((b % 2 ? -0.1 : 0.4) * ramp(sigma, 0)) / 127, 3);
    }
  });

  it("leaves out what it cannot compare, and refuses to judge it", async () => {
    const spec = { ...world, actionSpaces: [discrete(3), discrete(3), discrete(4)] };
    const buffer = createRecordBuffer();
    buffer.insert(recordOf({ agent: 2, role: 1 }));
    const { head } = headOn(buffer, {
      spec,
      signature: { ...createSignature(spec, { seed: 4 }), length: SIGNATURE_LENGTH },
    });
    await expect(head.fit({ now: 0, steps: 1, random: stream(2) })).rejects.toThrow(
      "holds no record to learn from yet",
    );
    buffer.insert(recordOf({ agent: 1 }));
    expect((await head.fit({ now: 0, steps: 1, random: stream(2) })).rows).toBe(1);
    const decisions = decisionsOf(2, [[0.1, 0.1, 0.8]], [[0.3, 0.3, 0.4]]);
    expect(() => head.score(decisions, new Float32Array(1), new Float32Array(1))).toThrow(
      "walker_0 cannot judge chaser_0",
    );
  });

  it("refuses bad options", async () => {
    const buffer = createRecordBuffer();
    expect(() => headOn(buffer, { otherRole: 2 })).toThrow("otherRole must be in [0, 1], got 2");
    expect(() => headOn(buffer, { versionHalfLife: 0 })).toThrow("versionHalfLife must be");
    await expect(headOn(buffer).head.fit({ now: 0, steps: 0, random: stream(1) })).rejects.toThrow(
      "steps must be a whole number ≥ 1, got 0",
    );
  });
});
