import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import { trainedPolicy } from "../src/compare/plan.ts";
import { trainPolicy } from "../src/compare/policies.ts";
import { resolveConfig } from "../src/config.ts";
import { diagnoseRun } from "../src/report/diagnostics.ts";
import { type RunSource, readSource } from "../src/report/sources.ts";
import { loadCheckpoint } from "../src/run/checkpoint.ts";
import { readMetrics } from "../src/run/metrics-log.ts";
import { runTraining, type TrainingRunOptions } from "../src/training-run.ts";
import { createSignals } from "../src/work/signals.ts";
import { magicMask, recordOf, runFolderIn, temporaryFolder } from "./command-line.ts";

const SMALL = [
  "environment.id=tictactoe_v0",
  "workers=0",
  "training.copies=16",
  "training.rolloutTicks=16",
  "training.minibatch=64",
  "training.totalSteps=2000",
  "evaluation.probeEpisodes=0",
  "posthoc.steps=0",
];
/** The first of eight iterations is taken at the start's rate, each that follows at one that nothing outlives. */
const EXPLODES = ["training.learningRate.start=0.001", "training.learningRate.end=1e37", "checkpointSeconds=0"];

/** What a run says and comes to, in this process. */
async function run(options: TrainingRunOptions) {
  const said = jest.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const error = await runTraining(options).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    return { error, stderr: said.mock.calls.join("") };
  } finally {
    said.mockRestore();
  }
}
const fresh = (out: string, ...overrides: string[]) =>
  run({ config: resolveConfig({ overrides: [...SMALL, ...overrides] }), out });

/** Does as the error says: changes the learning rate in the run's record. */
function mend(path: string) {
  const record = recordOf(path);
  const training = { ...record.config.training, learningRate: { start: 0.001, end: 0 } };
  writeFileSync(join(path, "run.json"), JSON.stringify({ ...record, config: { ...record.config, training } }));
}

describe("a run whose learning rate explodes", () => {
  it("stops, names its last good checkpoint, and can go on from it once the rate is mended", async () => {
    const out = temporaryFolder();
    const { error } = await fresh(out, ...EXPLODES);
    const path = runFolderIn(out);
    expect(error).toMatchObject({
      code: "diverged",
      message: expect.stringContaining("[trainer/divergence] training has diverged after 256 steps: "),
    });
    expect(error?.message).toContain(`that of step 256, in ${path}/checkpoints/step_256`);
    const record = recordOf(path);
    expect(record).toMatchObject({ state: "failed", steps: 256, warnings: [{ what: "training has stopped" }] });
    expect((await loadCheckpoint(path)).step).toBe(256);
    const told = diagnoseRun(readSource(path) as RunSource).find(({ what }) => what === "training has stopped");
    expect(told?.state).toBe("warning");
    // As it is, it comes to the same end, and keeps what it has.
    const again = await magicMask("train", "--resume", path);
    expect([again.code, recordOf(path).steps, recordOf(path).warnings.length]).toEqual([1, 256, 1]);
    expect(again.stderr).toContain("error diverged: ");

    mend(path);
    expect((await run({ resume: path })).error).toBeUndefined();
    expect(recordOf(path)).toMatchObject({ state: "finished", steps: 2048, warnings: [] });
  });

  it("fails as a trial's policy does, with the same words", async () => {
    const source = trainedPolicy(resolveConfig({ overrides: [...SMALL, ...EXPLODES] }), "fused");
    const cache = temporaryFolder();
    const folder = join(cache, "policies", source.address);
    await expect(trainPolicy(source, cache, createSignals())).rejects.toMatchObject({
      code: "diverged",
      message: expect.stringMatching(/after 256 steps.*its last good checkpoint is in \S+/s),
    });
    expect((await loadCheckpoint(folder)).step).toBe(256);
  });
});

describe("a run that never had a good update", () => {
  it.each([
    ["no longer finite", ["training.learningRate.start=1e30"], "after 0 steps: "],
    // It earns what chance leaves it, and its entropy has no time to be low for long.
    [
      "absurd",
      ["training.learningRate.start=1e6", "training.maxGradNorm=1e9"],
      /after 256 steps: approx_kl of policy 0 is \S+ nats in one update/,
    ],
  ])(
    "stops where its first is %s, keeps what was there before, and comes from it to what a run with a mended rate comes to",
    async (_, overrides, why) => {
      const [out, sane] = [temporaryFolder(), temporaryFolder()];
      const { error } = await fresh(out, ...overrides);
      const path = runFolderIn(out);
      expect(error).toMatchObject({ code: "diverged", message: expect.stringMatching(why) });
      expect(error?.message).toContain(
        `that of step 0, before the first update, in ${path}/checkpoints/step_0; change`,
      );
      expect(recordOf(path)).toMatchObject({ state: "failed", steps: 0, warnings: [{ what: "training has stopped" }] });
      mend(path);
      expect((await run({ resume: path })).error).toBeUndefined();
      expect((await fresh(sane, "training.learningRate.start=0.001")).error).toBeUndefined();
      const whole = recordOf(runFolderIn(sane));
      expect(recordOf(path)).toMatchObject({ state: "finished", steps: 2048, warnings: [] });
      expect(recordOf(path).trajectoryHash).toBe(whole.trajectoryHash);
    },
  );
});

describe("a run whose updates go too far", () => {
  it("warns once: on the terminal, in its record, its metrics and TensorBoard, and in the report", async () => {
    const out = temporaryFolder();
    const { error, stderr } = await fresh(out, "training.learningRate.start=1");
    expect(error).toBeUndefined();
    const path = runFolderIn(out);
    expect(stderr.match(/warning at step \d+: kl\/update/g)).toHaveLength(1);
    expect(recordOf(path).warnings).toMatchObject([{ steps: 256, limit: "above 0.15 nats" }]);
    const rows = readMetrics(join(path, "metrics.jsonl"));
    expect(rows.filter((row) => (row["kl/update"] as number) > 0.15).length).toBeGreaterThan(1);
    expect(rows.map(({ warnings }) => typeof warnings)).toEqual(["string", ...rows.slice(1).map(() => "undefined")]);
    const events = readdirSync(path).find((name) => name.startsWith("events.")) as string;
    const text = readFileSync(join(path, events), "latin1");
    expect(text.split("diagnostics/warning")).toHaveLength(2);
    expect(text).toContain("updates are unstable");
    const [warning] = diagnoseRun(readSource(path) as RunSource).filter(({ state }) => state === "warning");
    expect(warning).toMatchObject({ what: "kl/update, largest", limit: "above 0.15 nats" });
  });
});
