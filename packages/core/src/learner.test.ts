import { expect, it } from "@jest/globals";
import { type CnnSpec, imagesIn, outputWidth, parameterCount } from "./learner.ts";

const mlp = (inputs: number, hidden: number[], outputs: number[]) =>
  ({ kind: "mlp", inputs, hidden, activation: "tanh", outputs }) as const;

it("parameterCount counts weights and biases of every tower", () => {
  // (126 + 1)·64 + (64 + 1)·64 + (64 + 1)·8 = 8128 + 4160 + 520
  expect(parameterCount(mlp(126, [64, 64], [8]))).toBe(12_808);
  // Two towers: (126 + 1)·64 + (64 + 1)·64 = 12288 each, and 65·7, 65·1
  expect(parameterCount(mlp(126, [64, 64], [7, 1]))).toBe(2 * 12_288 + 455 + 65);
  // (2 + 1)·3 + (3 + 1)·4 + (4 + 1)·5 + (5 + 1)·1 = 9 + 16 + 25 + 6
  expect(parameterCount(mlp(2, [3, 4, 5], [1]))).toBe(56);
});

it("outputWidth is the length of all towers' outputs together", () => {
  expect(outputWidth(mlp(126, [64, 64], [8]))).toBe(8);
  expect(outputWidth(mlp(126, [64, 64], [7, 1]))).toBe(8);
});

const cnn: CnnSpec = {
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

it("imagesIn leaves out what a stride does not reach", () => {
  // 5 → 4 → 2; 4 → 3 → 1, for the third column has no second one beside it.
  expect(imagesIn(cnn)).toEqual([
    [5, 4, 2],
    [4, 3, 3],
    [2, 1, 6],
  ]);
});

it("parameterCount counts the kernels and biases of every tower", () => {
  // (2·2·2 + 1)·3 + (2·2·3 + 1)·6 = 27 + 78; (2·1·6 + 1)·7 = 91; (7 + 1)·4 and (7 + 1)·1
  expect(parameterCount(cnn)).toBe(2 * (27 + 78 + 91) + 32 + 8);
});

it("a net that scores candidates has a tower for states beside a candidate and one for states alone", () => {
  const spec = { kind: "candidates", inputs: 10, features: 4, max: 30, hidden: [8], activation: "relu" } as const;
  // (10 + 4 + 1)·8 + (8 + 1)·1 and (10 + 1)·8 + (8 + 1)·1
  expect(parameterCount(spec)).toBe(129 + 97);
  expect(outputWidth(spec)).toBe(31);
});
