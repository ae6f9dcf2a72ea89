import { describe, expect, it } from "@jest/globals";
import type { Decisions } from "@magic-mask/core";
import { createRecordBuffer } from "./buffer.ts";
import { createCoverageMap } from "./coverage-map.ts";
import { createSignature } from "./signature.ts";
import { createSteering } from "./steering.ts";
import { recordOf, signatureOf, world } from "./test-world.ts";

describe("coverage map", () => {
  it("weighs what peers told of a cell, faded with age", () => {
    const buffer = createRecordBuffer({ halfLife: 100, similarity: 1 });
    const map = createCoverageMap(buffer, 3, 0);
    const at = (signature: Int8Array, offset = 0) => Array.from(map.at(signature, offset) ?? []);
    // Cells are 32 quanta wide, from −128: 0 … 31 is one of them. Entry 2 spans none.
    buffer.insert(recordOf({ agent: 1, step: 100, signature: signatureOf(0, 0, 100, 5) }));
    buffer.insert(recordOf({ agent: 2, role: 1, step: 0, signature: signatureOf(31, 10, -100, 0) }));
    buffer.insert(recordOf({ agent: 0, step: 100, signature: signatureOf(1) }));
    buffer.insert(recordOf({ agent: 1, step: 100, signature: signatureOf(32) }));
    expect(at(signatureOf(3))).toEqual([]);
    map.refresh(100);
    // A fresh one and one that is a half-life old.
    expect(at(signatureOf(3))).toEqual([0, 1, expect.closeTo(0.5, 12)]);
    expect(at(signatureOf(40))).toEqual([0, 1, 0]);
    expect(at(signatureOf(-3))).toEqual([]);
    expect(at(Int8Array.of(...signatureOf(), ...signatureOf(40)), 28)).toEqual([0, 1, 0]);
  });
});

describe("steering", () => {
  it("keeps 1 − s where peers have settled a state, and all elsewhere, as it was when it was last refreshed", () => {
    const signature = createSignature(world, { seed: 1 });
    const values = (_: number, __: Float32Array, count: number, out: Float32Array) => void out.fill(0.5, 0, count);
    const buffers = world.agents.map(() => createRecordBuffer({ signatureLength: signature.length }));
    const steering = createSteering({ spec: world, buffers, signature, values, strength: 0.75 });
    const decisions: Decisions = {
      agent: 0,
      count: 2,
      observations: Float32Array.from({ length: 16 }, (_, i) => (i < 8 ? 0.9 : -0.9)),
      legal: new Uint8Array(6).fill(1),
      policy: new Float32Array(6).fill(Math.log(1 / 3)),
      perturbation: new Float32Array(6).fill(Math.log(1 / 3)),
    };
    const told = recordOf({ agent: 1, signature: new Int8Array(signature.length) });
    signature.write(0, decisions.observations, 8, decisions.policy, 3, 0.5, told.signature, 0);
    buffers[0].insert(told);
    const keep = new Float32Array(2);
    steering.steer(decisions, keep);
    expect(Array.from(keep)).toEqual([1, 1]);
    steering.refresh(0);
    steering.steer(decisions, keep);
    expect(Array.from(keep)).toEqual([1, 0.25]);
    // Four decisions were asked about; of one of them three quarters of the blinding were saved, on account of agent 1.
    expect(steering.asked).toEqual(Float64Array.of(4, 0, 0));
    expect(steering.saved).toEqual(Float64Array.of(0, 0.75, 0, 0, 0, 0, 0, 0, 0));
    const copy = createSteering({ spec: world, buffers, signature, values, strength: 0.75 });
    copy.restoreState(steering.exportState());
    expect(copy.exportState()).toEqual(steering.exportState());
    expect(() => copy.restoreState({})).toThrow("not that of steering of 3 agents");
    // Of a peer that is trusted by a third, a third: 1 − ¾ · ⅓.
    const trusts = [{ weights: Float64Array.of(1, 1 / 3, 1, 1) }];
    const wary = createSteering({ spec: world, buffers, signature, values, trusts, strength: 0.75 });
    wary.refresh(0);
    wary.steer(decisions, keep);
    expect(Array.from(keep)).toEqual([1, 0.75]);
    expect(() => createSteering({ spec: world, buffers, signature, values, strength: 2 })).toThrow(
      "strength must be in [0, 1], got 2",
    );
  });
});
