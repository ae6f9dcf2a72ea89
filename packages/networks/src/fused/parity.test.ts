import { describe, expect, it } from "@jest/globals";
import {
  type CandidatesSpec,
  candidates,
  discrete,
  type LearnerState,
  type ModelSpec,
  type Objective,
  outputWidth,
  stream,
} from "@magic-mask/core";
import { referenceLearner } from "@magic-mask/core/testing";
import { backends } from "../backends.ts";

const BATCH = 64;
const STEPS = 10;

/** Made-up data; where it is sparse, one input in ten is 1 and the others 0, as in a board's planes. */
function madeUp(spec: ModelSpec, sparse: boolean): { ppo: Objective; regression?: Objective } {
  if (spec.kind === "candidates") return { ppo: madeUpLists(spec, sparse) };
  const random = stream("parity", spec.inputs, sparse ? 1 : 0);
  const R = BATCH * STEPS;
  const O = outputWidth(spec);
  const A = O - 1;
  const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
  const inputs = sparse
    ? Float32Array.from({ length: R * spec.inputs }, () => (random.uniform() < 0.1 ? 1 : 0))
    : normals(R * spec.inputs);
  const actions = Float32Array.from({ length: R }, () => random.below(A));
  const legal = Uint8Array.from({ length: R * A }, (_, i) =>
    random.uniform() < 0.8 || i % A === actions[Math.floor(i / A)] ? 1 : 0,
  );
  const logProbs = Float32Array.from({ length: R }, () => -Math.log(A) + 0.2 * random.normal());
  return {
    ppo: {
      loss: { kind: "ppo", space: discrete(A), clip: 0.2, valueCoefficient: 0.5, entropyCoefficient: 0.05 },
      batch: { inputs, legal, actions, logProbs, advantages: normals(R), returns: normals(R) },
    },
    regression: {
      loss: { kind: "regression" },
      batch: { inputs, targets: normals(R * O), weights: new Float32Array(R * O).fill(1) },
    },
  };
}

/** Lists of 1 to 9 candidates, each tenth as long as can be. */
function madeUpLists(spec: CandidatesSpec, sparse: boolean): Objective {
  const { inputs: D, features: F, max } = spec;
  const random = stream("parity", "candidates", sparse ? 1 : 0);
  const R = BATCH * STEPS;
  const filled = (length: number) =>
    Float32Array.from({ length }, () => (sparse ? (random.uniform() < 0.1 ? 1 : 0) : random.normal()));
  const counts = Int32Array.from({ length: R }, (_, row) => (row % 10 === 9 ? max : 1 + random.below(9)));
  const starts = new Int32Array(R);
  for (let row = 1; row < R; row++) starts[row] = starts[row - 1] + counts[row - 1];
  const features = filled((starts[R - 1] + counts[R - 1]) * F);
  const normals = () => Float32Array.from({ length: R }, () => random.normal());
  return {
    loss: { kind: "ppo", space: candidates(max, F), clip: 0.2, valueCoefficient: 0.5, entropyCoefficient: 0.05 },
    batch: {
      inputs: filled(R * D),
      candidates: { features, starts, counts },
      legal: Uint8Array.from({ length: R * max }, (_, i) => (i % max < counts[Math.floor(i / max)] ? 1 : 0)),
      actions: Float32Array.from(counts, (n) => random.below(n)),
      logProbs: Float32Array.from(counts, (n) => -Math.log(n) + 0.2 * random.normal()),
      advantages: normals(),
      returns: normals(),
    },
  };
}

/** ‖a − b‖ / ‖b‖ */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return Math.sqrt(difference / size);
}

const others = { "float64, row by row": async () => referenceLearner, "tfjs-wasm": backends["tfjs-wasm"].load };

describe.each(Object.entries(others))("the fused kernel beside %s", (_, load) => {
  describe.each<[string, ModelSpec]>([
    ["126-64-64-8", { kind: "mlp", inputs: 126, hidden: [64, 64], activation: "tanh", outputs: [8] }],
    ["126-128-128-(7+1)", { kind: "mlp", inputs: 126, hidden: [128, 128], activation: "relu", outputs: [7, 1] }],
    ["193-64-64-(1+1+1)", { kind: "mlp", inputs: 193, hidden: [64, 64], activation: "relu", outputs: [1, 1, 1] }],
    [
      "190&54-64-64-(≤70+1)",
      { kind: "candidates", inputs: 190, features: 54, max: 70, hidden: [64, 64], activation: "relu" },
    ],
    [
      "12&3-20-9-(≤45+1)",
      { kind: "candidates", inputs: 12, features: 3, max: 45, hidden: [20, 9], activation: "tanh" },
    ],
    ["400-256-256-65", { kind: "mlp", inputs: 400, hidden: [256, 256], activation: "tanh", outputs: [65] }],
  ])("%s", (_, spec) => {
    const cases = [
      ["ppo", "dense"],
      ["ppo", "sparse"],
      ["regression", "sparse"],
    ] as const;
    it.each(cases.filter(([kind]) => spec.kind !== "candidates" || kind === "ppo"))(
      "has the same %s gradient of %s inputs, and the same parameters ten steps on, to 1e-5",
      async (kind, filling) => {
        const objective = madeUp(spec, filling === "sparse")[kind] as Objective;
        const [fused, other] = [await backends.fused.load(), await load()].map((create) => create(spec, stream(1)));
        // Weights as in the middle of training: fresh output layers are nearly 0, and so would be what is compared.
        const random = stream("weights");
        const state: LearnerState = fused.exportState();
        state.parameters.forEach((w, i) => {
          state.parameters[i] = w + 0.05 * random.normal();
        });
        for (const learner of [fused, other]) learner.restoreState(state);

        const rows = Int32Array.from({ length: BATCH }, (_, row) => row);
        const gradients = [await fused.gradient(objective, rows), await other.gradient(objective, rows)];
        expect(distance(gradients[0], gradients[1])).toBeLessThan(1e-5);

        const plan = {
          rows: Int32Array.from({ length: BATCH * STEPS }, (_, row) => row),
          minibatch: BATCH,
          learningRate: 1e-3,
          maxGradNorm: 0.5,
        };
        for (const learner of [fused, other]) await learner.update(objective, plan);
        const after = [fused, other].map((learner) => learner.exportState().parameters);
        expect(distance(after[0], state.parameters)).toBeGreaterThan(1e-3);
        expect(distance(after[0], after[1])).toBeLessThan(1e-5);
      },
    );
  });
});
