import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { planStudy } from "../src/study/plan.ts";
import { loadStudy } from "../src/study/registry.ts";
import { runStudy, type StudyOutcome } from "../src/study/run-study.ts";
import { formatStatus, readStatus } from "../src/study/status.ts";
import { start, temporaryFolder } from "./command-line.ts";
import { tinyStudy as study } from "./tiny-study.ts";

const inFolder = (folder: string, more: object = {}): Promise<StudyOutcome> =>
  runStudy({
    study: study(folder),
    size: "quick",
    workers: 1,
    cache: join(folder, "cache"),
    out: join(folder, "out"),
    command: "magic-mask study tiny.mjs",
    ...more,
  });
const trialsIn = (folder: string) => {
  const trials = join(folder, "cache", "trials");
  return existsSync(trials) ? readdirSync(trials).filter((name) => name.endsWith(".json")) : [];
};

describe("magic-mask study", () => {
  const whole = temporaryFolder();
  const straight = inFolder(whole, { workers: 2 });

  it("says what it found, what the paper says, and what it took", async () => {
    const { results, out, cost, exitCode } = await straight;
    expect([exitCode, results?.trials.length, results?.failures]).toEqual([0, 8, []]);
    // Ten of budget 10 and twenty of 20 in two arms, for two seeds; it was all ahead.
    expect(cost.high).toBeGreaterThanOrEqual(cost.low);
    expect([cost.low > 0, cost.spentHigh, cost.workers]).toEqual([true, 0, 2]);
    // A second for what is shared, in each of 4 groups, and one for each of 8 trials.
    expect(results?.ledger).toMatchObject({ learning: 12, judging: 8 });
    expect(readdirSync(out).sort()).toEqual([
      "README.md",
      "a.svg",
      "moments.json",
      "report.html",
      "status.json",
      "study.json",
    ]);
    const text = readFileSync(join(out, "README.md"), "utf8");
    expect(text).toContain(
      "| here | ratio | twice | 2 [2, 2] | not comparable | made at small sizes, to try it; arithmetic |",
    );
    const status = readStatus(out);
    expect(status).toMatchObject({ state: "finished", share: 1, trials: { done: 8, total: 8 }, failures: [] });
    expect(formatStatus(status)).toContain("policies 2/2  truths 4/4  trials 8/8");
  });

  it("comes to the same after being killed, with one process, and when tasks fail or die at first", async () => {
    const folder = temporaryFolder();
    const args = [`--cache=${join(folder, "cache")}`, `--out=${join(folder, "out")}`, "--workers=1"];
    const { child, ended } = start("study", study(folder), "--axis=arm=1", ...args);
    while (trialsIn(folder).length === 0 && child.exitCode === null) await setTimeout(5);
    child.kill("SIGKILL");
    await ended;
    const before = trialsIn(folder).map((name) => [name, readFileSync(join(folder, "cache", "trials", name), "utf8")]);
    expect(before.length).toBeGreaterThan(0);
    expect(readStatus(join(folder, "out"))).toMatchObject({ state: "stopped" });

    const { results, exitCode } = await inFolder(folder, { axes: { arm: ["1", "2", "flaky", "dies"] } });
    expect([exitCode, results?.failures]).toEqual([0, []]);
    for (const [name, text] of before) {
      expect(readFileSync(join(folder, "cache", "trials", name), "utf8")).toBe(text);
    }
    const first = (await straight).results;
    const figures = (of: typeof first) =>
      of?.trials.filter(({ at }) => Number(at.arm) > 0).map(({ at, address, figures: value }) => [at, address, value]);
    expect(figures(results)).toEqual(figures(first));
    const values = first?.trials.map((trial) => (trial.figures as { mean: number }).mean) ?? [];
    expect(values.map((value, i) => (i % 2 ? value / values[i - 1] : 2))).toEqual(values.map(() => 2));
  });

  it("reports what fails for good and keeps the rest; the next run tries it again", async () => {
    await straight;
    const out = join(temporaryFolder(), "out");
    const { results, exitCode } = await inFolder(whole, { axes: { budget: [10], arm: ["1", "broken"] }, out });
    expect([exitCode, results?.trials.map(({ at }) => at.arm)]).toEqual([1, ["1", "1"]]);
    expect(results?.failures).toEqual(
      [1, 2].map((seed) => ({
        what: `trials of planted_v0, seed ${seed}: 10 broken`,
        tries: 2,
        error: "broken as asked",
      })),
    );
    const text = readFileSync(join(out, "README.md"), "utf8");
    const alike = "trials of planted_v0, seed 1: 10 broken and 1 more like it: failed 2 times: broken as asked";
    expect(text).toContain(alike);
    expect(formatStatus(readStatus(out))).toContain(`failures: 2\n  ${alike}`);
    expect(text).toContain("- 2 of 4 trials are missing, as they failed: intervals and verdicts are over the seeds");
    expect(results?.report.judgements.every(({ why }) => why.endsWith("some trials of the study are missing"))).toBe(
      true,
    );
    expect(readStatus(out)).toMatchObject({ state: "failed", trials: { done: 2, total: 4 } });
  });

  it("names results by all that they depend on", async () => {
    const tiny = await loadStudy(study(temporaryFolder()));
    const named = async (changes: object = {}, of = tiny) => {
      const { worlds } = await planStudy(of, { size: "quick", states: "test", ...changes });
      return worlds.flatMap(({ groups }) => groups.flatMap(({ trials }) => trials.map(({ address }) => address)));
    };
    const all = await named();
    expect(new Set(all).size).toBe(8);
    for (const changes of [
      { overrides: ["training.totalSteps=3000"] },
      { overrides: ["evaluation.states=21"] },
      { overrides: ["posthoc.epochs=7"] },
      { states: "dev" },
    ]) {
      expect((await named(changes)).filter((address) => all.includes(address))).toEqual([]);
    }
    expect((await named({}, { ...tiny, version: 2 })).filter((address) => all.includes(address))).toEqual([]);
    // Fewer values of an axis are some of the same trials.
    const some = await named({ axes: { arm: ["2"], seed: [2, 1] } });
    expect([some.length, some.every((address) => all.includes(address))]).toEqual([4, true]);
  });

  it("refuses what it cannot do before it begins, and arms with unequal budgets", async () => {
    const folder = temporaryFolder();
    const refused = (more: object) => inFolder(folder, more);
    await expect(refused({ axes: { mode: ["none"] } })).rejects.toThrow(
      'tiny has no axis "mode"; it has: environment, seed, budget, arm',
    );
    await expect(refused({ axes: { budget: ["ten"] } })).rejects.toThrow(
      "budget takes whole numbers from 1 on such as 10,20",
    );
    await expect(refused({ axes: { seed: [1, 1] } })).rejects.toThrow("seed names 1 twice");
    await expect(refused({ axes: { seed: [1] } })).rejects.toThrow("at least 2");
    await expect(refused({ study: "comunication" })).rejects.toThrow('there is no study "comunication"');
    await expect(refused({ study: join(folder, "none.mjs") })).rejects.toThrow("there is no file");
    await expect(refused({ workers: 0 })).rejects.toThrow("--workers must be a whole number in [1, 256], got 0");
    expect(readdirSync(folder)).toEqual(["tiny.mjs"]);
    await straight;
    const of = (arm: string) => ({ axes: { budget: [10], arm: ["1", arm] }, out: join(folder, arm) });
    const unequal = (seed: number, arm: string) =>
      `[trainer/study] arms must have equal budgets: planted_v0 ${seed} 10 1 learned from 10 steps, planted_v0 ${seed} 10 ${arm} learned from 11 steps`;
    const before = trialsIn(whole);
    await expect(inFolder(whole, of("greedy"))).rejects.toThrow(unequal(1, "greedy"));
    expect(trialsIn(whole)).toEqual(before);
    const sly = of("sly");
    const { exitCode, results } = await inFolder(whole, sly);
    expect([exitCode, results?.trials.map(({ at }) => `${at.seed} ${at.arm}`)]).toEqual([1, ["1 1", "1 sly", "2 1"]]);
    expect(results?.failures).toEqual([
      { what: "trials of planted_v0, seed 2: 10 sly", tries: 2, error: expect.stringContaining(unequal(2, "sly")) },
    ]);
    expect(formatStatus(readStatus(sly.out))).toContain(`failed 2 times: ${unequal(2, "sly")}`);
    expect(() => readStatus(folder)).toThrow("status.json");
  });
});
