import { beforeAll, describe, expect, it } from "@jest/globals";
import {
  type CreateLearner,
  discrete,
  type Learner,
  type ModelSpec,
  type Objective,
  outputWidth,
  stream,
} from "@magic-mask/core";
import { loadTfjsCpu, loadTfjsWasm } from "./load-tfjs.ts";
import { type Tfjs, tfjsBackend } from "./tfjs.ts";

const SPEC: ModelSpec = { kind: "mlp", inputs: 20, hidden: [32, 32], activation: "relu", outputs: [7, 1] };
const R = 300;

function ppo(seed: number): Objective {
  const random = stream(seed);
  const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
  return {
    loss: { kind: "ppo", space: discrete(7), clip: 0.2, valueCoefficient: 0.5, entropyCoefficient: 0.01 },
    batch: {
      inputs: normals(R * 20),
      legal: new Uint8Array(R * 7).fill(1),
      actions: Float32Array.from({ length: R }, () => random.below(7)),
      logProbs: new Float32Array(R).fill(-Math.log(7)),
      advantages: normals(R),
      returns: normals(R),
    },
  };
}

const PLAN = {
  rows: Int32Array.from({ length: R }, (_, row) => row),
  minibatch: 128,
  learningRate: 1e-3,
  maxGradNorm: 0.5,
};

function outputs(learner: Learner, inputs: Float32Array): Float32Array {
  const count = inputs.length / learner.spec.inputs;
  const out = new Float32Array(count * outputWidth(learner.spec));
  learner.infer(inputs, count, out);
  return out;
}

describe("tfjsBackend", () => {
  let tf: Tfjs;
  let wasm: CreateLearner;
  let cpu: CreateLearner;
  beforeAll(async () => {
    tf = await loadTfjsWasm();
    wasm = tfjsBackend(tf);
    cpu = tfjsBackend(await loadTfjsCpu());
  });

  it("keeps each learner on its own backend, whichever is in use, and both agree", async () => {
    for (const activation of ["relu", "tanh"] as const) {
      const learners = [wasm, cpu].map((create) => create({ ...SPEC, activation }, stream(1)));
      const objective = ppo(2);
      for (let k = 0; k < 3; k++) {
        const [a, b] = [await learners[0].update(objective, PLAN), await learners[1].update(objective, PLAN)];
        for (const name of Object.keys(a)) expect(a[name]).toBeCloseTo(b[name], 4);
      }
      const [a, b] = learners.map((learner) => outputs(learner, objective.batch.inputs));
      expect(a.some((x, i) => x !== b[i])).toBe(true);
      for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i], 3);
    }
  });

  it("leaves nothing behind on the backend: not after an update, an error or dispose", async () => {
    const before = tf.memory().numTensors;
    const learner = wasm(SPEC, stream(1));
    const objective = ppo(3);
    await learner.update(objective, PLAN);
    const after = tf.memory().numTensors;
    for (let k = 0; k < 3; k++) await learner.update(objective, PLAN);
    outputs(learner, objective.batch.inputs);
    await learner.gradient(objective, PLAN.rows);
    objective.batch.inputs[0] = Number.NaN;
    await expect(learner.update(objective, PLAN)).rejects.toMatchObject({ code: "not-finite" });
    objective.batch.inputs[0] = 1e38;
    await expect(learner.update(objective, PLAN)).rejects.toMatchObject({ code: "not-finite" });
    expect(tf.memory().numTensors).toBe(after);
    learner.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("names the input that is not finite", async () => {
    const learner = wasm(SPEC, stream(1));
    const objective = ppo(3);
    objective.batch.inputs[5 * 20 + 3] = Number.NaN;
    await expect(learner.update(objective, PLAN)).rejects.toThrow("input 3 of row 5 is NaN");
  });

  it("infers nothing from no rows", () => {
    const out = Float32Array.of(7);
    wasm(SPEC, stream(1)).infer(new Float32Array(0), 0, out);
    expect(out).toEqual(Float32Array.of(7));
  });

  it.each(["relu", "tanh"] as const)("learns a function: XOR with %s", async (activation) => {
    const learner = wasm({ kind: "mlp", inputs: 2, hidden: [8, 8], activation, outputs: [1] }, stream(1));
    const inputs = Float32Array.of(-1, -1, -1, 1, 1, -1, 1, 1);
    const targets = Float32Array.of(-1, 1, 1, -1);
    const objective: Objective = {
      loss: { kind: "regression" },
      batch: { inputs, targets, weights: new Float32Array(4).fill(1) },
    };
    const rows = Int32Array.from({ length: 1600 }, (_, k) => k % 4);
    await learner.update(objective, { rows, minibatch: 4, learningRate: 0.01, maxGradNorm: 1 });
    const y = outputs(learner, inputs);
    for (let i = 0; i < 4; i++) expect(y[i]).toBeCloseTo(targets[i], 1);
  });

  it("learns a policy: the action that pays in each of two situations", async () => {
    const learner = wasm({ kind: "mlp", inputs: 2, hidden: [8], activation: "tanh", outputs: [3] }, stream(1));
    const random = stream(2);
    const inputs = Float32Array.from({ length: 128 }, (_, i) => (i % 4 === 0 || i % 4 === 3 ? 1 : 0));
    for (let update = 0; update < 30; update++) {
      const y = outputs(learner, inputs);
      const actions = new Float32Array(64);
      const logProbs = new Float32Array(64);
      const advantages = new Float32Array(64);
      for (let row = 0; row < 64; row++) {
        const p = 1 / (1 + Math.exp(y[row * 3 + 1] - y[row * 3]));
        actions[row] = random.uniform() < p ? 0 : 1;
        logProbs[row] = Math.log(actions[row] === 0 ? p : 1 - p);
        advantages[row] = actions[row] === row % 2 ? 1 : -1;
      }
      const loss = {
        kind: "ppo",
        space: discrete(2),
        clip: 0.2,
        valueCoefficient: 0.5,
        entropyCoefficient: 0,
      } as const;
      const batch = {
        inputs,
        legal: new Uint8Array(128).fill(1),
        actions,
        logProbs,
        advantages,
        returns: new Float32Array(64),
      };
      const rows = Int32Array.from({ length: 128 }, (_, k) => k % 64);
      await learner.update({ loss, batch }, { rows, minibatch: 64, learningRate: 0.01, maxGradNorm: 0.5 });
    }
    const [a, b] = [outputs(learner, Float32Array.of(1, 0)), outputs(learner, Float32Array.of(0, 1))];
    expect(a[0] - a[1]).toBeGreaterThan(1);
    expect(b[1] - b[0]).toBeGreaterThan(1);
  });
});
