import { expect, it } from "@jest/globals";
import { stream } from "../random.ts";
import { ILLEGAL } from "./categorical.ts";
import { multiCategorical } from "./multi-categorical.ts";

const { log } = Math;
// Part 0: (¼, ¾); part 1: (½, –, ½).
const ROW = Float32Array.of(9, log(0.25), log(0.75), log(0.5), ILLEGAL, log(0.5));
const at = () => multiCategorical([2, 3]).at(ROW, 1);

it("normalises each part over what is legal in it", () => {
  const outputs = Float32Array.of(7, 0, log(3), 2, 50, 2);
  multiCategorical([2, 3]).normalise(outputs, 1, Uint8Array.of(0, 1, 1, 1, 0, 1), 1);
  expect(outputs[0]).toBe(7);
  for (let i = 1; i < 6; i++) expect(outputs[i]).toBeCloseTo(ROW[i], 5);
});

it("draws parts independently, each with its probabilities", () => {
  const random = stream("multi");
  const counts = new Map<string, number>();
  const out = new Float32Array(3);
  for (let i = 0; i < 40_000; i++) {
    at().sample(random, out, 1);
    const key = `${out[1]}${out[2]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  // ¼·½ and ¾·½, within four standard deviations √(np(1 − p)) of at most 97.
  expect([...counts.keys()].sort()).toEqual(["00", "02", "10", "12"]);
  expect(Math.abs((counts.get("00") ?? 0) - 5_000)).toBeLessThan(400);
  expect(Math.abs((counts.get("12") ?? 0) - 15_000)).toBeLessThan(400);
});

it("adds log-probabilities and entropies of its parts", () => {
  expect(at().logProb(Float32Array.of(5, 1, 2), 1)).toBeCloseTo(log(0.75 * 0.5), 6);
  // H(¼, ¾) = ¼·ln 4 + ¾·ln(4/3), H(½, ½) = ln 2.
  expect(at().entropy()).toBeCloseTo(0.25 * log(4) + 0.75 * log(4 / 3) + log(2), 5);
});

it("has each part's mode", () => {
  const out = new Float32Array(2);
  at().mode(out, 0);
  expect([...out]).toEqual([1, 0]);
});

it("sums expectations over joint actions exactly", () => {
  // E[10·a + b] = 10·¾ + ½·0 + ½·2 = 8.5
  expect(at().expect(([a, b]) => 10 * a + b, stream(0))).toBeCloseTo(8.5, 5);
  // E[a·b] = ¾·1, as parts are independent.
  expect(at().expect(([a, b]) => a * b, stream(0))).toBeCloseTo(0.75, 5);
});

it("refuses to sum over too many", () => {
  const wide = multiCategorical(new Array(17).fill(2));
  expect(() => wide.expect(() => 0, stream(0))).toThrow(expect.objectContaining({ code: "unsupported" }));
});
