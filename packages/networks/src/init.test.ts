import { describe, expect, it } from "@jest/globals";
import { type ModelSpec, stream } from "@magic-mask/core";
import { initialParameters } from "./init.ts";
import { layout } from "./layout.ts";

const MLP: ModelSpec = { kind: "mlp", inputs: 7, hidden: [5, 9], activation: "relu", outputs: [3, 1] };

const CNN: ModelSpec = {
  ...MLP,
  kind: "cnn",
  inputs: 5 * 4 * 2,
  image: [5, 4, 2],
  filters: [
    { size: 3, stride: 1, channels: 4 },
    { size: 1, stride: 2, channels: 8 },
  ],
};

describe.each([MLP, CNN])("initialParameters of $kind", (spec) => {
  const parameters = initialParameters(spec, stream(1));

  it("has orthogonal weights of gain √2 in hidden and 0.01 in output layers", () => {
    // Kernels are a matrix [size·size·in × out] here, as in the layout.
    for (const tower of layout(spec)) {
      tower.forEach(({ inputs, outputs, weight }, l) => {
        const at = (i: number, k: number) => parameters[weight + i * outputs + k];
        const [short, long] = [Math.min(inputs, outputs), Math.max(inputs, outputs)];
        // Columns of a tall matrix, rows of a wide one.
        const entry = (vector: number, i: number) => (outputs > inputs ? at(vector, i) : at(i, vector));
        const squared = l < tower.length - 1 ? 2 : 0.0001;
        for (let a = 0; a < short; a++) {
          for (let b = 0; b <= a; b++) {
            let dot = 0;
            for (let i = 0; i < long; i++) dot += entry(a, i) * entry(b, i);
            expect(dot / squared).toBeCloseTo(a === b ? 1 : 0, 5);
          }
        }
      });
    }
  });

  it("has biases of 0", () => {
    for (const { bias, outputs } of layout(spec).flat()) {
      expect(parameters.subarray(bias, bias + outputs)).toEqual(new Float32Array(outputs));
    }
  });
});

describe("initialParameters", () => {
  it("points every way alike: over many draws each weight has mean 0 and the same variance", () => {
    const small: ModelSpec = { ...MLP, inputs: 2, hidden: [2], outputs: [1] };
    const draws = Array.from({ length: 2000 }, (_, k) => initialParameters(small, stream(k)));
    for (let i = 0; i < 4; i++) {
      const mean = draws.reduce((sum, p) => sum + p[i], 0) / draws.length;
      const variance = draws.reduce((sum, p) => sum + p[i] * p[i], 0) / draws.length;
      // An entry is √2·cos θ with θ uniform: mean 0, variance 1; standard errors 1/√2000 = 0.022 and 0.016.
      expect(Math.abs(mean)).toBeLessThan(0.09);
      expect(Math.abs(variance - 1)).toBeLessThan(0.07);
    }
  });
});
