/**
 * How long a network takes: one PPO step (forward, losses, backward, clip, Adam) and one forward pass, for this
 * project's backend on tfjs's wasm and for tfjs used plainly on the same (its own gradients, tf.train.adam).
 *
 *   node --import tsx --conditions=@magic-mask/source bench/networks.ts [--json]
 *
 * Figures are CPU milliseconds per call, the least of several rounds taken in turns, so that a busy machine disturbs
 * them little.
 */
import { cpus } from "node:os";
import { discrete, type ModelSpec, type Objective, stream } from "@magic-mask/core";
import { layout, loadTfjsWasm, type Tfjs, tfjsBackend } from "@magic-mask/networks";

const BATCHES = [64, 256, 1024];
const ROUNDS = 9;
/** CPU time of one round, ms. */
const ROUND = 120;

const A = 7;
const SPECS: ModelSpec[] = (["relu", "tanh"] as const).map((activation) => ({
  kind: "mlp",
  inputs: 126,
  hidden: [64, 64],
  activation,
  outputs: [A + 1],
}));
const LOSS = { kind: "ppo", space: discrete(A), clip: 0.2, valueCoefficient: 0.5, entropyCoefficient: 0.01 } as const;
const LEARNING_RATE = 1e-3;
const MAX_NORM = 0.5;

type PpoObjective = Extract<Objective, { loss: { kind: "ppo" } }>;

interface Contender {
  step(): unknown;
  /** @returns [B × (A + 1)] */
  forward(): Float32Array;
}

function madeUp(B: number): PpoObjective {
  const random = stream("bench", B);
  const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
  const actions = Float32Array.from({ length: B }, () => random.below(A));
  const legal = Uint8Array.from({ length: B * A }, (_, i) =>
    random.uniform() < 0.8 || i % A === actions[Math.floor(i / A)] ? 1 : 0,
  );
  const logProbs = new Float32Array(B).fill(-Math.log(A));
  return {
    loss: LOSS,
    batch: { inputs: normals(B * 126), legal, actions, logProbs, advantages: normals(B), returns: normals(B) },
  };
}

function ours(tf: Tfjs, spec: ModelSpec, objective: PpoObjective, B: number): Contender & { parameters: Float32Array } {
  const learner = tfjsBackend(tf)(spec, stream(1));
  const plan = {
    rows: Int32Array.from({ length: B }, (_, row) => row),
    minibatch: B,
    learningRate: LEARNING_RATE,
    maxGradNorm: MAX_NORM,
  };
  const out = new Float32Array(B * (A + 1));
  return {
    parameters: learner.exportState().parameters,
    step: () => learner.update(objective, plan),
    forward() {
      learner.infer(objective.batch.inputs, B, out);
      return out;
    },
  };
}

