import { describe, expect, it } from "@jest/globals";
import { createRollout } from "@magic-mask/core";
import { planted } from "@magic-mask/environments";
import type { Evidence, MaskLearner } from "@magic-mask/masking";
import type { Memory } from "../memory.ts";
import { exchange, storyOf } from "./exchange.ts";

/** Decisions at these ticks, in this order. */
function evidenceAt(ticks: readonly number[]): Evidence {
  const rollout = createRollout(planted({ agents: 1, ticks: 12, keys: 2 }), 0, 2, ticks.length);
  rollout.length = ticks.length;
  rollout.ticks.set(ticks);
  const rows = Int32Array.from(ticks.keys());
  return {
    rollout,
    rows,
    discount: 0.9,
    values: new Float32Array(rows.length),
    advantages: new Float32Array(rows.length),
  };
}

/** m of a decision is its place among those asked about at once, in hundredths. */
const mask = {
  mask: (decisions: { readonly count: number }, out: Float32Array) => {
    for (let i = 0; i < decisions.count; i++) out[i] = i / 100;
  },
} as unknown as MaskLearner;

describe("exchange", () => {
  it("gives every decision, with its rank, to the first broadcast that is not before it", () => {
    const told: unknown[] = [];
    const memory = {
      share: ({ rollout }: Evidence, rows: Int32Array, ranks: Float32Array, version: number, now: number) => {
        const at = Array.from(rows, (row) => rollout.ticks[row]);
        told.push([now, at, Array.from(ranks, (rank) => Math.round(100 * rank)), version]);
      },
      tick: (now: number) => told.push(now),
    } as unknown as Memory;
    // Ticks of several copies, one behind the other: by tick they are 1, 4, 5, 5, 6, 11.
    const story = storyOf([evidenceAt([4, 5, 11, 1, 5, 6])], [mask], 12);
    expect(exchange(story, memory, 5)).toBe(15);
    expect(told).toEqual([[5, [1, 4, 5, 5], [0, 1, 2, 3], 0], 5, [10, [6], [4], 0], 10, [15, [11], [5], 0], 15]);
  });
});
