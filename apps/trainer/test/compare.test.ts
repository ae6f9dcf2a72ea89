import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import type { Comparison } from "../src/compare/compare.ts";
import { magicMask, start, temporaryFolder } from "./command-line.ts";

/** Seconds: two short-lived policies of the planted world, three explainers. */
const SMALL = [
  "compare",
  "--env-id=planted_v0",
  "--seeds=1,2",
  "--budgets=4000,12000",
  "--explainers=advantage,entropy,random",
  "--json",
  "environment.options.ticks=12",
  "training.totalSteps=20000",
  "training.copies=32",
  "training.minibatch=128",
  "training.learningRate={start: 0.01, end: 0}",
  "posthoc.learningRate={start: 0.01, end: 0.001}",
  "evaluation.states=150",
  "evaluation.rollouts=4",
  "evaluation.dropEpisodes=40",
];

const compared = async (cache: string, ...args: string[]) => {
  const { code, stdout, stderr } = await magicMask(
    ...SMALL,
    `--cache=${cache}`,
    `--out=${join(cache, "out")}`,
    ...args,
  );
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Comparison & { readonly out: string };
};

const cellsIn = (cache: string) => (existsSync(join(cache, "cells")) ? readdirSync(join(cache, "cells")) : []);

describe("magic-mask compare", () => {
  const whole = temporaryFolder();
  const straight = compared(whole, "--workers=2");

  it("puts what was learned above chance where what matters was planted, and shows it", async () => {
    const { out, summary, sentence, truth } = await straight;
    const auroc = (explainer: string, budget: number) =>
      summary.rows.find((row) => row.explainer === explainer && row.budget === budget)?.auroc.interval?.estimate;
    expect(auroc("advantage", 12_000)).toBeGreaterThan((auroc("random", 0) as number) + 0.2);
    expect(sentence).toContain("planted_v0");
    expect(truth.map(({ policy, agent }) => `${policy} ${agent}`)).toEqual([
      "1 agent_0",
      "1 agent_1",
      "2 agent_0",
      "2 agent_1",
    ]);
    expect(readdirSync(out).sort()).toEqual([
      "README.md",
      "auroc-12000.svg",
      "auroc-4000.svg",
      "compare.json",
      "drops.svg",
      "moments.json",
      "report.html",
      "steps.svg",
    ]);
    const text = readFileSync(join(out, "README.md"), "utf8");
    const rows = text.split("\n").filter((line) => /^\| (advantage|random) \| [\d.]+ \[/.test(line));
    expect(rows.map((line) => line.split(" ")[1]).sort()).toEqual(["advantage", "advantage", "random", "random"]);
    for (const name of ["drops.svg", "steps.svg", "auroc-12000.svg"]) {
      expect(readFileSync(join(out, name), "utf8")).toMatch(/^<svg .*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    }
  }, 120_000);

  it("comes to the same when it is killed in the middle and goes on, with any number of threads", async () => {
    const cache = temporaryFolder();
    const uninterrupted = await straight;
    const { child, ended } = start(...SMALL, `--cache=${cache}`, "--workers=1");
    while (cellsIn(cache).length === 0 && child.exitCode === null) await setTimeout(5);
    child.kill("SIGKILL");
    await ended;
    const kept = cellsIn(cache).filter((name) => name.endsWith(".json"));
    expect(kept.length).toBeLessThan(cellsIn(whole).length);
    const before = kept.map((name) => readFileSync(join(cache, "cells", name), "utf8"));

    const resumed = await compared(cache, "--workers=0");
    expect(kept.map((name) => readFileSync(join(cache, "cells", name), "utf8"))).toEqual(before);
    const figures = ({ cells, summary, sentence, digest }: Comparison) =>
      JSON.stringify({ cells, summary, sentence, digest }, (key, value) =>
        /^wall|WallSeconds$|^wallSeconds/.test(key) ? 0 : value,
      );
    expect(figures(resumed)).toBe(figures(uninterrupted));
    // The command that was killed had other flags: it counts as a look of its own.
    expect([uninterrupted.looks, resumed.looks]).toEqual([1, 2]);
    expect(
      cellsIn(cache)
        .filter((name) => name.endsWith(".json"))
        .sort(),
    ).toEqual(cellsIn(whole).sort());
  }, 120_000);

  it("stops at one Ctrl-C and says how to go on", async () => {
    const cache = temporaryFolder();
    const { child, ended } = start(...SMALL, `--cache=${cache}`, "--workers=1", "training.totalSteps=10000000");
    while (!existsSync(cache) || readdirSync(cache).length === 0) await setTimeout(20);
    await setTimeout(1500);
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain("again to go on");
    // The policy is kept where it was.
    expect(readdirSync(join(cache, "policies")).length).toBe(1);
  }, 120_000);

  it("refuses what it cannot compare before it begins", async () => {
    const cache = join(temporaryFolder(), "none");
    const { code, stderr } = await magicMask(
      "compare",
      "--env-id=pendulum_v1",
      "--explainers=log_prob_gap",
      `--cache=${cache}`,
    );
    expect([code, existsSync(cache)]).toEqual([2, false]);
    expect(stderr).toMatch(/^error unknown-name: /m);
  });
});