function plain(tf: Tfjs, spec: ModelSpec, { batch }: PpoObjective, B: number, parameters: Float32Array): Contender {
  const layers = layout(spec)[0].map(({ inputs, outputs, weight, bias }) => ({
    weights: tf.variable(tf.tensor2d(parameters.slice(weight, bias), [inputs, outputs])),
    biases: tf.variable(tf.tensor1d(parameters.slice(bias, bias + outputs))),
  }));
  const optimizer = tf.train.adam(LEARNING_RATE, 0.9, 0.999, 1e-5);

  const forward = () =>
    layers.reduce(
      (h, { weights, biases }, l) => {
        const z = tf.add(tf.matMul(h, weights), biases);
        return l === layers.length - 1 ? z : spec.activation === "relu" ? tf.relu(z) : tf.tanh(z);
      },
      tf.tensor2d(batch.inputs, [B, 126]) as ReturnType<Tfjs["matMul"]>,
    );

  const loss = () => {
    const y = forward();
    const legal = tf.tensor2d(Float32Array.from(batch.legal), [B, A]);
    const logits = tf.add(tf.slice(y, [0, 0], [B, A]), tf.mul(tf.sub(legal, 1), 1e9));
    const logs = tf.logSoftmax(logits);
    const taken = tf.oneHot(tf.tensor1d(Int32Array.from(batch.actions), "int32"), A);
    const ratio = tf.exp(tf.sub(tf.sum(tf.mul(taken, logs), 1), tf.tensor1d(batch.logProbs)));
    const advantages = tf.tensor1d(batch.advantages);
    const surrogate = tf.minimum(tf.mul(ratio, advantages), tf.mul(tf.clipByValue(ratio, 0.8, 1.2), advantages));
    const entropy = tf.neg(tf.sum(tf.mul(tf.mul(tf.exp(logs), logs), legal), 1));
    const error = tf.sub(tf.reshape(tf.slice(y, [0, A], [B, 1]), [B]), tf.tensor1d(batch.returns));
    const value = tf.mul(tf.square(error), 0.5 * LOSS.valueCoefficient);
    return tf.mean(tf.sub(tf.sub(value, surrogate), tf.mul(entropy, LOSS.entropyCoefficient))).asScalar();
  };

  return {
    step() {
      tf.tidy(() => {
        const { grads } = tf.variableGrads(loss);
        const squares = Object.values(grads).map((grad) => tf.sum(tf.square(grad)));
        const scale = tf.minimum(1, tf.div(MAX_NORM, tf.sqrt(tf.addN(squares))));
        optimizer.applyGradients(
          Object.fromEntries(Object.entries(grads).map(([name, grad]) => [name, tf.mul(grad, scale)])),
        );
      });
    },
    forward() {
      let y = new Float32Array(0);
      tf.tidy(() => {
        y = forward().dataSync() as Float32Array<ArrayBuffer>;
      });
      return y;
    },
  };
}

/** Least CPU milliseconds per call of each, taken in turns. */
async function measure(calls: (() => unknown)[]): Promise<number[]> {
  const time = async (call: () => unknown, count: number) => {
    const start = process.cpuUsage();
    for (let k = 0; k < count; k++) await call();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000 / count;
  };
  const counts: number[] = [];
  for (const call of calls) counts.push(Math.ceil(ROUND / (await time(call, 20))));
  const best = calls.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, call] of calls.entries()) best[i] = Math.min(best[i], await time(call, counts[i]));
  }
  return best;
}

const tf = await loadTfjsWasm();
const results: { net: string; batch: number; what: string; ours_ms: number; plain_ms: number; ratio: number }[] = [];
for (const spec of SPECS) {
  for (const batch of BATCHES) {
    const objective = madeUp(batch);
    const us = ours(tf, spec, objective, batch);
    const them = plain(tf, spec, objective, batch, us.parameters);
    await us.step();
    await them.step();
    const theirs = them.forward();
    if (us.forward().some((y, i) => !(Math.abs(y - theirs[i]) < 1e-3)))
      throw new Error("the two do not compute the same step");

    for (const what of ["step", "forward"] as const) {
      const [ours_ms, plain_ms] = await measure([() => us[what](), () => them[what]()]);
      results.push({
        net: `126-64-64-8 ${spec.activation}`,
        batch,
        what,
        ours_ms,
        plain_ms,
        ratio: plain_ms / ours_ms,
      });
    }
  }
}

if (process.argv.includes("--json")) {
  console.log(
    JSON.stringify({
      bench: "networks",
      node: process.version,
      cpu: cpus()[0].model,
      unit: "CPU ms per call",
      results,
    }),
  );
} else {
  console.log(`Node ${process.version}, ${cpus()[0].model}; CPU ms per call\n`);
  for (const { net, batch, what, ours_ms, plain_ms, ratio } of results) {
    const columns = [
      net,
      `B ${batch}`.padStart(6),
      what.padEnd(7),
      `ours ${ours_ms.toFixed(2)}`,
      `plain ${plain_ms.toFixed(2)}`,
    ];
    console.log([...columns, `${ratio.toFixed(1)}×`].join("   "));
  }
}
