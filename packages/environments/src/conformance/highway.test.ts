import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { replayFixture } from "../conformance.ts";
import { createRoad, META, PEDALS } from "../highway/road.ts";
import { spawn } from "../highway/spawn.ts";
import { numpyGenerator } from "./numpy.ts";

const read = (name: string) =>
  JSON.parse(
    gunzipSync(readFileSync(fileURLToPath(new URL(`../../fixtures/${name}.json.gz`, import.meta.url)))).toString(),
  );
const scenes = read("highway_1");
const heaps = read("highway_heaps");
const units = read("highway_units");
const starts = read("highway_spawn");

const replayed = (file: unknown) => {
  const { passed, failed, failures } = replayFixture(file);
  return { passed, failed, failures };
};
const all = (passed: number) => ({ passed, failed: 0, failures: [] });

describe("replayFixture", () => {
  it("replays every recorded scene of Highway", () => {
    expect(replayed(scenes)).toEqual(all(33));
  });

  it("replays heaps of cars: overlapping, crashed, backwards, off the road, at its ends, in one to six lanes", () => {
    expect(replayed(heaps)).toEqual(all(10));
  });

  it("replays every recorded situation of Highway", () => {
    expect(replayed(units)).toEqual(all(700 + 700 + 700 + 350));
  });

  it("replays every recorded start of Highway from NumPy's draws", () => {
    expect(replayed(starts)).toEqual(all(150));
  });

  it("starts the recorded scenes from their seeds, to the last digit but one", () => {
    // The first scenes with lanes and kinds of agents each; those without a seed were set by hand.
    for (const { env, config, init, controlled, lanes, resetSeed } of scenes.episodes) {
      if (resetSeed === null) continue;
      const fast = env === "highway-fast-v0";
      const road = createRoad(init.length, lanes, [20, 25, 30]);
      const traffic = {
        agents: controlled.length,
        others: config.vehicles_count,
        kind: init[controlled[0]].type === "Vehicle" ? PEDALS : META,
        agentSpacing: fast ? 1.5 : 2,
        otherSpacing: 1 / (config.vehicles_density ?? 1),
        checkOthers: !fast,
      };
      spawn(road, traffic, numpyGenerator(resetSeed));
      for (const [car, recorded] of init.entries()) {
        expect([road.x[car], road.y[car], road.speed[car], road.delta[car], road.timer[car], road.checks[car]]).toEqual(
          [
            ...[recorded.x, recorded.y, recorded.speed, recorded.delta ?? 0].map((value) => expect.closeTo(value, 10)),
            expect.closeTo(recorded.timer ?? 0, 9),
            Number(recorded.checkCollisions),
          ],
        );
      }
    }
  });

  it("notices a change in any column of a scene, at the start and at the end", () => {
    const named = (name: string) => scenes.episodes.find((scene: { name: string }) => scene.name === name);
    const flip = (text: string) => (text[0] === "1" ? "0" : "1") + text.slice(1);
    type Step = (typeof scenes.episodes)[number]["steps"][number];
    const changes: Record<string, (step: Step) => void> = {
      a: (step) => {
        step.a[0] = typeof step.a[0] === "number" ? (step.a[0] + 3) % 5 : step.a[0].map((x: number) => -x - 0.1);
      },
      s: ({ sub }) => {
        sub.at(-1).s[2] += 2e-9;
      },
      u: ({ sub }) => {
        sub[0].u[1] += 1e-6;
      },
      l: ({ sub }) => {
        sub[0].l = flip(sub[0].l);
      },
      t: ({ sub }) => {
        sub[0].t = flip(sub[0].t);
      },
      c: ({ sub }) => {
        sub.at(-1).c = flip(sub.at(-1).c);
      },
      i: ({ sub }) => {
        sub[0].i = sub[0].i ? undefined : { 0: [0, 0] };
      },
      "number of substeps": ({ sub }) => sub.pop(),
      timers: ({ timers }) => {
        timers[0] += 1e-8;
      },
      r: (step) => {
        step.r += 1e-8;
      },
      reward: ({ agents }) => {
        agents.at(-1)[0] += 1e-8;
      },
      terms: ({ agents }) => {
        agents.at(-1)[1].on_road_reward = 1 - agents.at(-1)[1].on_road_reward;
      },
      te: (step) => {
        step.te = 1 - step.te;
      },
      tr: (step) => {
        step.tr = 1 - step.tr;
      },
      o: ({ o }) => {
        o.at(-1)[4] += 1e-6;
      },
    };
    const metaChanges: typeof changes = {
      avail: ({ avail }) => avail[0].reverse(),
      speedIndex: ({ speedIndex }) => {
        speedIndex[0] = 3;
      },
      tv: ({ tv }) => {
        tv[0] += 1;
      },
    };
    for (const [name, columns] of [
      ["side-swipe", { ...changes, ...metaChanges }],
      ["continuous-offroad", changes],
    ] as const) {
      const scene = named(name);
      expect(replayed({ ...scenes, episodes: [scene] })).toEqual(all(1));
      for (const [column, change] of Object.entries(columns)) {
        for (const t of [0, scene.steps.length - 1]) {
          const changed = structuredClone(scene);
          change(changed.steps[t]);
          const { failed, failures } = replayFixture({ ...scenes, episodes: [changed] });
          expect([name, column, failed, failures[0]]).toEqual([
            name,
            column,
            1,
            expect.stringContaining(`step ${t}, `),
          ]);
        }
      }
      for (const column of ["x", "y", "heading", "speed", "lane"]) {
        const changed = structuredClone(scene);
        changed.init[1][column] += 1e-3;
        expect([column, replayFixture({ ...scenes, episodes: [changed] }).failed]).toEqual([column, 1]);
      }
    }
    const scene = named("side-swipe");
    const odd = [null, {}, { ...scene, steps: [] }, { ...scene, controlled: [0] }, { ...scene, o0: [scene.o0[0]] }];
    expect(replayFixture({ ...scenes, episodes: odd })).toMatchObject({ passed: 0, failed: 5 });
  });

  it("notices a change in any column of a situation", () => {
    const changed = (kind: string, index: number, row: unknown[]) => {
      const value = row[index];
      const other = Array.isArray(value)
        ? value.map((x) => (typeof x === "number" ? x + 1e-3 : x))
        : typeof value === "number"
          ? value + (Number.isInteger(value) ? 1 : 0.1)
          : Object.fromEntries(Object.keys(value as object).map((key) => [key, [2, -1, -1]]));
      return { header: units.header, [kind]: [row.with(index, other)] };
    };
    const collision = units.collision.find((row: unknown[]) => row[3] === 0 && row[4] === 0 && row[5] === 1);
    for (const [kind, row, columns] of [
      ["collision", collision, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ["steering", units.steering[0], [0, 1, 2]],
      ["idm", units.idm[0], [0, 1, 2, 3, 4]],
      ["mobil", units.mobil[0], [1, 2, 3, 4]],
    ] as const) {
      for (const column of columns) {
        expect([kind, column, replayFixture(changed(kind, column, row)).failed]).toEqual([kind, column, 1]);
      }
    }
  });

  it("notices a change in any column of a start, and another seed", () => {
    for (const column of [0, 1, 2, 3]) {
      const resets = structuredClone(starts.resets.slice(0, 2));
      resets[1].at(-1)[column] += column === 1 ? 1 : 2e-4;
      expect(replayFixture({ ...starts, resets })).toMatchObject({ passed: 1, failed: 1 });
    }
    const header = { ...starts.header, seed: starts.header.seed + 1 };
    expect(replayFixture({ ...starts, header })).toMatchObject({ passed: 0, failed: 150 });
  });
});
