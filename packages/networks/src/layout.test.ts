import { describe, expect, it } from "@jest/globals";
import { type ModelSpec, parameterCount } from "@magic-mask/core";
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
