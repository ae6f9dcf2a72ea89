import { describe, expect, it } from "@jest/globals";
import { decisionTable } from "./decision-table.ts";
import type { Policy } from "./policy.ts";
import { gatherers } from "./testing/planted/gatherers.ts";
import { nim } from "./testing/planted/nim.ts";
import { workshop } from "./testing/planted/workshop.ts";
import { vectorize } from "./vector-environment.ts";

/** Writes its mark into all rows, and notes how many it was asked for. */
function marking(mark: number): Policy & { readonly asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    evaluate({ count }, parameters, values) {
      asked.push(count);
      parameters.fill(mark, 0, 3 * count);
      values.fill(mark, 0, count);
    },
  };
}

describe("decisionTable", () => {
  it("gives each policy its decisions, once per gather, row by row", () => {
    const vector = vectorize(gatherers, 2);
    vector.reset(0, 0);
    vector.reset(1, 1);
    const policies = [marking(1), marking(2)];
    // Copy 0: both seats to policy 1; copy 1: Ann to policy 0, Bob to policy 1.
    const seats = Uint8Array.of(1, 1, 0, 1);
    const { groups, gather } = decisionTable(vector, policies, seats);
    gather();
    expect(policies.map(({ asked }) => asked)).toEqual([[1], [3]]);
    expect(groups.map(({ count }) => count)).toEqual([1, 3]);
    expect([...groups[1].copies.subarray(0, 3)]).toEqual([0, 0, 1]);
    expect([...groups[1].agents.subarray(0, 3)]).toEqual([0, 1, 1]);
    // Ann stands on cell 1 of 0 … 4, Bob on 3, the berry on 2, at tick 0; all moves are open.
    expect([...groups[1].observations.subarray(0, 9)]).toEqual([0.25, 0.5, 0, 0.75, 0.5, 0, 0.75, 0.5, 0]);
    expect([...groups[1].legal.subarray(0, 9)]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect([...groups[1].free.subarray(0, 3)]).toEqual([1, 1, 1]);
    expect([...groups[1].parameters.subarray(0, 9)]).toEqual(new Array(9).fill(2));
    expect([...groups[1].values.subarray(0, 3)]).toEqual([2, 2, 2]);
    expect([...groups[0].observations.subarray(0, 3)]).toEqual([0.25, 0.5, 0]);

    // Ann of copy 0 walks to the left wall: "left" is no longer open to her. The seats are read anew.
    vector.step(Float32Array.of(1, 0, 0, 0));
    seats.fill(0);
    gather();
    expect(groups.map(({ count }) => count)).toEqual([4, 0]);
    expect([...groups[0].legal.subarray(0, 3)]).toEqual([1, 0, 1]);
    expect(groups[0].free[0]).toBe(1);
    // Nobody asks a policy that has nothing to decide.
    expect(policies.map(({ asked }) => asked)).toEqual([[1, 4], [3]]);
  });

  it("holds one row per copy in a turn-based world, and none for episodes that are over", () => {
    const vector = vectorize(nim, 2);
    const policy = marking(0);
    const { groups, gather } = decisionTable(vector, [policy], new Uint8Array(4));
    expect(groups[0].copies).toHaveLength(2);
    vector.reset(0, 0);
    vector.reset(1, 0);
    gather();
    expect(groups[0].count).toBe(2);
    // Seven stones in copy 0: 3, 3, 1 and it is over; copy 1 takes one at a time.
    for (const take of [2, 2]) vector.step(Float32Array.of(take, take, 0, 0));
    gather();
    // One stone is left in copy 0, so its move is forced; copy 1 has five.
    expect([...groups[0].free.subarray(0, 2)]).toEqual([0, 1]);
    vector.step(Float32Array.of(0, 0, 0, 0));
    gather();
    expect(groups[0].count).toBe(1);
    expect([groups[0].copies[0], groups[0].agents[0]]).toEqual([1, 1]);
    expect(policy.asked).toEqual([2, 2, 1]);
  });

  it("refuses an agent that must act and cannot", () => {
    const stuck = () => ({ ...gatherers(), legal: () => 0 });
    const vector = vectorize(stuck, 1);
    vector.reset(0, 0);
    const { gather } = decisionTable(vector, [marking(0)], new Uint8Array(2));
    expect(gather).toThrow("[environments/gatherers_v0] ann must act but its action mask is all zero");
    expect(gather).toThrow(expect.objectContaining({ code: "no-legal-action" }));
  });

  it("lists candidates one behind the other, more of them than there was room for", () => {
    // The trader has 1 + tick % 3 offers of the features tick, tick + 1, …
    const vector = vectorize(workshop, 3);
    for (const copy of [0, 1, 2]) vector.reset(copy, copy);
    const { groups, gather } = decisionTable(
      vector,
      [0, 1, 2].map(() => marking(0)),
      Uint8Array.from({ length: 9 }, (_, at) => at % 3),
    );
    for (let again = 0; again < 2; again++) {
      gather();
      const { candidates, free } = groups[2];
      expect(candidates).toMatchObject({ width: 2, length: 6 });
      expect([...free.subarray(0, 3)]).toEqual([0, 1, 1]);
      expect([...(candidates?.starts.subarray(0, 3) ?? [])]).toEqual([0, 1, 3]);
      expect([...(candidates?.counts.subarray(0, 3) ?? [])]).toEqual([1, 2, 3]);
      // Ticks 0, 1 and 2.
      expect([...(candidates?.features.subarray(0, 12) ?? [])]).toEqual([0, 1, 1, 2, 3, 4, 2, 3, 4, 5, 6, 7]);
      // The builder's moves are no candidates.
      expect([...(groups[0].candidates?.counts.subarray(0, 3) ?? [])]).toEqual([0, 0, 0]);
    }
  });
});
