import { describe, expect, it } from "@jest/globals";
import { candidates, createRollout, discrete, ILLEGAL } from "@magic-mask/core";
import { pairFeatures } from "./features.ts";
import { selectDecisions } from "./select.ts";
import { KEYS, leverWorld, WIDTH } from "./test-worlds.ts";

// D = 2, n = 3; row 1: π = ¾, ¼ and an illegal action. Row 2: an action of probability e⁻²⁰.
const source = {
  count: 3,
  observations: Float32Array.of(9, 9, 0.5, -2, 3, 4),
  legal: Uint8Array.of(1, 1, 1, 1, 1, 0, 1, 1, 0),
  policy: Float32Array.of(9, 9, 9, Math.log(0.75), Math.log(0.25), ILLEGAL, 0, -20, ILLEGAL),
};

describe("what a mask looks at", () => {
  const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 6));
  const H = -0.75 * Math.log(0.75) - 0.25 * Math.log(0.25);
  const { width, write } = pairFeatures(2, discrete(3));

  it("is the observation, the policy, its logarithm, its entropy, its largest probability; then the action and the policy of it", () => {
    // 2 + 2·3 + 2 numbers of the state, 3 + 2 of the action.
    expect(width).toBe(15);
    const out = new Float32Array(17).fill(7);
    write(source, 1, 1, out, 1);
    const x = [0.5, -2, 0.75, 0.25, 0, Math.log(0.75), Math.log(0.25), -10, H, 0.75];
    expect([...out]).toEqual(close([7, ...x, 0, 1, 0, Math.log(0.25), 0.25, 7]));
    write(source, 1, 0, out, 1);
    expect([...out]).toEqual(close([7, ...x, 1, 0, 0, Math.log(0.75), 0.75, 7]));
  });

  it("is the observation and the action alone where nothing of the policy is told", () => {
    const bare = pairFeatures(2, discrete(3), false);
    const out = new Float32Array(bare.width + 2).fill(7);
    bare.write(source, 1, 1, out, 1);
    expect([...out]).toEqual([7, 0.5, -2, 0, 1, 0, 7]);
    const lists = {
      features: Float32Array.of(9, 9, 1, 0, 0, 4, 9, 9),
      starts: Int32Array.of(0, 1, 3),
      counts: Int32Array.of(1, 2, 1),
    };
    const listed = pairFeatures(2, candidates(3, 2), false);
    const told = new Float32Array(listed.width);
    listed.write({ ...source, candidates: lists }, 1, 1, told, 0);
    expect([...told]).toEqual([0.5, -2, 0, 4]);
    // Of a box [−1, 3], of middle 1 and half 2, the action 2 is ½.
    const box = { ...source, policy: new Float32Array(6) };
    const continuous = pairFeatures(2, { kind: "box", shape: [1], low: -1, high: 3 }, false);
    const drawn = new Float32Array(continuous.width);
    continuous.write(box, 1, Float32Array.of(2), drawn, 0);
    expect([...drawn]).toEqual([0.5, -2, 0.5]);
  });

  it("never sees a logarithm below −10", () => {
    const out = new Float32Array(width);
    write(source, 2, 1, out, 0);
    expect([...out.subarray(5, 8)]).toEqual([0, -10, -10]);
    expect(out[13]).toBe(-10);
  });

  it("tells a candidate by its features, and leaves out what the policy makes of the others", () => {
    const space = candidates(3, 2);
    // Row 1 has the second and third rows of features.
    const lists = {
      features: Float32Array.of(9, 9, 1, 0, 0, 4, 9, 9),
      starts: Int32Array.of(0, 1, 3),
      counts: Int32Array.of(1, 2, 1),
    };
    const pairs = pairFeatures(2, space);
    const out = new Float32Array(pairs.width + 2).fill(7);
    pairs.write({ ...source, candidates: lists }, 1, 1, out, 1);
    expect([...out]).toEqual(close([7, 0.5, -2, H, 0.75, 0, 4, Math.log(0.25), 0.25, 7]));
  });
});

describe("a selection of decisions", () => {
  it("is the rows asked for, with all their columns, in copies", () => {
    const rollout = createRollout(leverWorld(), 0, KEYS, 6);
    const columns = { observations: WIDTH, legal: KEYS, policy: KEYS, perturbation: KEYS };
    for (const [name, width] of Object.entries(columns)) {
      const column = rollout[name as keyof typeof columns];
      for (let i = 0; i < 6 * width; i++) column[i] = Math.floor(i / width);
    }
    const picked = selectDecisions(rollout, Int32Array.of(0, 3, 5), 1);
    expect([picked.agent, picked.count]).toEqual([1, 3]);
    for (const [name, width] of Object.entries(columns)) {
      expect([...picked[name as keyof typeof columns]]).toEqual(
        [0, 3, 5].flatMap((row) => Array<number>(width).fill(row)),
      );
    }
    rollout.policy.fill(99);
    expect(picked.policy[0]).toBe(0);
  });
});
