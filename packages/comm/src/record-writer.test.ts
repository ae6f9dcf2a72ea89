import { describe, expect, it } from "@jest/globals";
import { createRollout } from "@magic-mask/core";
import { emptyRecord } from "./record.ts";
import { createRecordWriter } from "./record-writer.ts";
import { createSignature } from "./signature.ts";
import { world } from "./test-world.ts";

describe("record writer", () => {
  it("tells what a rollout says of a row", () => {
    const rollout = createRollout(world, 2, 3, 2);
    rollout.length = 2;
    rollout.agents[1] = 2;
    rollout.ticks[1] = 640;
    rollout.episodes[1] = 7;
    rollout.copies[1] = 3;
    rollout.blinded[1] = 1;
    rollout.blindProbability[1] = 0.25;
    rollout.actions[1] = 2;
    rollout.observations.set([0, 0, 0, 0.5, -0.5, 1, -1, 0.25], 8);
    rollout.policy.set([0.2, 0.3, 0.5].map(Math.log), 3);
    rollout.perturbation.set([0.5, 0.25, 0.25].map(Math.log), 3);
    rollout.logProbs[1] = Math.log(0.5);
    const signature = createSignature(world, { seed: 3 });
    const out = emptyRecord();
    createRecordWriter({ spec: world, signature, copies: 16 }).write(rollout, 1, 1.5, -0.5, 0.9, 12, out);

    const sigma = new Int8Array(28);
    signature.write(2, rollout.observations, 8, rollout.policy, 3, 1.5, sigma, 0);
    expect(sigma.subarray(4, 8).some((x) => x !== 0)).toBe(true);
    expect(out).toEqual({
      agent: 2,
      role: 1,
      policyVersion: 12,
      step: 640,
      // Episode 7 of copy 3 of 16: 7·16 + 3.
      episode: 115,
      blinded: true,
      signature: sigma,
      action: 2,
      logProb: Math.fround(Math.log(0.5)),
      perturbationLogProb: Math.fround(Math.log(0.25)),
      blindProbability: 0.25,
      advantage: -0.5,
      rank: 0.9,
    });
  });

  it("names the episodes of copies that are played elsewhere by other numbers", () => {
    const signature = createSignature(world, { seed: 3 });
    const rollout = createRollout(world, 2, 3, 1);
    rollout.length = 1;
    rollout.agents[0] = 2;
    rollout.copies[0] = 3;
    rollout.episodes[0] = 7;
    rollout.policy.fill(Math.log(1 / 3));
    rollout.perturbation.fill(Math.log(1 / 3));
    const out = emptyRecord();
    // Episode 7 of copy 3 of the second 16 of 48: 7·48 + 16 + 3.
    createRecordWriter({ spec: world, signature, copies: 48, firstCopy: 16 }).write(rollout, 0, 0, 0, 0.5, 0, out);
    expect(out.episode).toBe(355);
    expect(() => createRecordWriter({ spec: world, signature, copies: 16, firstCopy: 16 })).toThrow(
      "firstCopy must be a whole number in [0, 15], got 16",
    );
  });

  it("refuses a world without copies", () => {
    const signature = createSignature(world, { seed: 3 });
    expect(() => createRecordWriter({ spec: world, signature, copies: 0 })).toThrow(
      "copies must be a whole number ≥ 1, got 0",
    );
  });
});
