import { describe, expect, it } from "@jest/globals";
import { assembleTeam, assembleWorld, policyWork } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import { assembleChannel } from "./channel.ts";
import { resolveConfig } from "./config.ts";
import { assemblePostHoc, explainPostHoc } from "./posthoc.ts";

const channelOf = (...overrides: string[]) =>
  assembleChannel(resolveConfig({ overrides: overrides.map((each) => `sharing.channel.${each}`) }), 4, 16, 1);

const PLANTED = ["environment.id=planted_v0", "environment.options={agents: 3, ticks: 12, keys: 2}"];

/** A team of three on the planted world, or that of another, explained from a little play. */
async function explain(...overrides: string[]) {
  const config = resolveConfig({
    overrides: [
      ...(overrides.some((each) => each.startsWith("environment.id=")) ? [] : PLANTED),
      "backend=fused",
      "workers=0",
      "training.copies=8",
      "posthoc.steps=1200",
      "posthoc.epochs=1",
      "posthoc.headSteps=1",
      "posthoc.probability=.5",
      "evaluation.paperSeeds=2",
      "sharing.every=10",
      ...overrides,
    ],
  });
  const world = assembleWorld(config);
  const backend = await loadBackend(config, policyWork(config, world));
  const postHoc = assemblePostHoc(config, world, backend.create);
  const first = postHoc.explanation.memory.heads.map(({ learner }) => learner.exportState().parameters);
  await explainPostHoc(config, world, assembleTeam(config, world, backend.create), postHoc, backend);
  return { shared: postHoc.explanation.memory, unshared: postHoc.unshared, first };
}

describe("the channel of a configuration", () => {
  it("is ideal by default, and has each fault that is asked for", () => {
    const plain = channelOf();
    plain.send(0, 3, new Uint8Array(1000), 5);
    expect(plain.receive(3, 5)).toHaveLength(1);
    expect(Object.keys(plain.statistics.dropped)).toEqual(["inbox"]);
    const all = channelOf("loss=.1", "delay=5", "reorder=.1", "duplicate=.1", "bandwidth=100", "partition.end=9");
    expect(Object.keys(all.statistics.dropped).sort()).toEqual(
      ["bandwidth", "delay", "duplicate", "inbox", "loss", "partition", "reorder"].sort(),
    );
  });

  it("counts bandwidth by environment steps, and cuts a team in halves", () => {
    // 100 bytes per 1,000 steps are 1,600 per 1,000 ticks of 16 copies: 800 bytes have come in after 500 ticks.
    const narrow = channelOf("bandwidth=100");
    for (let i = 0; i < 2; i++) narrow.send(0, 1, new Uint8Array(800), 0);
    expect([499, 500, 999, 1000].map((tick) => narrow.receive(1, tick).length)).toEqual([0, 1, 0, 1]);
    const cut = channelOf("partition.start=10", "partition.end=20");
    for (const [from, to] of [
      [0, 1],
      [0, 2],
      [3, 2],
    ])
      cut.send(from, to, new Uint8Array(1), 15);
    expect([1, 2].map((to) => cut.receive(to, 15).map(({ from }) => from))).toEqual([[0], [3]]);
    expect(() => channelOf("partition.end=20", "partition.groups=[[0],[7]]")).toThrow("agents 0 … 3");
  });
});

describe("memory", () => {
  it("lets records leave post hoc as they were made: what is late is not there", async () => {
    // 1,200 steps of 8 copies are 150 ticks: 15 broadcasts of 10 ticks, of which the last 5 are too late.
    const [ideal, late, never] = await Promise.all(
      [0, 50, 500].map((ticks) => explain(`sharing.channel.delay=${ticks}`)),
    );
    const received = ({ shared }: typeof ideal) => shared.sharing.counters.received.reduce((sum, count) => sum + count);
    expect(received(never)).toBe(0);
    expect(received(late) / received(ideal)).toBeGreaterThan(0.55);
    expect(received(late) / received(ideal)).toBeLessThan(0.8);
  });

  it("tells features in longer records, in both arms", async () => {
    const { shared, unshared } = await explain("sharing.mode=features");
    const [mine] = shared.heads;
    expect(shared.sharing.counters.received.every((count) => count > 0)).toBe(true);
    expect(unshared.sharing.counters.received.every((count) => count === 0)).toBe(true);
    expect(unshared.heads[0].learner.spec.inputs).toBe(mine.learner.spec.inputs);
    const plain = await explain("sharing.mode=perturbed");
    expect(mine.learner.spec.inputs).toBeGreaterThan(plain.shared.heads[0].learner.spec.inputs);
    expect(shared.channel.statistics.bytes[0]).toBeGreaterThan(plain.shared.channel.statistics.bytes[0]);
    expect(shared.sharing.counters.shared).toEqual(plain.shared.sharing.counters.shared);
  });

  it("lets records of another role count as much as is asked", async () => {
    /** Of what one predator trained on: what the prey told, over what came of predators. */
    const [none, half, all] = await Promise.all(
      [0, 0.5, 1].map(async (weight) => {
        const { used } = (
          await explain("environment.id=simple_tag_v0", `sharing.otherRole=${weight}`, "posthoc.steps=400")
        ).shared;
        return used[3] / (used[0] + used[1] + used[2]);
      }),
    );
    expect(none).toBe(0);
    expect(all).toBeGreaterThan(0.1);
    expect(half).toBeCloseTo(all / 2, 9);
  });

  it("averages heads that began as one, and shares no record", async () => {
    const { shared, first } = await explain("sharing.mode=model", "posthoc.headSteps=120");
    expect(first[1]).toEqual(first[0]);
    expect(Array.from(shared.sharing.counters.received)).toEqual([0, 0, 0]);
    // 120 steps in three rounds of 40: heads are averaged before, and after the first two, with two peers each.
    expect(Array.from(shared.sharing.counters.averaged)).toEqual([0, 3, 3, 3, 0, 3, 3, 3, 0]);
    // A round apart, of 40 steps.
    expect(shared.heads[1].learner.exportState().parameters).not.toEqual(
      shared.heads[0].learner.exportState().parameters,
    );
    const bytes = 20 + 4 * first[0].length;
    expect(Array.from(shared.channel.statistics.bytes)).toEqual(new Array(3).fill(3 * 2 * bytes));
  });
});
