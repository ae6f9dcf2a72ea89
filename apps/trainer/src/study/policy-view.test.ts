import { describe, expect, it } from "@jest/globals";
import { createRollout, type Decisions, discrete, ILLEGAL, LAST_LOOK } from "@magic-mask/core";
import { planted } from "@magic-mask/environments";
import { policyView } from "./policy-view.ts";

const LN = Math.log;
const spec = { ...planted({ agents: 1, ticks: 12, keys: 2 }), actionSpaces: [discrete(4)] };
const POLICY = Float32Array.of(LN(0.2), ILLEGAL, LN(0.5), LN(0.3), ILLEGAL, ILLEGAL, LN(0.4), LN(0.6));
const LEGAL = Uint8Array.of(1, 0, 1, 1, 0, 0, 1, 1);
const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 6));

describe("policyView", () => {
  it("keeps of a decision how many actions there are and what the policy makes of them", () => {
    const decisions: Decisions = {
      agent: 0,
      count: 2,
      observations: new Float32Array(20),
      legal: LEGAL,
      policy: POLICY,
      perturbation: Float32Array.of(LN(1 / 3), ILLEGAL, LN(1 / 3), LN(1 / 3), ILLEGAL, ILLEGAL, LN(0.5), LN(0.5)),
    };
    const view = policyView(spec, 5);
    const seen = view.decisions(decisions);
    expect(view.spec.actionSpaces).toEqual([{ kind: "candidates", max: 5, features: 1 }]);
    expect([...seen.observations]).toEqual(near([LN(3), 0.3, LN(2), 0.4]));
    expect([...seen.legal]).toEqual([1, 1, 1, 0, 0, 1, 1, 0, 0, 0]);
    expect([...seen.policy.subarray(0, 3), ...seen.policy.subarray(5, 7)]).toEqual(
      near([LN(0.2), LN(0.5), LN(0.3), LN(0.4), LN(0.6)]),
    );
    expect(seen.policy[3]).toBe(ILLEGAL);
    expect([...seen.perturbation.subarray(5, 7)]).toEqual(near([LN(0.5), LN(0.5)]));
    // Third, first and second of three; second and first of two.
    const { features = [], starts = [], counts = [] } = seen.candidates ?? {};
    expect([[...features.slice(0, 5)], [...starts.slice(0, 2)], [...counts.slice(0, 2)]]).toEqual([
      [1, 0, 0.5, 1, 0],
      [0, 3],
      [3, 2],
    ]);
  });

  it("counts the action taken among the legal ones, and leaves the rest of a rollout as it is", () => {
    const rollout = createRollout(spec, 0, 4, 3);
    rollout.length = 3;
    rollout.legal.set([...LEGAL, 1, 1, 1, 1]);
    rollout.policy.set(POLICY);
    rollout.actions.set([3, 2, 0]);
    rollout.rewards.set([1, 2, 0]);
    rollout.ended[2] = LAST_LOOK;
    const evidence = {
      rollout,
      rows: Int32Array.of(0, 1),
      discount: 1,
      values: new Float32Array(3),
      advantages: new Float32Array(3),
    };
    const seen = policyView(spec, 5).evidence(evidence).rollout;
    expect([...seen.actions.subarray(0, 3)]).toEqual([2, 0, 0]);
    expect([...seen.rewards.subarray(0, 3)]).toEqual([1, 2, 0]);
    expect([...rollout.actions.subarray(0, 3)]).toEqual([3, 2, 0]);
    expect(seen.widths).toMatchObject({ observation: 2, legal: 5, parameters: 5, candidate: 1 });
  });
});
