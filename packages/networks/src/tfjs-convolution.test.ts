import { beforeAll, describe, expect, it } from "@jest/globals";
import { type CnnSpec, stream } from "@magic-mask/core";
import { learnerLaws } from "@magic-mask/core/testing";
import { isConvolution, layout } from "./layout.ts";
import { loadTfjsCpu, loadTfjsWasm } from "./load-tfjs.ts";
import { type Tfjs, tfjsBackend } from "./tfjs.ts";

const SPEC: CnnSpec = {
  kind: "cnn",
  inputs: 6 * 6,
  image: [6, 6, 1],
  filters: [{ size: 3, stride: 1, channels: 4 }],
  hidden: [8],
  activation: "relu",
  outputs: [1],
};

describe("convolutions", () => {
  let tf: Tfjs;
  beforeAll(async () => {
    tf = await loadTfjsCpu();
  });

  it("compute by hand: one kernel over a 3×3 image, forward and backward", async () => {
    const spec = { ...SPEC, inputs: 9, image: [3, 3, 1], filters: [{ size: 2, stride: 1, channels: 1 }] } as const;
    const learner = tfjsBackend(tf)({ ...spec, hidden: [1] }, stream(1));
    // Kernel [1 2; 3 4] and bias 1; a hidden sum of the four results times 1, 0, 0, 2; output twice that.
    const parameters = Float32Array.of(1, 2, 3, 4, 1, 1, 0, 0, 2, 0, 2, 0);
    const none = new Float32Array(12);
    learner.restoreState({ parameters, firstMoment: none, secondMoment: none, steps: 0 });
    const inputs = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const out = new Float32Array(1);
    learner.infer(inputs, 1, out);
    // Top left: 1 + 2·2 + 3·4 + 4·5 + 1 = 38; bottom right: 5 + 2·6 + 3·8 + 4·9 + 1 = 78; 2·(38 + 2·78) = 388.
    expect(out).toEqual(Float32Array.of(388));
    const batch = { inputs, targets: Float32Array.of(387.5), weights: Float32Array.of(1) };
    const gradient = await learner.gradient({ loss: { kind: "regression" }, batch }, Int32Array.of(0));
    // ∂L/∂y = 2·(388 − 387.5) = 1, so each kernel weight has 2·(its pixel top left + 2·its pixel bottom right).
    expect(gradient.subarray(0, 5)).toEqual(Float32Array.of(2 * 11, 2 * 14, 2 * 20, 2 * 23, 2 * 3));
    learner.dispose();
  });

  it("see a pattern wherever it is: a bar upright or lying, in noise", async () => {
    const learner = tfjsBackend(tf)(SPEC, stream(1));
    const random = stream(2);
    const [R, inputs, targets] = [220, new Float32Array(220 * 36), new Float32Array(220)];
    for (let row = 0; row < R; row++) {
      const [top, left] = [random.below(4), random.below(4)];
      for (let i = 0; i < 36; i++) inputs[row * 36 + i] = 0.2 * random.normal();
      for (let k = 0; k < 3; k++) {
        inputs[row * 36 + (row % 2 ? (top + k) * 6 + left + 1 : (top + 1) * 6 + left + k)] += 1;
      }
      targets[row] = row % 2 ? 1 : -1;
    }
    const rows = Int32Array.from({ length: 200 * 10 }, (_, k) => k % 200);
    const batch = { inputs, targets, weights: new Float32Array(R).fill(1) };
    const plan = { rows, minibatch: 20, learningRate: 0.01, maxGradNorm: 1 };
    await learner.update({ loss: { kind: "regression" }, batch }, plan);
    const out = new Float32Array(R);
    learner.infer(inputs, R, out);
    // The last 20 it has never seen.
    const right = targets.subarray(200).filter((target, k) => Math.sign(out[200 + k]) === target);
    expect(right.length).toBeGreaterThanOrEqual(18);
    learner.dispose();
  });

  it("leave nothing behind on the backend", async () => {
    const before = tf.memory().numTensors;
    const learner = tfjsBackend(tf)({ ...SPEC, outputs: [1, 2] }, stream(1));
    const after = tf.memory().numTensors;
    const batch = { inputs: new Float32Array(36), targets: new Float32Array(3), weights: new Float32Array(3).fill(1) };
    const plan = { rows: Int32Array.of(0), minibatch: 1, learningRate: 0.1, maxGradNorm: 1 };
    for (let k = 0; k < 2; k++) await learner.update({ loss: { kind: "regression" }, batch }, plan);
    expect(tf.memory().numTensors).toBe(after);
    learner.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("are refused where they cannot be trained, saying what to do", async () => {
    const create = tfjsBackend(await loadTfjsWasm());
    expect(() => create(SPEC, stream(1))).toThrow(
      expect.objectContaining({
        code: "unsupported",
        message: expect.stringMatching(/"wasm" cannot.*npm run setup:native.*--backend tfjs-cpu/),
      }),
    );
  });
});

/** tfjs with one mistake about convolutions; the code that uses it is what it is. */
const mistaken: Record<string, (tf: Tfjs) => Partial<Tfjs>> = {
  "turns the pixels' gradient round": (tf) => ({
    conv2dTranspose: ((dy, filter, ...rest) =>
      tf.conv2dTranspose(dy, tf.reverse(filter, [0, 1]), ...rest)) as Tfjs["conv2dTranspose"],
  }),
  "has twice the pixels' gradient": (tf) => ({
    conv2dTranspose: ((...args) => tf.mul(tf.conv2dTranspose(...args), 2)) as Tfjs["conv2dTranspose"],
  }),
  "turns the kernels' gradient round": (tf) => ({
    engine: () =>
      ({
        runKernel: (name: string, ...rest: [never, never]) =>
          tf.reverse(tf.engine().runKernel(name, ...rest) as never, 0),
      }) as unknown as ReturnType<Tfjs["engine"]>,
  }),
};

describe("the law of the gradient catches, with convolutions, a learner that", () => {
  const gradientLaws = learnerLaws.filter(({ name }) => name.startsWith("differentiates"));

  it.each(Object.keys(mistaken))("%s", async (plant) => {
    const tf = await loadTfjsCpu();
    const create = tfjsBackend({ ...tf, ...mistaken[plant](tf) });
    expect(gradientLaws).toHaveLength(2);
    for (const law of gradientLaws) {
      await expect(law.run({ create, kind: "cnn" })).rejects.toMatchObject({ code: "law-broken" });
      await law.run({ create });
    }
  });

  it("has the wrong sign on the biases of convolutions", async () => {
    const good = tfjsBackend(await loadTfjsCpu());
    for (const law of gradientLaws) {
      const run = law.run({
        kind: "cnn",
        create(spec, random) {
          const learner = good(spec, random);
          return {
            ...learner,
            async gradient(objective, rows) {
              const gradient = await learner.gradient(objective, rows);
              for (const { bias, outputs } of layout(spec).flat().filter(isConvolution)) {
                for (let k = 0; k < outputs; k++) gradient[bias + k] *= -1;
              }
              return gradient;
            },
          };
        },
      });
      await expect(run).rejects.toMatchObject({ code: "law-broken" });
    }
  });
});
