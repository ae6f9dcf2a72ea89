import { describe, expect, it } from "@jest/globals";
import { interquartileMeanInterval, probabilityOfImprovement, tInterval } from "@magic-mask/metrics";
import type { Scores } from "../study/study.ts";
import { diagnosePool } from "./diagnostics.ts";
import { bestOf, blocksOf, poolOf } from "./pool.ts";

const origin = { command: "magic-mask study x", seeds: "seeds 1", commit: null, digest: "d" };

/** Two worlds; arm `perturbed` is above `none` by .1 in each seed, give or take a little. */
const scores = (seeds: number): Scores => ({
  metrics: [{ name: "fidelity", title: "fidelity", oneScale: true }],
  runs: ["w1", "w2"].flatMap((environment, world) =>
    ["none", "perturbed"].flatMap((arm) =>
      Array.from({ length: seeds }, (_, seed) => ({
        environment,
        arm,
        seed: seed + 1,
        steps: 1000,
        values: { fidelity: 0.5 + 0.2 * world + 0.01 * seed + (arm === "perturbed" ? 0.1 + 0.001 * (seed % 2) : 0) },
      })),
    ),
  ),
});

describe("bestOf", () => {
  it("is above every other row, pair by pair, or nobody", () => {
    // Differences 1, 1.1, .9 of the second from the first: 1 ± 4.30·.1/√3 = ±.25. From the third .1, −.1, 0: spans zero.
    const rows = [
      [1, 2, 3],
      [2, 3.1, 3.9],
    ];
    expect(bestOf(rows)).toBe(1);
    expect(bestOf([...rows, [1.9, 3.2, 3.9]])).toBeNull();
    // A row without values takes no part, one that lacks some might be above all; alone, nobody is best.
    expect(bestOf([...rows, [null, null, null]])).toBe(1);
    expect(bestOf([...rows, [9, null, 9]])).toBeNull();
    expect(bestOf([rows[1]])).toBeNull();
  });
});

describe("blocksOf", () => {
  it("puts arms beside each other, the best standing out, and says where there are too few runs for more", () => {
    const [table, , words] = blocksOf(poolOf("study", scores(3)), origin);
    expect(table).toMatchObject({
      title: "study, w1: arms beside each other, 1.00k steps",
      body: [
        ["none", tInterval([0.5, 0.51, 0.52])],
        ["perturbed", tInterval([0.6, 0.611, 0.62])],
      ],
      best: [[1, 1]],
    });
    expect(words).toMatchObject({ kind: "words" });
    expect(JSON.stringify(words)).toContain("the most that an arm has in all worlds is 6");
  });

  it("has statistics over worlds × seeds from ten runs on", () => {
    const pool = poolOf("study", scores(5));
    const [, , table, picture] = blocksOf(pool, origin);
    const of = (arm: string) =>
      pool.environments.map((world) => pool.valuesOf("fidelity", world, arm, 1000)) as number[][];
    expect(table).toMatchObject({
      header: ["arm", "runs", "interquartile mean", "P(> none)", "P(> perturbed)"],
      body: [
        ["none", 10, interquartileMeanInterval(of("none"), { seed: 1 }), "", expect.anything()],
        ["perturbed", 10, expect.anything(), probabilityOfImprovement(of("perturbed"), of("none"), { seed: 1 }), ""],
      ],
    });
    const { metrics, runs } = scores(5);
    const failed = { ...runs[0], arm: "late", values: { fidelity: null } };
    const [, , noted] = blocksOf(poolOf("study", { metrics, runs: [...runs, failed] }), origin);
    expect(noted).toMatchObject({ note: expect.stringContaining("Without late: unknown in some run") });
    expect(table).toMatchObject({ note: expect.not.stringContaining("Without") });
    // In each world every run of the one is above every run of the other.
    expect(probabilityOfImprovement(of("perturbed"), of("none"), { seed: 1 }).estimate).toBe(1);
    expect(picture).toMatchObject({ kind: "picture", name: "study-fidelity-profile.svg" });
  });
});

describe("diagnosePool", () => {
  it("warns of low fidelity, and of sharing that does nothing, in arms that share", () => {
    const { metrics, runs } = scores(3);
    const warnings = (of: Scores) =>
      diagnosePool(poolOf("s", of))
        .filter(({ state }) => state === "warning")
        .map(({ where, what }) => [where, what]);
    // w1: .61 is below .70; gains are .1/.51 and .1/.71, above 5 %.
    expect(warnings({ metrics, runs })).toEqual([["s, w1, perturbed", "inter-agent fidelity with sharing"]]);
    const alike = runs.map((run) => (run.arm === "none" ? run : { ...run, values: { fidelity: 0.71 } }));
    // w2: .71 against .71.
    expect(warnings({ metrics, runs: alike })).toEqual([["s, w2, perturbed", "gain of fidelity by sharing, relative"]]);
  });
});
