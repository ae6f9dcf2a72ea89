import { describe, expect, it } from "@jest/globals";
import { type Decisions, vectorize } from "@magic-mask/core";
import fc from "fast-check";
import { type Collected, createCollector } from "./collector.ts";
import { createShardedCollector, planShards, type ShardedState, shardWorlds } from "./sharded-collector.ts";
import { everythingOf, rowsOf } from "./test-rows.ts";
import { LONG, type TestTeamOptions, testTeam } from "./test-shards.ts";
import { ACTIONS, scriptWorld } from "./test-worlds.ts";

const coin = { kind: "coin", probability: 0.3 } as const;

function sharded(copies: number, shards: number, options: TestTeamOptions) {
  const { make, ...team } = testTeam(options);
  return createShardedCollector({ ...team, vectors: shardWorlds(make, copies, shards) });
}

/** All that was played, in an order that does not know of shards. */
function played({ rollouts, episodes }: Collected) {
  const place = (row: ReturnType<typeof everythingOf>) => [row.tick, row.copy, row.agent, row.ended].join();
  return {
    rows: rollouts.map((rollout) => rowsOf(rollout, everythingOf).sort((a, b) => place(a).localeCompare(place(b)))),
    episodes: [...episodes].sort((a, b) => a.copy - b.copy || a.episode - b.episode),
  };
}

describe("shards", () => {
  it("hold every copy once, as evenly as can be, and none is empty", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 40 }), (copies, shards) => {
        const plans = planShards(copies, shards);
        expect(plans.length).toBe(Math.min(copies, shards));
        expect(plans.flatMap((plan) => Array.from({ length: plan.copies }, (_, i) => plan.firstCopy + i))).toEqual(
          Array.from({ length: copies }, (_, i) => i),
        );
        const sizes = plans.map((plan) => plan.copies);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each([
    [[0, 0, 0], false],
    [[0, 0, 0], true],
    [[0, 1, 1], false],
    [[0, 1], false, true],
  ])(
    "play the episodes that one collector of all copies plays (players %p, pool %p)",
    async (players, pool, candidates = false) => {
      const { make, ...team } = testTeam({ players, pool, candidates });
      const whole = createCollector({ ...team, vector: vectorize(make, 7) });
      const parts = sharded(7, 3, { players, pool, candidates });
      for (const ticks of [9, 4, 20]) {
        const one = whole.collect(ticks, coin);
        const many = await parts.collect(ticks, coin);
        expect(played(many)).toEqual(played(one));
        expect(many.episodes.length > 0).toBe(ticks > 4);
        // Past selves join in from the first update on.
        for (const { opponents } of [team, parts]) if (parts.ticks === 9) opponents.update(1);
      }
      expect(parts.ticks).toBe(33);
    },
  );

  it("come one after the other, links within them", async () => {
    const [rollout] = (await sharded(7, 3, { players: [0, 0, 0], pool: false }).collect(30, coin)).rollouts;
    const shardOf = (row: number) =>
      planShards(7, 3).findIndex((plan) => rollout.copies[row] < plan.firstCopy + plan.copies);
    const rows = Array.from({ length: rollout.length }, (_, row) => row);
    const order = rows.map(shardOf);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    for (const row of rows.filter((row) => rollout.next[row] >= 0)) {
      const next = rollout.next[row];
      expect(next).toBeGreaterThan(row);
      const who = (at: number) => [rollout.copies[at], rollout.episodes[at], rollout.agents[at]];
      expect(who(next)).toEqual(who(row));
    }
  });

  it.each([
    [[0, 0, 0], false],
    [[0, 1], true],
  ])("are blinded by masks as one collector of all copies is (players %p)", async (players, candidates) => {
    /** Depends on what a decision is and on nothing else. */
    const blind = ({ agent, count, policy, candidates: lists }: Decisions, probability: Float32Array) => {
      for (let row = 0; row < count; row++) {
        const told = lists ? lists.counts[row] / 9 : Math.exp(policy[row * ACTIONS]);
        probability[row] = told / (1 + agent);
      }
    };
    const { make, ...team } = testTeam({ players, pool: false, candidates });
    const whole = createCollector({ ...team, vector: vectorize(make, 7) });
    const parts = sharded(7, 3, { players, pool: false, candidates });
    for (const ticks of [9, 20]) {
      const [one, many] = [
        whole.collect(ticks, { kind: "mask", blind }),
        await parts.collect(ticks, { kind: "mask", blind }),
      ];
      expect(played(many)).toEqual(played(one));
      expect(one.rollouts[0].blinded.includes(1)).toBe(true);
    }
  });
});

describe("the hash of shards", () => {
  it("tells their number and what each of them did", async () => {
    const hashes = await Promise.all(
      [1, 2, 3].map(async (shards) => {
        const collector = sharded(6, shards, { players: [0, 0, 0], pool: false });
        const before = collector.hash;
        await collector.collect(5, coin);
        expect(collector.hash).not.toBe(before);
        return collector.hash;
      }),
    );
    expect(new Set(hashes).size).toBe(3);
  });

  it("changes with any of them", async () => {
    const { make, ...team } = testTeam({ players: [0, 0, 0], pool: false });
    const unlucky = scriptWorld(LONG);
    const hashes = await Promise.all(
      [
        [make, make],
        [make, unlucky],
        [unlucky, make],
      ].map(async (makes) => {
        const collector = createShardedCollector({ ...team, vectors: makes.map((each) => vectorize(each, 2)) });
        await collector.collect(9, coin);
        return collector.hash;
      }),
    );
    expect(new Set(hashes).size).toBe(3);
  });
});

describe("a saved sharded collector", () => {
  const options = { players: [0, 1, 1], pool: true };

  it("continues exactly, through a clone", async () => {
    const whole = sharded(5, 3, options);
    await whole.collect(17, coin);
    const state: ShardedState = structuredClone(await whole.exportState());
    const hash = whole.hash;
    const expected = played(await whole.collect(12, coin));
    const resumed = sharded(5, 3, options);
    await resumed.restoreState(state);
    expect([resumed.ticks, resumed.hash]).toEqual([17, hash]);
    expect(played(await resumed.collect(12, coin))).toEqual(expected);
    expect(resumed.hash).toBe(whole.hash);
  });

  it("needs as many shards as there were", async () => {
    const state = await sharded(6, 3, options).exportState();
    for (const [copies, shards] of [
      [6, 2],
      [4, 2],
      [8, 4],
    ]) {
      const other = sharded(copies, shards, options);
      await expect(other.restoreState(state)).rejects.toMatchObject({ code: "shape-mismatch" });
    }
  });
});
