import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { studies } from "../src/study/registry.ts";
import { magicMask, temporaryFolder } from "./command-line.ts";

/** Studies from the command line, at sizes of seconds: all but `communication`, which the README's test runs. */
const LITTLE = [
  "training.totalSteps=512",
  "posthoc.epochs=1",
  "posthoc.headSteps=10",
  "posthoc.ensemble=3",
  "evaluation.states=20",
  "evaluation.pilotRollouts=2",
  "evaluation.rollouts=2",
  "evaluation.batches=1",
  "evaluation.episodes=8",
  "evaluation.dropEpisodes=8",
];
const SEEDS = "--axis=seed=1,2";
/** What is made small of each; where it names no world, it is tried in a planted one. */
const small: Readonly<Record<string, readonly string[]>> = {
  main: ["--axis=method=advantage+comm,entropy"],
  threshold: ["--axis=objective=advantage,paper", "--axis=threshold=0.5"],
  components: ["--axis=variant=default,single_net"],
  channel: ["--axis=channel=none,loss_0.5"],
  teams: ["--axis=peers=none,one_poison"],
  steering: [],
  scale: ["--axis=environment=pong_walls_v0@2", "--axis=mode=none,perturbed"],
  sanity: [],
  transfer: ["--axis=environment=connect_four_v0:6x7>5x6", "training.copies=16"],
  perturbation: ["--axis=perturbation=uniform,adversary"],
  control: ["--axis=environment=pendulum_v1", "--axis=explainer=advantage,random"],
  retrain: ["--axis=starts=none,critical"],
};
const folder = temporaryFolder();

describe("a study from the command line", () => {
  it("leaves none out", () => {
    expect([...Object.keys(small), "communication"].sort()).toEqual(Object.keys(studies).sort());
  });

  it.each(Object.entries(small))("%s ends with every trial made and a report", async (id, given) => {
    const world = given.some((flag) => flag.startsWith("--axis=environment=")) ? [] : ["--axis=environment=planted_v0"];
    const kept = [`--cache=${join(folder, "cache")}`, `--out=${join(folder, id)}`, "--workers=1"];
    const { code, stdout, stderr } = await magicMask(
      "study",
      id,
      ...["--quick", "--json", "--axis=budget=300", SEEDS, ...world, ...kept, ...given, ...LITTLE],
    );
    expect([code, stderr.split("\n").filter((line) => line.startsWith("error"))]).toEqual([0, []]);
    const { trials, failures, digest, report } = JSON.parse(stdout);
    expect(failures).toEqual([]);
    expect(trials.length).toBeGreaterThanOrEqual(2);
    expect(digest).toMatch(/^[0-9a-f]{32}$/);
    expect(report.tables.length).toBeGreaterThan(0);
    // A table of claims stands where there are any.
    const page = readFileSync(join(folder, id, "README.md"), "utf8");
    expect(page.includes("comparison by comparison")).toBe(report.judgements.length > 0);
    expect(page.includes("| verdict |")).toBe(report.judgements.length > 0);
  });
});
