/**
 * How long the Nature CNN takes on images of 84×84×4: one PPO update on one minibatch (forward, losses, backward, Adam) and
 * one forward pass, on a backend that can.
 *
 *   npm run bench:nature-cnn -- [tfjs-node | tfjs-node-gpu | tfjs-cpu] [batch size, by default 256] [--json]
 *
 * Milliseconds are of the wall clock, for native TensorFlow takes all cores: the least of several calls, then the median.
 */
import { cpus } from "node:os";
import { discrete, type Objective, parameterCount, stream } from "@magic-mask/core";
import { natureCnn, selectBackend } from "@magic-mask/networks";
import { nodeBackends } from "@magic-mask/networks/node";

const CALLS = 7;
const A = 18;
const spec = natureCnn([84, 84, 4], [A + 1]);

const [name = "tfjs-node", size = "256"] = process.argv.slice(2).filter((argument) => argument !== "--json");
const B = Number(size);

const random = stream("bench", B);
const objective: Objective = {
  loss: { kind: "ppo", space: discrete(A), clip: 0.2, valueCoefficient: 0.5, entropyCoefficient: 0.01 },
  batch: {
    inputs: Float32Array.from({ length: B * spec.inputs }, () => random.uniform()),
    legal: new Uint8Array(B * A).fill(1),
    actions: Float32Array.from({ length: B }, () => random.below(A)),
    logProbs: new Float32Array(B).fill(-Math.log(A)),
    advantages: Float32Array.from({ length: B }, () => random.normal()),
    returns: Float32Array.from({ length: B }, () => random.normal()),
  },
};
const plan = {
  rows: Int32Array.from({ length: B }, (_, row) => row),
  minibatch: B,
  learningRate: 2.5e-4,
  maxGradNorm: 0.5,
};

const { create } = await selectBackend({ work: { model: spec, minibatch: B }, from: nodeBackends, prefer: name });
const learner = create(spec, stream(1));
const out = new Float32Array(B * (A + 1));

/** [least, median] milliseconds per call. */
async function measure(call: () => unknown): Promise<[number, number]> {
  await call();
  const times: number[] = [];
  for (let k = 0; k < CALLS; k++) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return [times[0], times[CALLS >> 1]];
}

const update = await measure(() => learner.update(objective, plan));
const forward = await measure(() => learner.infer(objective.batch.inputs, B, out));

const machine = { node: process.version, cpu: cpus()[0].model, cores: cpus().length };
if (process.argv.includes("--json")) {
  console.log(
    JSON.stringify({ bench: "nature-cnn", ...machine, backend: name, batch: B, unit: "ms", update, forward }),
  );
} else {
  const show = ([least, median]: [number, number]) => `${least.toFixed(0)} ms (median ${median.toFixed(0)})`;
  console.log(`Node ${machine.node}, ${machine.cores} × ${machine.cpu}`);
  console.log(
    `Nature CNN, ${parameterCount(spec)} parameters, ${name}, B ${B}: update ${show(update)}, forward ${show(forward)}`,
  );
}
