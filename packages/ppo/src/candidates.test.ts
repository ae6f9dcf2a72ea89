import { describe, expect, it } from "@jest/globals";
import { type CandidateStore, LAST_LOOK, type Rollout, vectorize } from "@magic-mask/core";
import { market } from "@magic-mask/core/testing";
import { createCollector } from "./collector.ts";
import { createShardedCollector, shardWorlds } from "./sharded-collector.ts";
import { candidatesOf, everythingOf, rowsOf } from "./test-rows.ts";
import { testTeam } from "./test-shards.ts";
import { train } from "./train.ts";

const OPTIONS = { players: [0, 1], pool: false, candidates: true };
const coin = { kind: "coin", probability: 0.2 } as const;

const collector = (copies: number) => {
  const { make, ...team } = testTeam(OPTIONS);
  return createCollector({ ...team, vector: vectorize(make, copies) });
};

const listsOf = ({ candidates }: Rollout) => candidates as CandidateStore;

describe("decisions whose actions are candidates", () => {
  it("are recorded with their lists, unless forced; a last look has one of zeros", () => {
    const { rollouts } = collector(4).collect(64, coin);
    let [decisions, looks] = [0, 0];
    for (const rollout of rollouts) {
      const { counts, width } = listsOf(rollout);
      expect(width).toBe(6);
      for (let row = 0; row < rollout.length; row++) {
        const features = candidatesOf(rollout, row);
        const legal = rollout.legal.subarray(row * 6, (row + 1) * 6);
        expect([...legal].join("")).toBe("1".repeat(counts[row]).padEnd(6, "0"));
        if (rollout.ended[row] === LAST_LOOK) {
          looks++;
          expect(features).toEqual([0, 0, 0, 0, 0, 0]);
          expect(Math.abs(rollout.values[row])).toBeGreaterThan(0);
          continue;
        }
        decisions++;
        expect(counts[row]).toBeGreaterThan(1);
        expect(rollout.actions[row]).toBeLessThan(counts[row]);
        // One of the goods, at least, is of the kind that is wanted; it pays, and a forced move's pay comes on top.
        const wanted = rollout.observations.indexOf(1, row * rollout.widths.observation) % rollout.widths.observation;
        const taken = features[rollout.actions[row] * 6 + wanted];
        expect(rollout.rewards[row]).toBeGreaterThanOrEqual(taken);
      }
    }
    expect([decisions > 150, looks > 20]).toEqual([true, true]);
  });

  it("are the same in two rollouts as in one, and after a saved state", () => {
    const everything = (rollouts: readonly Rollout[]) =>
      rollouts.map((rollout) => rowsOf(rollout, everythingOf).filter(({ ended }) => ended !== 4));
    const whole = everything(collector(3).collect(60, coin).rollouts);
    const first = collector(3);
    const before = everything(first.collect(31, coin).rollouts);
    const second = collector(3);
    second.restoreState(structuredClone(first.exportState()));
    const after = everything(second.collect(29, coin).rollouts);
    const place = (row: ReturnType<typeof everythingOf>) => [row.tick, row.copy, row.ended].join();
    const sorted = (rows: ReturnType<typeof everythingOf>[]) =>
      [...rows].sort((a, b) => place(a).localeCompare(place(b)));
    expect(before.map((rows, k) => sorted([...rows, ...after[k]]))).toEqual(whole.map(sorted));
  });
});

it("PPO learns to take what is wanted", async () => {
  const { make, learners, policies, ...team } = testTeam(OPTIONS);
  const steps = train({
    collector: createShardedCollector({ ...team, policies, vectors: shardWorlds(make, 16, 2) }),
    learners: learners.map((learner, k) => ({ learner, policy: policies[k] })),
    blinding: () => ({ kind: "coin", probability: 0 }),
    totalSteps: 30_000,
    seed: 1,
    rolloutTicks: 32,
    minibatch: 64,
    epochs: 4,
    entropyCoefficient: 0.01,
    learningRate: () => 0.01,
  });
  const returns: number[] = [];
  for await (const { episodes } of steps)
    returns.push(...episodes.map((episode) => (episode.returns[0] + episode.returns[1]) / 2));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  // Of 4: 2.1 at random.
  expect(market().returnRange).toEqual([0, 4]);
  expect(mean(returns.slice(0, 100))).toBeLessThan(2.6);
  expect(mean(returns.slice(-100))).toBeGreaterThan(3.7);
});
