import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { magicMask, temporaryFolder } from "./command-line.ts";

/** Studies that no other test runs, from the command line, at sizes of seconds. */
const LITTLE = [
  "training.totalSteps=512",
  "posthoc.epochs=1",
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
  threshold: ["--axis=objective=advantage,paper", "--axis=threshold=0.5"],
  components: ["--axis=variant=default,single_net"],
  scale: ["--axis=environment=pong_walls_v0@2", "--axis=mode=none,perturbed"],
  sanity: [],
  control: ["--axis=environment=pendulum_v1", "--axis=explainer=advantage,random"],
};
const folder = temporaryFolder();

describe("a study from the command line", () => {
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
  });
});
