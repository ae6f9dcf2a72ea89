import { afterEach, describe, expect, it } from "@jest/globals";
import type { CollectorState, FinishedEpisode } from "./collector.ts";
import { createShardedCollector, type ShardedCollector, type ShardedState, shardWorlds } from "./sharded-collector.ts";
import { candidatesOf } from "./test-rows.ts";
import { openTestShards, type TestTeamOptions, testTeam } from "./test-shards.ts";
import { createWorkerCollector } from "./workers.ts";

const coin = { kind: "coin", probability: 0.3 } as const;
const COPIES = 7;
const SHARDS = 4;

const opened: ShardedCollector[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((collector) => collector.close()));
});

/** A team and its collector: on so many worker threads, or in this one. */
function start(workers: number, options: TestTeamOptions) {
  const { make, learners, ...team } = testTeam(options);
  const module = new URL("./test-shards.ts", import.meta.url).href;
  const collector =
    workers === 0
      ? createShardedCollector({ ...team, vectors: shardWorlds(make, COPIES, SHARDS) })
      : createWorkerCollector({
          ...team,
          description: { module, export: openTestShards.name, options },
          workers,
          spec: make(),
          copies: COPIES,
          shards: SHARDS,
          learners,
        });
  opened.push(collector);
  return { collector, learners, opponents: team.opponents };
}

type Team = ReturnType<typeof start>;

interface Played {
  /** [L] the columns as far as rows are in use. */
  readonly rollouts: readonly Record<string, number[]>[];
  readonly episodes: readonly FinishedEpisode[];
  readonly hash: string;
  readonly states: readonly CollectorState[];
}

/** Plays in turns of these lengths; after each one the learners move, and the pool takes one in. */
async function play({ collector, learners, opponents }: Team, turns: readonly number[], first = 1): Promise<Played[]> {
  const all: Played[] = [];
  for (const [i, ticks] of turns.entries()) {
    const { rollouts, episodes } = await collector.collect(ticks, coin);
    const rows = rollouts.map((rollout) => {
      const inUse = (column: Float32Array) =>
        Array.from(column.subarray(0, (rollout.length * column.length) / rollout.ended.length + 0.5));
      const columns = Object.entries(rollout).filter(([, column]) => ArrayBuffer.isView(column));
      const lists = Array.from({ length: rollout.length }, (_, row) => candidatesOf(rollout, row)).flat();
      return Object.fromEntries([...columns.map(([name, column]) => [name, inUse(column)]), ["candidates", lists]]);
    });
    learners.forEach((learner, k) => {
      const state = learner.exportState();
      learner.restoreState({ ...state, parameters: state.parameters.map((w, j) => w + Math.sin(j + k + first + i)) });
    });
    opponents.update(first + i);
    const { shards } = await collector.exportState();
    all.push({ rollouts: rows, episodes, hash: collector.hash, states: structuredClone(shards) });
  }
  return all;
}

const listed = { players: [0, 1], pool: false, candidates: true };
const pooled = { players: [0, 0, 0], pool: true };

