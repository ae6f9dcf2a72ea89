import { describe, expect, it } from "@jest/globals";
import {
  box,
  candidates,
  createRollout,
  discrete,
  type EnvironmentSpec,
  multiDiscrete,
  stream,
} from "@magic-mask/core";
import { referenceLearner } from "@magic-mask/core/testing";
import fc from "fast-check";
import { actionCode } from "./action-code.ts";
import { createRecordBuffer } from "./buffer.ts";
import { createMessageDecoder, encodeMessages } from "./codec.ts";
import { areComparable } from "./peers.ts";
import { emptyRecord } from "./record.ts";
import { createRecordHead } from "./record-head.ts";
import { createRecordWriter } from "./record-writer.ts";
import { createSignature } from "./signature.ts";
import { world } from "./test-world.ts";

const told = (space: Parameters<typeof actionCode>[0], action: number[]) => {
  const { width, encode, describe: write } = actionCode(space);
  const out = new Float32Array(width + 2).fill(7);
  write(encode(Float32Array.of(9, ...action), 1), out, 1);
  expect([out[0], out.at(-1)]).toEqual([7, 7]);
  return [...out.subarray(1, -1)];
};

describe("action codes", () => {
  it("are indices of choices, told as one of n; of candidates nothing is told", () => {
    expect(told(discrete(3), [2])).toEqual([0, 0, 1]);
    expect(told(candidates(5, 2), [3])).toEqual([]);
    const { isValid } = actionCode(discrete(3));
    expect([0, 2, 3, -1, 0.5].map(isValid)).toEqual([true, true, false, false, false]);
  });

  it("hold the entries of continuous actions side by side", () => {
    // Two entries of 16 bits: the first at its low bound, the second at its high one.
    const space = box([2], [-1, 0], [1, 8]);
    expect(actionCode(space).encode(Float32Array.of(-1, 8), 0)).toBe(65535 * 65536);
    // Beyond a bound: at it.
    expect(actionCode(space).encode(Float32Array.of(9, -9), 0)).toBe(65535);
    expect(told(space, [0.5, 2])).toEqual([0.5, -0.5].map((x) => expect.closeTo(x, 4)));
    expect([4294967295, 4294967296, -1].map(actionCode(space).isValid)).toEqual([true, false, false]);
  });

  it("keep each of up to eight entries to half a step of its bits", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -3, max: 5, noNaN: true }), { minLength: 1, maxLength: 8 }), (action) => {
        const space = box([action.length], -3, 5);
        const code = actionCode(space).encode(Float32Array.from(action), 0);
        expect(Number.isInteger(code) && code >= 0 && code <= 4294967295).toBe(true);
        expect(actionCode(space).isValid(code)).toBe(true);
        const steps = 2 ** Math.min(16, Math.floor(32 / action.length)) - 1;
        told(space, action).forEach((x, i) => {
          expect(Math.abs(x - ((action[i] + 3) / 4 - 1))).toBeLessThanOrEqual(1 / steps + 1e-6);
        });
      }),
    );
  });

  it("refuse what they cannot hold", () => {
    expect(() => actionCode(box([9], 0, 1))).toThrow("up to 8 bounded entries of an action, got 9 entries");
    expect(() => actionCode(box([1], 0, Number.POSITIVE_INFINITY))).toThrow("got an entry in [0,Infinity]");
    expect(() => actionCode(multiDiscrete(2, 2))).toThrow("needs discrete actions or candidates, got multi-discrete");
  });
});

describe("records of continuous actions", () => {
  const space = box([1], -2, 2);
  const continuous: EnvironmentSpec = { ...world, actionSpaces: [space, space, box([1], -1, 1)] };
  const signature = createSignature(continuous, { seed: 3 });
  const writer = createRecordWriter({ spec: continuous, signature, copies: 1 });

  /** A rollout of agent 0, one row per action: π = N(mean, .25²), ν = N(0, 1). */
  const rolloutOf = (actions: number[], meanOf = (_row: number) => 0) => {
    const rollout = createRollout(continuous, 0, 2, actions.length);
    rollout.length = actions.length;
    actions.forEach((action, row) => {
      rollout.actions[row] = action;
      rollout.policy.set([meanOf(row), Math.log(0.25)], 2 * row);
      rollout.perturbation.set([0, 0], 2 * row);
      rollout.logProbs[row] = -8 * (action - meanOf(row)) ** 2 - Math.log(0.25) - 0.5 * Math.log(2 * Math.PI);
      rollout.blindProbability[row] = 0.1;
      rollout.episodes[row] = row;
    });
    return rollout;
  };

  it("tell densities so that none is above 1 and their ratio stays", () => {
    const record = emptyRecord(signature.length);
    writer.write(rolloutOf([0.5]), 0, 0, 1.5, 0.5, 0, record);
    // z = 2 and ½, less ln π's own maximum: −2, and −⅛ + ln ¼.
    expect(record.logProb).toBeCloseTo(-2, 5);
    expect(record.perturbationLogProb).toBeCloseTo(-0.125 + Math.log(0.25), 5);
    // ln σ = ln ¼ of the bounds −5 and 2, and the mean in the middle of its bounds.
    const spread = (2 * (Math.log(0.25) + 5)) / 7 - 1;
    expect([...record.signature.subarray(0, 3)]).toEqual([Math.round(127 * spread), 0, 0]);
    const [message] = encodeMessages([record], signature.length);
    const [back] = createMessageDecoder(continuous, signature.length)(message);
    expect(back.action).toBe(record.action);
    // A code that this sender cannot have: 16 bits hold its one entry.
    const [wrong] = encodeMessages([{ ...record, action: 65536 }], signature.length);
    expect(() => createMessageDecoder(continuous, signature.length)(wrong)).toThrow("walker_0 has no action 65536");
  });

  it("mean the same between agents of one box", () => {
    expect([areComparable(continuous, 0, 1), areComparable(continuous, 0, 2)]).toEqual([true, false]);
  });

  it("teach a head which actions pay", async () => {
    // What is played pays a, so π = N(1, ½²) against ν = N(0, 1) gains 1.
    const random = stream(2);
    const actions = Array.from({ length: 600 }, () => 4 * random.uniform() - 2);
    const rollout = rolloutOf(actions, (row) => (row % 3) - 1);
    const buffer = createRecordBuffer({ capacity: 600, signatureLength: signature.length });
    const record = emptyRecord(signature.length);
    for (let row = 0; row < 600; row++) {
      writer.write(rollout, row, 0, rollout.actions[row], 0.5, 0, record);
      buffer.insert(record);
    }
    const values = (_agent: number, _observations: Float32Array, count: number, out: Float32Array) =>
      out.fill(0, 0, count);
    const common = { spec: continuous, agent: 0, buffer, signature, values, hidden: [16] };
    const head = createRecordHead({ ...common, createLearner: referenceLearner, random: stream(1) });
    await head.fit({ now: 0, steps: 500, minibatch: 64, learningRate: 0.02, random: stream(4) });
    const rows = [1, 0, -1].flatMap((mean) => [mean, Math.log(0.25)]);
    const decisions = {
      agent: 0,
      count: 3,
      observations: new Float32Array(24),
      legal: new Uint8Array(0),
      policy: Float32Array.from(rows),
      perturbation: Float32Array.of(0, 0, 0, 0, 0, 0),
    };
    const scores = new Float32Array(3);
    head.score(decisions, scores, new Float32Array(3));
    [1, 0, -1].forEach((gain, row) => {
      expect(Math.abs(scores[row] - gain)).toBeLessThan(0.35);
    });
  });
});
