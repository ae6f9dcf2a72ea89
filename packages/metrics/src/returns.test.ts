import { describe, expect, it } from "@jest/globals";
import type { Episode } from "@magic-mask/core";
import { episodeReturns, meanReturn, winRate } from "./returns.ts";

/** An episode of two agents in which the first earns these rewards and the second loses them. */
const episode = (...rewards: number[]): Episode => ({
  seed: 0,
  ticks: rewards.length,
  acting: new Uint8Array(rewards.length * 2).fill(1),
  actions: new Float32Array(rewards.length * 2),
  rewards: Float64Array.from(rewards.flatMap((r) => [r, -r])),
  terminated: Uint8Array.of(1, 1),
  truncated: Uint8Array.of(0, 0),
});

describe("returns", () => {
  // Returns 3, 0, −1, 2: two wins, a draw, a loss.
  const episodes = [episode(1, 2), episode(1, -1), episode(-1), episode(0, 2)];

  it("sums each agent's rewards", () => {
    expect([...episodeReturns(episodes, 0)]).toEqual([3, 0, -1, 2]);
    expect(meanReturn(episodes, 0, { seed: 1 }).estimate).toBe(1);
    expect(meanReturn(episodes, 1, { seed: 1 }).estimate).toBe(-1);
  });

  it("counts a draw as half a win", () => {
    expect(winRate(episodes, 0, { seed: 1 }).estimate).toBe(0.625);
    expect(winRate(episodes, 1, { seed: 1 }).estimate).toBe(0.375);
  });

  it("gives intervals that hold the estimate", () => {
    const { estimate, low, high } = winRate(episodes, 0, { seed: 1 });
    expect(low).toBeLessThan(estimate);
    expect(high).toBeGreaterThan(estimate);
  });

  it("refuses no episodes", () => {
    expect(() => winRate([], 0, { seed: 1 })).toThrow("count must be a whole number ≥ 1, got 0");
  });
});
