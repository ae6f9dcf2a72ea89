import { describe, expect, it } from "@jest/globals";
import { createRollout, ILLEGAL } from "@magic-mask/core";
import { actionInputWidth, stateWidth, writeAction, writeState } from "./features.ts";
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
  it("is the observation, the policy, its logarithm, its entropy and its largest probability", () => {
    const out = new Float32Array(stateWidth(2, 3) + 2).fill(7);
    writeState(source, 1, 2, 3, out, 1);
    const H = -0.75 * Math.log(0.75) - 0.25 * Math.log(0.25);
    const x = [0.5, -2, 0.75, 0.25, 0, Math.log(0.75), Math.log(0.25), -10, H, 0.75];
    expect([...out]).toEqual([7, ...x.map((value) => expect.closeTo(value, 6)), 7]);
  });

  it("never sees a logarithm below −10", () => {
    const out = new Float32Array(stateWidth(2, 3));
    writeState(source, 2, 2, 3, out, 0);
    expect([...out.subarray(5, 8)]).toEqual([0, -10, -10]);
  });

  it("with an action is that, which action it is, and what the policy makes of it", () => {
    const out = new Float32Array(actionInputWidth(2, 3) + 1).fill(7);
    writeState(source, 1, 2, 3, out, 0);
    const x = [...out.subarray(0, stateWidth(2, 3))];
    writeAction(1, 2, 3, out, 0);
    expect([...out]).toEqual([...x, 0, 1, 0, expect.closeTo(Math.log(0.25), 6), 0.25, 7]);
    writeAction(0, 2, 3, out, 0);
    expect([...out.subarray(stateWidth(2, 3))]).toEqual([1, 0, 0, expect.closeTo(Math.log(0.75), 6), 0.75, 7]);
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
