import { describe, expect, it } from "@jest/globals";
import { type LearnerState, type MlpSpec, type ModelSpec, parameterCount, stream } from "@magic-mask/core";
import { decodeSafetensors, encodeSafetensors, type SafetensorsFile } from "./safetensors.ts";
import { decodeWeights, encodeWeights } from "./weights.ts";

const SPEC: ModelSpec = { kind: "mlp", inputs: 3, hidden: [4], activation: "tanh", outputs: [2, 1] };
const P = parameterCount(SPEC);
const random = stream(1);
const normals = () => Float32Array.from({ length: P }, () => random.normal());
const STATE: LearnerState = { parameters: normals(), firstMoment: normals(), secondMoment: normals(), steps: 12345 };

describe("weights", () => {
  it("come back to the last bit, with their specification", () => {
    const bytes = encodeWeights(SPEC, STATE);
    expect(decodeWeights(bytes)).toEqual({ spec: SPEC, state: STATE });
    expect(decodeWeights(bytes, SPEC)).toEqual({ spec: SPEC, state: STATE });
  });

  it("have names and shapes that others can read", () => {
    const { tensors } = decodeSafetensors(encodeWeights(SPEC, STATE));
    expect(Object.keys(tensors)).toHaveLength(3 * 2 * 2 * 2);
    // Tower 1 starts at 26 with weights [3 × 4]; its biases are at 38 (see layout.test.ts).
    expect(tensors["tower1.layer0.weight"]).toEqual({ shape: [3, 4], data: STATE.parameters.slice(26, 38) });
    expect(tensors["tower1.layer0.bias"]).toEqual({ shape: [4], data: STATE.parameters.slice(38, 42) });
    expect(tensors["optimizer.first_moment.tower0.layer1.bias"].data).toEqual(STATE.firstMoment.slice(24, 26));
    expect(tensors["optimizer.second_moment.tower0.layer0.weight"].shape).toEqual([3, 4]);
  });

  it.each([
    [{ outputs: [3] }, "3-4-(3) tanh"],
    [{ inputs: 5 }, "5-4-(2+1) tanh"],
    [{ activation: "relu" as const }, "3-4-(2+1) relu"],
  ])("of another specification are refused, naming both: %j", (change, name) => {
    expect(() => decodeWeights(encodeWeights(SPEC, STATE), { ...SPEC, ...change })).toThrow(
      expect.objectContaining({
        code: "corrupt-file",
        message: expect.stringMatching(`3-4-\\(2\\+1\\) tanh, wanted ${name.replace(/[()+]/g, "\\$&")}`),
      }),
    );
  });

  it("of a net that scores candidates come back, and are told from those of another longest list", () => {
    const { outputs: _, ...rest } = SPEC as MlpSpec;
    const spec: ModelSpec = { ...rest, kind: "candidates", features: 2, max: 9 };
    const array = Float32Array.from({ length: parameterCount(spec) }, () => random.normal());
    const state = { parameters: array, firstMoment: array.slice().reverse(), secondMoment: array.slice(), steps: 1 };
    const bytes = encodeWeights(spec, state);
    expect(decodeWeights(bytes, spec)).toEqual({ spec, state });
    expect(decodeSafetensors(bytes).tensors["tower0.layer0.weight"].shape).toEqual([5, 4]);
    expect(() => decodeWeights(bytes, { ...spec, max: 8 })).toThrow("3&2-4-(≤9+1) tanh, wanted 3&2-4-(≤8+1) tanh");
  });

  it("of a convolutional net come back, kernels as [size, size, in, out]", () => {
    const image = [5, 4, 2] as const;
    const filters = [{ size: 2, stride: 1, channels: 3 }];
    const spec: ModelSpec = { ...SPEC, kind: "cnn", inputs: 40, image, filters, outputs: [2] };
    const array = Float32Array.from({ length: parameterCount(spec) }, () => random.normal());
    const state = { parameters: array, firstMoment: array.slice().reverse(), secondMoment: array.slice(), steps: 1 };
    const bytes = encodeWeights(spec, state);
    expect(decodeWeights(bytes, spec)).toEqual({ spec, state });
    const { tensors } = decodeSafetensors(bytes);
    expect(tensors["tower0.convolution0.weight"]).toEqual({ shape: [2, 2, 2, 3], data: array.slice(0, 24) });
    expect(tensors["tower0.convolution0.bias"].shape).toEqual([3]);
    expect(tensors["tower0.layer0.weight"].shape).toEqual([4 * 3 * 3, 4]);
    const strided: ModelSpec = { ...spec, filters: [{ size: 2, stride: 2, channels: 3 }] };
    expect(() => decodeWeights(bytes, strided)).toThrow("5×4×2-3@2/1-4-(2) tanh, wanted 5×4×2-3@2/2-4-(2) tanh");
  });

  const tampered: [string, (file: SafetensorsFile) => SafetensorsFile][] = [
    ["another format", ({ tensors, metadata }) => ({ tensors, metadata: { ...metadata, format: "x" } })],
    ["no metadata", ({ tensors }) => ({ tensors, metadata: {} })],
    ["a specification that is no JSON", ({ tensors, metadata }) => ({ tensors, metadata: { ...metadata, spec: "{" } })],
    ["a specification that is null", ({ tensors, metadata }) => ({ tensors, metadata: { ...metadata, spec: "null" } })],
    ["steps below 0", ({ tensors, metadata }) => ({ tensors, metadata: { ...metadata, steps: "-1" } })],
    ["steps in another notation", ({ tensors, metadata }) => ({ tensors, metadata: { ...metadata, steps: "0x10" } })],
    ["a tensor missing", ({ tensors: { "tower0.layer0.bias": _, ...tensors }, metadata }) => ({ tensors, metadata })],
    [
      "a tensor too many",
      ({ tensors, metadata }) => ({ tensors: { ...tensors, x: tensors["tower0.layer0.bias"] }, metadata }),
    ],
    [
      "a tensor of another shape",
      ({ tensors, metadata }) => ({
        tensors: { ...tensors, "tower0.layer0.weight": { ...tensors["tower0.layer0.weight"], shape: [4, 3] } },
        metadata,
      }),
    ],
    [
      "a tensor of another type",
      ({ tensors, metadata }) => ({
        tensors: { ...tensors, "tower0.layer0.bias": { shape: [4], data: new Int32Array(4) } },
        metadata,
      }),
    ],
    [
      "NaN",
      ({ tensors, metadata }) => ({
        tensors: { ...tensors, "tower0.layer0.bias": { shape: [4], data: new Float32Array(4).fill(Number.NaN) } },
        metadata,
      }),
    ],
  ];
  it.each(tampered)("with %s are refused", (_, tamper) => {
    const bytes = encodeSafetensors(tamper(decodeSafetensors(encodeWeights(SPEC, STATE))));
    expect(() => decodeWeights(bytes)).toThrow(expect.objectContaining({ code: "corrupt-file" }));
  });

  it("that do not fit their specification are not written", () => {
    expect(() => encodeWeights({ ...SPEC, inputs: 4 }, STATE)).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
  });
});
