import { describe, expect, it } from "@jest/globals";
import { type CnnSpec, type ModelSpec, parameterCount } from "@magic-mask/core";
import { describeSpec, layout } from "./layout.ts";

const SPEC: ModelSpec = { kind: "mlp", inputs: 3, hidden: [4], activation: "tanh", outputs: [2, 1] };

describe("layout", () => {
  it("puts tower behind tower, and each layer's biases behind its weights", () => {
    // Tower 0: 3·4 + 4 = 16, then 4·2 + 2 = 10, ending at 26; tower 1: 16, then 4·1 + 1 = 5, ending at 47.
    expect(layout(SPEC)).toEqual([
      [
        { name: "tower0.layer0", inputs: 3, outputs: 4, weight: 0, bias: 12 },
        { name: "tower0.layer1", inputs: 4, outputs: 2, weight: 16, bias: 24 },
      ],
      [
        { name: "tower1.layer0", inputs: 3, outputs: 4, weight: 26, bias: 38 },
        { name: "tower1.layer1", inputs: 4, outputs: 1, weight: 42, bias: 46 },
      ],
    ]);
    expect(parameterCount(SPEC)).toBe(47);
  });

  it("is described in one line", () => {
    expect(describeSpec(SPEC)).toBe("3-4-(2+1) tanh");
  });

  it.each([
    { kind: "cnn" },
    { inputs: 0 },
    { inputs: 1.5 },
    { hidden: [] },
    { hidden: [4, 4, 4, 4] },
    { hidden: [0] },
    { hidden: undefined },
    { activation: "gelu" },
    { outputs: [] },
    { outputs: [2, -1] },
  ])("refuses %j", (change) => {
    expect(() => layout({ ...SPEC, ...change } as ModelSpec)).toThrow(
      expect.objectContaining({ code: "invalid-option" }),
    );
  });
});

const IMAGES: CnnSpec = {
  kind: "cnn",
  inputs: 5 * 4 * 2,
  image: [5, 4, 2],
  filters: [
    { size: 2, stride: 1, channels: 3 },
    { size: 2, stride: 2, channels: 6 },
  ],
  hidden: [7],
  activation: "relu",
  outputs: [4, 1],
};

describe("layout of a convolutional net", () => {
  it("puts the convolutions of each tower before its dense layers", () => {
    const [first, second] = layout(IMAGES);
    // 5×4×2 → 4×3×3 → 2×1×6: 8·3 + 3 = 27, then 12·6 + 6 = 78, then 12·7 + 7 = 91, then 7·4 + 4 = 32, ending at 228.
    expect(first).toEqual([
      {
        ...{ name: "tower0.convolution0", inputs: 8, outputs: 3, weight: 0, bias: 24 },
        ...{ size: 2, stride: 1, from: [5, 4, 2], to: [4, 3, 3] },
      },
      {
        ...{ name: "tower0.convolution1", inputs: 12, outputs: 6, weight: 27, bias: 99 },
        ...{ size: 2, stride: 2, from: [4, 3, 3], to: [2, 1, 6] },
      },
      { name: "tower0.layer0", inputs: 12, outputs: 7, weight: 105, bias: 189 },
      { name: "tower0.layer1", inputs: 7, outputs: 4, weight: 196, bias: 224 },
    ]);
    expect(second.map(({ name, weight }) => `${name} ${weight}`)).toEqual([
      "tower1.convolution0 228",
      "tower1.convolution1 255",
      "tower1.layer0 333",
      "tower1.layer1 424",
    ]);
    expect(parameterCount(IMAGES)).toBe(424 + 7 + 1);
  });

  it("is described in one line", () => {
    expect(describeSpec(IMAGES)).toBe("5×4×2-3@2/1-6@2/2-7-(4+1) relu");
  });

  it.each([
    { image: undefined },
    { image: [5, 4] },
    { image: [5, 8, 1.5], inputs: 60 },
    { inputs: 41 },
    { filters: undefined },
    { filters: [] },
    { filters: [null] },
    { filters: [{ size: 0, stride: 1, channels: 3 }] },
    { filters: [{ size: 2, stride: 1.5, channels: 3 }] },
    { filters: [{ size: 2, stride: 1 }] },
    { filters: [{ size: 5, stride: 1, channels: 3 }] },
    { filters: [IMAGES.filters[0], { size: 4, stride: 1, channels: 3 }] },
    { hidden: [] },
  ])("refuses %j", (change) => {
    expect(() => layout({ ...IMAGES, ...change } as ModelSpec)).toThrow(
      expect.objectContaining({ code: "invalid-option" }),
    );
  });
});

describe("layout of a net that scores candidates", () => {
  const spec: ModelSpec = {
    kind: "candidates",
    inputs: 10,
    features: 4,
    max: 30,
    hidden: [8],
    activation: "relu",
  };

  it("is that of a tower for states beside a candidate and one for states alone", () => {
    // 14·8 + 8 = 120, then 8·1 + 1 = 9; 10·8 + 8 = 88, then 9, ending at 226.
    expect(layout(spec)).toEqual([
      [
        { name: "tower0.layer0", inputs: 14, outputs: 8, weight: 0, bias: 112 },
        { name: "tower0.layer1", inputs: 8, outputs: 1, weight: 120, bias: 128 },
      ],
      [
        { name: "tower1.layer0", inputs: 10, outputs: 8, weight: 129, bias: 209 },
        { name: "tower1.layer1", inputs: 8, outputs: 1, weight: 217, bias: 225 },
      ],
    ]);
    expect(describeSpec(spec)).toBe("10&4-8-(≤30+1) relu");
  });

  it.each([{ features: 0 }, { max: 0 }, { max: 2.5 }, { inputs: 0 }, { hidden: [] }])("refuses %j", (change) => {
    expect(() => layout({ ...spec, ...change } as ModelSpec)).toThrow(
      expect.objectContaining({ code: "invalid-option" }),
    );
  });
});
