import { expect, it } from "@jest/globals";
import { outputWidth, parameterCount } from "./learner.ts";

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
