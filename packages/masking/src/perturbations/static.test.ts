import { describe, expect, it } from "@jest/globals";
import { box, candidates, discrete, ILLEGAL, multiDiscrete, type Perturbation, type Policy } from "@magic-mask/core";
import { frozenPeer } from "./frozen-peer.ts";
import { idle } from "./idle.ts";
import { policyNoise } from "./policy-noise.ts";
import { secondChoice } from "./second-choice.ts";

const none = new Float32Array(0);
const logs = (...probabilities: number[]) => probabilities.map((p) => (p > 0 ? Math.log(p) : ILLEGAL));

/** ν of the rows given, as probabilities. */
function probabilities(
  perturbation: Perturbation,
  policy: number[],
  legal: number[] = policy.map((x) => (x > ILLEGAL ? 1 : 0)),
  count = 1,
) {
  const out = new Float32Array(policy.length).fill(7);
  const batch = { count, observations: none, legal: Uint8Array.from(legal) };
  perturbation.evaluate(batch, Float32Array.from(policy), out);
  return Array.from(out, (x) => Math.exp(x));
}
const close = (values: number[]) => values.map((value) => expect.closeTo(value, 6));

describe("second_choice", () => {
  it("is the most probable alternative to what the policy would rather do", () => {
    expect(probabilities(secondChoice(discrete(3)), logs(0.2, 0.5, 0.3))).toEqual([0, 0, 1]);
    expect(probabilities(secondChoice(candidates(3, 2)), logs(0.2, 0.5, 0.3))).toEqual([0, 0, 1]);
    // The second would be illegal.
    expect(probabilities(secondChoice(discrete(3)), logs(0.2, 0.5, 0.3), [1, 1, 0])).toEqual([1, 0, 0]);
  });

  it("shares what equals have, as where the policy is certain", () => {
    expect(probabilities(secondChoice(discrete(4)), logs(0, 1, 0, 0), [1, 1, 1, 1])).toEqual(
      close([1 / 3, 0, 1 / 3, 1 / 3]),
    );
    // Of equal best ones the first is forbidden.
    expect(probabilities(secondChoice(discrete(3)), logs(0.4, 0.4, 0.2))).toEqual([0, 1, 0]);
  });

  it("leaves a forced move as it is", () => {
    expect(probabilities(secondChoice(discrete(3)), logs(0, 1, 0))).toEqual([0, 1, 0]);
  });

  it("changes the one part whose second choice is least behind", () => {
    // Joint: .9·.6 best; then .9·.4 = .36, and .1·.6 = .06.
    expect(probabilities(secondChoice(multiDiscrete(2, 2)), logs(0.9, 0.1, 0.6, 0.4))).toEqual([1, 0, 0, 1]);
    // A part with one legal choice has no second.
    expect(probabilities(secondChoice(multiDiscrete(2, 2)), logs(0.9, 0.1, 1, 0))).toEqual([0, 1, 1, 0]);
  });
});

describe("policy_noise", () => {
  it("is the policy to the power 1/T", () => {
    // √(.64, .32, .04) = (.8, .5657, .2), sum 1.5657
    const expected = [0.8, Math.sqrt(0.32), 0.2].map((x) => x / (1 + Math.sqrt(0.32)));
    expect(probabilities(policyNoise(discrete(3), { temperature: 2 }), logs(0.64, 0.32, 0.04))).toEqual(
      close(expected),
    );
    // Each part alone; what is illegal stays so.
    expect(probabilities(policyNoise(multiDiscrete(2, 2), { temperature: 2 }), logs(0.64, 0.36, 1, 0))).toEqual(
      close([0.8 / 1.4, 0.6 / 1.4, 1, 0]),
    );
  });

  it("is the policy at T = 1", () => {
    expect(probabilities(policyNoise(discrete(2), { temperature: 1 }), logs(0.7, 0.3))).toEqual(close([0.7, 0.3]));
  });

  it("keeps a density's means and widens it: σ√T", () => {
    const out = new Float32Array(8);
    const policy = Float32Array.of(1, -1, 0, -2, 3, 0.5, -1, -1);
    policyNoise(box([2], -1, 1), { temperature: 4 }).evaluate(
      { count: 2, observations: none, legal: new Uint8Array(0) },
      policy,
      out,
    );
    const wider = Math.log(2);
    expect([...out]).toEqual(close([1, -1, wider, wider - 2, 3, 0.5, wider - 1, wider - 1]));
  });

  it("refuses to sharpen", () => {
    expect(() => policyNoise(discrete(2), { temperature: 0.5 })).toThrow("temperature must be ≥ 1, got 0.5");
  });
});

describe("idle", () => {
  const policy = logs(0.2, 0.5, 0.3);

  it.each([["noop"], ["NO-OP"], ["IDLE"], ["none"], ["no_action"], ["stay"]])("finds what is called %s", (label) => {
    expect(probabilities(idle(discrete(3, ["left", "right", label])), policy)).toEqual([0, 0, 1]);
  });

  it("takes what it is told to", () => {
    const named = ["noop", "wait", "right"];
    expect(probabilities(idle(discrete(3, named), { action: "wait" }), policy)).toEqual([0, 1, 0]);
    expect(probabilities(idle(discrete(3), { action: 2 }), policy)).toEqual([0, 0, 1]);
  });

  it("plays a forced move, and otherwise never anything in its place", () => {
    const still = idle(discrete(3, ["noop", "left", "right"]));
    expect(probabilities(still, logs(0, 1, 0))).toEqual([0, 1, 0]);
    expect(() => probabilities(still, logs(0, 0.5, 0.5))).toThrow(
      "noop (0) is illegal in a decision with 2 legal actions, so it cannot idle",
    );
  });

  it("is as good as 0 in a box", () => {
    const out = new Float32Array(4);
    idle(box([2], [-1, 0], 1)).evaluate(
      { count: 1, observations: none, legal: new Uint8Array(0) },
      Float32Array.of(1, 1, 0, 0),
      out,
    );
    expect([...out]).toEqual([0, 0, -5, -5]);
  });

  it.each([
    [() => idle(discrete(2, ["left", "right"])), "no action is called noop", "unsupported"],
    [() => idle(discrete(2)), "its actions have no labels", "unsupported"],
    [
      () => idle(discrete(2, ["left", "right"]), { action: "up" }),
      'there is no action "up"; labels: left, right',
      "unknown-name",
    ],
    [() => idle(discrete(2), { action: 2 }), "action must be a whole number in [0, 1], got 2", "invalid-option"],
    [() => idle(candidates(3, 2)), "candidates are another list each time", "unsupported"],
    [() => idle(multiDiscrete(2, 2)), "several parts", "unsupported"],
    [() => idle(box([1], 1, 2)), "0 lies outside", "unsupported"],
  ])("refuses %s", (make, message, code) => {
    expect(make).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });
});

describe("frozen_peer", () => {
  it("is what the peer makes of the same decisions", () => {
    const peer: Policy = {
      evaluate({ count, observations }, parameters, values) {
        for (let row = 0; row < count; row++) {
          values[row] = 1;
          parameters.set(logs(observations[row], 1 - observations[row]), 2 * row);
        }
      },
    };
    const out = new Float32Array(4);
    const batch = { count: 2, observations: Float32Array.of(0.25, 0.5), legal: Uint8Array.of(1, 1, 1, 1) };
    frozenPeer(peer).evaluate(batch, new Float32Array(4), out);
    expect(Array.from(out, Math.exp)).toEqual(close([0.25, 0.75, 0.5, 0.5]));
  });

  it("needs one", () => {
    expect(() => frozenPeer(undefined)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
