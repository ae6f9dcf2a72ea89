import { describe, expect, it } from "@jest/globals";
import { type CnnSpec, imagesIn, type MlpSpec, parameterCount, stream } from "@magic-mask/core";
import fc from "fast-check";
import { exportOnnx } from "./export.ts";
import { openOnnxModel } from "./node.ts";

type Spec = MlpSpec | CnnSpec;

/** A forward pass of one row, written out: weights [in × out], biases [out], layer by layer, tower by tower. */
function forward(spec: Spec, parameters: Float32Array, row: ArrayLike<number>): number[] {
  let at = 0;
  const next = () => parameters[at++];
  const bend = (x: number) => (spec.activation === "relu" ? Math.max(x, 0) : Math.tanh(x));
  return spec.outputs.flatMap((output) => {
    let values = Array.from(row);
    if (spec.kind === "cnn") {
      const images = imagesIn(spec);
      spec.filters.forEach(({ size, stride, channels }, l) => {
        const [, width, depth] = images[l];
        const kernels = Array.from({ length: size * size * depth * channels }, next);
        const biases = Array.from({ length: channels }, next);
        const [high, wide] = images[l + 1];
        const image: number[] = [];
        for (let y = 0; y < high; y++)
          for (let x = 0; x < wide; x++)
            for (let k = 0; k < channels; k++) {
              let sum = biases[k];
              for (let dy = 0; dy < size; dy++)
                for (let dx = 0; dx < size; dx++)
                  for (let c = 0; c < depth; c++)
                    sum +=
                      values[((y * stride + dy) * width + x * stride + dx) * depth + c] *
                      kernels[((dy * size + dx) * depth + c) * channels + k];
              image.push(bend(sum));
            }
        values = image;
      });
    }
    [...spec.hidden, output].forEach((width, l) => {
      const weights = values.map(() => Array.from({ length: width }, next));
      const biases = Array.from({ length: width }, next);
      values = biases.map((bias, k) => values.reduce((sum, x, i) => sum + x * weights[i][k], bias));
      if (l < spec.hidden.length) values = values.map(bend);
    });
    return values;
  });
}

const numbers = (count: number, ...key: (string | number)[]) => {
  const random = stream("export", ...key);
  return Float32Array.from({ length: count }, () => random.normal());
};

/** The largest difference between what the file gives and the pass written out, over five rows. */
function difference(spec: Spec): number {
  const O = spec.outputs.reduce((sum, n) => sum + n, 0);
  const parameters = numbers(parameterCount(spec), "parameters").map((x) => 0.3 * x);
  const rows = numbers(5 * spec.inputs, "rows");
  const outputs =
    O > 1
      ? [
          { name: "first", width: O - 1 },
          { name: "last", width: 1 },
        ]
      : [{ name: "last", width: 1 }];
  const model = openOnnxModel(exportOnnx(spec, parameters, { input: "x", outputs }));
  const got = model.run([rows], 5);
  model.close();
  let largest = 0;
  for (let row = 0; row < 5; row++) {
    const wanted = forward(spec, parameters, rows.subarray(row * spec.inputs, (row + 1) * spec.inputs));
    wanted.forEach((value, k) => {
      const mine = k < O - 1 ? got[0][row * (O - 1) + k] : got[got.length - 1][row];
      largest = Math.max(largest, Math.abs(mine - value));
    });
  }
  return largest;
}

const SPEC: MlpSpec = { kind: "mlp", inputs: 2, hidden: [1], activation: "relu", outputs: [3] };
/** h = relu(x₀ − x₁ + 1); logits (h, 2h, 3h) + (0, 0, 1) */
const PARAMETERS = Float32Array.of(1, -1, 1, 1, 2, 3, 0, 0, 1);

describe("exportOnnx", () => {
  it("computes what the network does: one to three layers, both activations, shared and separate towers", () => {
    const specs = fc.record({
      kind: fc.constant("mlp" as const),
      inputs: fc.integer({ min: 1, max: 9 }),
      hidden: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
      activation: fc.constantFrom("relu" as const, "tanh" as const),
      outputs: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(specs, (spec) => difference(spec) < 1e-5),
      { numRuns: 5, seed: 1 },
    );
  });

  it("computes convolutions, which keep the channels of a pixel side by side", () => {
    const about = { activation: "tanh", hidden: [6], outputs: [2, 1] } as const;
    const filters = [
      { size: 3, stride: 2, channels: 4 },
      { size: 2, stride: 1, channels: 3 },
    ];
    expect(difference({ kind: "cnn", inputs: 7 * 9 * 2, image: [7, 9, 2], filters, ...about })).toBeLessThan(1e-5);
  });

  it("masks illegal actions, and keeps ln σ in its bounds", () => {
    const as = (kind: "masked" | "log_std") => [{ name: "out", width: 3, as: kind }];
    // x = (2, 0): h = 3, so (3, 6, 10).
    const masked = openOnnxModel(exportOnnx(SPEC, PARAMETERS, { input: "obs", outputs: as("masked") }));
    expect(masked.inputs.map(({ name }) => name)).toEqual(["obs", "action_mask"]);
    expect([...masked.run([Float32Array.of(2, 0), Float32Array.of(1, 0, 1)], 1)[0]]).toEqual([3, -1e9, 10]);
    masked.close();
    const clipped = openOnnxModel(exportOnnx(SPEC, PARAMETERS, { input: "obs", outputs: as("log_std") }));
    expect([...clipped.run([Float32Array.of(0, 0)], 1)[0]]).toEqual([1, 2, 2]);
    clipped.close();
  });

  it("refuses what it cannot write, naming it", () => {
    const outputs = [{ name: "out", width: 3 }];
    const run = (spec: unknown, parameters: Float32Array, wanted = outputs) =>
      exportOnnx(spec as MlpSpec, parameters, { input: "x", outputs: wanted });
    const code = (code: string) => expect.objectContaining({ code });
    expect(() => run({ ...SPEC, kind: "candidates", features: 1, max: 2 }, PARAMETERS)).toThrow(code("unsupported"));
    expect(() => run(SPEC, PARAMETERS.subarray(1))).toThrow(code("shape-mismatch"));
    expect(() => run(SPEC, PARAMETERS, [{ name: "out", width: 2 }])).toThrow(/3 numbers together, got 2/);
  });
});
