import { describe, expect, it } from "@jest/globals";
import { type ActionSpace, box, discrete, distributionOf, multiDiscrete, type Policy, stream } from "@magic-mask/core";
import { greedy, randomPlayer } from "./policies.ts";

const { log } = Math;

/** A policy that answers the same row whatever it sees. */
const saying = (...row: number[]): Policy => ({
  evaluate({ count }, parameters, values) {
    for (let k = 0; k < count; k++) parameters.set(row, k * row.length);
    values.fill(0, 0, count);
  },
});

/** What a policy draws for the second of two decisions, a few times. */
function drawn(policy: Policy, space: ActionSpace, width: number) {
  const P = distributionOf(space).width;
  const parameters = new Float32Array(2 * P);
  policy.evaluate(
    { count: 2, observations: new Float32Array(2), legal: new Uint8Array(2 * P).fill(1) },
    parameters,
    new Float32Array(2),
  );
  const random = stream(1);
  return Array.from({ length: 50 }, () => {
    const slot = new Float32Array(width);
    distributionOf(space).at(parameters, P).sample(random, slot, 0);
    return [...slot];
  });
}

describe("greedy", () => {
  it.each([
    { space: discrete(3), row: [log(0.3), log(0.4), log(0.3)], mode: [1] },
    { space: discrete(2), row: [log(0.5), log(0.5)], mode: [0] },
    { space: multiDiscrete(2, 3), row: [log(0.1), log(0.9), log(0.2), log(0.2), log(0.6)], mode: [1, 2] },
    { space: box([2], -1, 1), row: [0.5, -0.25, 1, 2], mode: [0.5, -0.25] },
  ])("takes the mode of $space.kind every time", ({ space, row, mode }) => {
    const draws = drawn(greedy(saying(...row), space), space, mode.length);
    expect(new Set(draws.map(String))).toEqual(new Set([String(mode)]));
  });
});

describe("randomPlayer", () => {
  it.each([discrete(3), multiDiscrete(2, 2)])("draws every action of $kind", (space) => {
    const draws = drawn(randomPlayer(space), space, space.kind === "discrete" ? 1 : 2);
    expect(new Set(draws.map(String)).size).toBe(space.kind === "discrete" ? 3 : 4);
  });
});