describe("on any number of workers", () => {
  it.each<TestTeamOptions>([pooled, { players: [0, 1, 1], pool: false }, listed])(
    "the same rollouts, episodes, hashes and states (%j)",
    async (options) => {
      // From the third turn of a length on, rollouts are used again.
      const turns = [6, 6, 6, 6, 15, 15, 15, 15, 15];
      const [none, one, three] = await Promise.all([0, 1, 3].map((workers) => play(start(workers, options), turns)));
      expect(none.flatMap(({ episodes }) => episodes).length).toBeGreaterThan(10);
      if (options.pool) {
        const met = none.flatMap(({ episodes }) => episodes).filter(({ learning }) => !learning.every(Boolean));
        expect(met.length).toBeGreaterThan(3);
      }
      expect(one).toEqual(none);
      expect(three).toEqual(none);
    },
  );

  it("a run goes on that was saved on another", async () => {
    const expected = await play(start(0, pooled), [6, 6, 6, 6]);
    for (const [before, after] of [
      [0, 3],
      [3, 1],
      [3, 0],
    ]) {
      const first = start(before, pooled);
      await play(first, [6, 6]);
      const saved: ShardedState = structuredClone(await first.collector.exportState());
      const second = start(after, pooled);
      second.opponents.restoreState(structuredClone(first.opponents.exportState()));
      second.learners.forEach((learner, k) => {
        learner.restoreState(first.learners[k].exportState());
      });
      await second.collector.restoreState(saved);
      expect([second.collector.ticks, second.collector.hash]).toEqual([12, expected[1].hash]);
      expect(await play(second, [6, 6], 3)).toEqual(expected.slice(2));
    }
  });

  it("a collector can be set back, and its opponents with it", async () => {
    for (const workers of [0, 2]) {
      const team = start(workers, pooled);
      await play(team, [6]);
      const kept = [
        team.learners.map((learner) => learner.exportState()),
        team.opponents.exportState(),
        await team.collector.exportState(),
      ] as const;
      const once = await play(team, [9, 9, 9], 2);
      await team.collector.collect(3, coin);
      const [learners, opponents, shards] = structuredClone(kept);
      team.learners.forEach((learner, k) => {
        learner.restoreState(learners[k]);
      });
      team.opponents.restoreState(opponents);
      await team.collector.restoreState(shards);
      expect(await play(team, [9, 9, 9], 2)).toEqual(once);
    }
  });

  it("what a policy has learned reaches the workers, and so does what the pool holds", async () => {
    const [still, moved, met] = [start(1, pooled), start(1, pooled), start(1, pooled)];
    const [state] = moved.learners.map((learner) => learner.exportState());
    moved.learners[0].restoreState({ ...state, parameters: state.parameters.map((w) => w + 1) });
    met.opponents.update(1);
    const teams = [still, moved, met];
    for (const { collector } of teams) await collector.collect(30, coin);
    expect(new Set(teams.map(({ collector }) => collector.hash)).size).toBe(3);
  });
});

describe("trouble in a worker", () => {
  const troubled = (kind: "throws" | "exits" | "mistake", after = 5) =>
    start(2, { ...pooled, fault: { kind, after } }).collector;

  it("arrives with its code, source and message", async () => {
    const here = start(0, { ...pooled, fault: { kind: "throws", after: 5 } }).collector;
    const error = await here.collect(20, coin).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "not-finite", source: "environments/script_v0" });
    const { code, source, message } = error;
    await expect(troubled("throws").collect(20, coin)).rejects.toMatchObject({
      name: "MagicMaskError",
      code,
      source,
      message,
    });
  });

  it("that is somebody's mistake arrives as such", async () => {
    await expect(troubled("mistake").collect(20, coin)).rejects.toThrow("a mistake");
  });

  it("that ends it is an error of the call that waits and of every later one", async () => {
    const collector = troubled("exits");
    await collector.collect(3, coin);
    await expect(collector.collect(20, coin)).rejects.toMatchObject({ code: "worker-lost" });
    await expect(collector.collect(20, coin)).rejects.toMatchObject({ code: "worker-lost" });
    await expect(collector.exportState()).rejects.toMatchObject({ code: "worker-lost" });
  });

  it("is a mask or a steered coin, which belong to the main thread", async () => {
    const mask = { kind: "mask", blind: () => {} } as const;
    const steered = { kind: "coin", probability: 0.1, steer: () => {} } as const;
    const { collector } = start(1, pooled);
    await expect(collector.collect(1, mask)).rejects.toMatchObject({ code: "unsupported" });
    await expect(collector.collect(1, steered)).rejects.toMatchObject({ code: "unsupported" });
  });

  it("is to have none", () => {
    expect(() => start(-1, pooled)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
