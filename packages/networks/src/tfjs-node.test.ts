import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { discrete, type ModelSpec, type Objective, stream } from "@magic-mask/core";
import { nodeBackends } from "./node.ts";

/** The native backend where it is installed (npm run setup:native), held against those that run anywhere. */
const native = await nodeBackends["tfjs-node"].load().then(
  (create) => ({ create, why: "" }),
  (error) => ({ create: undefined, why: error.message }),
);
const test = native.create ? it : it.skip;

const R = 64;
const MLP: ModelSpec = { kind: "mlp", inputs: 48, hidden: [32, 32], activation: "relu", outputs: [7, 1] };
const CNN: ModelSpec = { ...MLP, kind: "cnn", image: [4, 6, 2], filters: [{ size: 3, stride: 1, channels: 8 }] };

function ppo(): Objective {
  const random = stream("parity");
  const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
  return {
    loss: { kind: "ppo", space: discrete(7), clip: 0.2, valueCoefficient: 0.5, entropyCoefficient: 0.01 },
    batch: {
      inputs: normals(R * 48),
      legal: new Uint8Array(R * 7).fill(1),
      actions: Float32Array.from({ length: R }, () => random.below(7)),
      logProbs: new Float32Array(R).fill(-Math.log(7)),
      advantages: normals(R),
      returns: normals(R),
    },
  };
}

/** Largest difference between two vectors, in units of the second's largest entry. */
function difference(a: Float32Array, b: Float32Array): number {
  const largest = (x: Float32Array) => x.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
  return largest(a.map((x, i) => x - b[i])) / largest(b);
}

describe(native.create ? "tfjs-node" : `tfjs-node (${native.why})`, () => {
  it("loads, where it is installed", () => {
    expect(native.why).toMatch(/^$|is not installed/);
  });

  test.each([
    ["tfjs-wasm", MLP],
    ["tfjs-wasm", { ...MLP, activation: "tanh" }],
    ["tfjs-cpu", CNN],
    ["tfjs-cpu", { ...CNN, activation: "tanh" }],
  ] as const)("has the gradient and takes the update that %s does: %j", async (other, spec) => {
    const creators = [native.create!, await nodeBackends[other].load()];
    const [a, b] = creators.map((create) => create(spec, stream(1)));
    expect(a.exportState()).toEqual(b.exportState());
    const objective = ppo();
    const rows = Int32Array.from({ length: R }, (_, row) => row);
    expect(difference(await a.gradient(objective, rows), await b.gradient(objective, rows))).toBeLessThan(1e-5);
    const plan = { rows, minibatch: 16, learningRate: 1e-3, maxGradNorm: 0.5 };
    const [of, to] = [await a.update(objective, plan), await b.update(objective, plan)];
    for (const name of Object.keys(to)) expect(of[name]).toBeCloseTo(to[name], 5);
    expect(difference(a.exportState().parameters, b.exportState().parameters)).toBeLessThan(1e-4);
    for (const learner of [a, b]) learner.dispose();
  });

  test("prints nothing to stdout, not even from C++", () => {
    const program = `
      import { nodeBackends } from "@magic-mask/networks/node";
      import { stream } from "@magic-mask/core";
      const create = await nodeBackends["tfjs-node"].load();
      create(${JSON.stringify(MLP)}, stream(1)).infer(new Float32Array(48), 1, new Float32Array(8));
      process.stderr.write("it ran");`;
    const flags = ["--import", "tsx", "--conditions=@magic-mask/source", "--input-type=module", "--eval", program];
    const cwd = fileURLToPath(new URL("../../..", import.meta.url));
    const { NODE_OPTIONS: _, ...env } = process.env;
    const { stdout, stderr } = spawnSync(process.execPath, flags, { cwd, env, encoding: "utf8" });
    expect(stdout).toBe("");
    expect(stderr).toContain("it ran");
  });
});
