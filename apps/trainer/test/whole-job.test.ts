import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { loadRun } from "../src/load-run.ts";
import { loadCheckpoint } from "../src/run/checkpoint.ts";
import { EXPLANATION, type SavedRun } from "../src/training-run.ts";
import { magicMask, recordOf, runFolderIn, SMALL, start, temporaryFolder, until } from "./command-line.ts";

const train = (out: string, ...args: string[]) =>
  magicMask("train", ...SMALL, "--total-timesteps=6000", `--out=${out}`, ...args);

/** The logs without what clock and memory wrote. */
const linesOf = (path: string) =>
  readFileSync(join(path, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => Object.fromEntries(Object.entries(JSON.parse(line)).filter(([tag]) => !CLOCK.test(tag))));
/** Whether the run under `out` has written `file` by now. */
const has = (out: string, file: string) => readdirSync(out).length > 0 && existsSync(join(runFolderIn(out), file));
/** Names of the checkpoints by now, and of the files beside them. */
const checkpointsIn = (out: string) =>
  has(out, "checkpoints") ? readdirSync(join(runFolderIn(out), "checkpoints")) : [];
const CLOCK = /^time\/|^system\/|SPS|share_of_time/;

describe("magic-mask", () => {
  it("trains, evaluates and explains from one command, and prints nothing but JSON when asked to", async () => {
    const out = temporaryFolder();
    const { code, stdout, stderr } = await start("start", ...SMALL, "--total-timesteps=4000", `--out=${out}`, "--json")
      .ended;
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    const { path, record, evaluation, explanation, page } = JSON.parse(stdout);
    expect(path).toBe(runFolderIn(out));
    expect(record).toMatchObject({ state: "finished", environment: "tictactoe_v0", seed: 1 });
    expect(evaluation.ranking.map((row: { explainer: string }) => row.explainer)).toEqual(
      expect.arrayContaining(["advantage_entropy", "random", "entropy", "log_prob_gap", "paper"]),
    );
    const kl = linesOf(path).map((line) => line["kl/update"] as number);
    expect(kl[0]).toBeGreaterThan(0);
    expect(evaluation.kl.update.largest).toBe(Math.max(...kl));
    expect(evaluation.kl.update.last).toBeCloseTo(kl.slice(-20).reduce((a, b) => a + b) / Math.min(20, kl.length), 12);
    // Each agent's training on records is traced to whose they were: its own alone until the first messages come, after 50 ticks.
    const names = ["player_1", "player_2"];
    const uses = linesOf(path).map((line) =>
      names.map((agent) => names.map((peer) => line[`influence/${agent}/${peer}`])),
    );
    expect(uses[0]).toEqual([
      [1, undefined],
      [undefined, 1],
    ]);
    for (const [own, peers] of [uses.at(-1)?.[0], uses.at(-1)?.[1].toReversed()] as number[][]) {
      expect(peers).toBeGreaterThan(0);
      expect(own + peers).toBeCloseTo(1, 9);
    }
    const { postHoc } = await loadRun(path);
    const received = (memory: typeof postHoc.unshared) => [...memory.sharing.counters.received];
    expect(received(postHoc.unshared)).toEqual([0, 0]);
    expect(Math.min(...received(postHoc.explanation.memory))).toBeGreaterThan(0);
    expect(evaluation.fidelity.received).toBe(received(postHoc.explanation.memory).reduce((a, b) => a + b));
    expect(evaluation.bytes.training).toBeGreaterThan(0);
    expect(evaluation.bytes.postHoc).toBeGreaterThan(0);
    expect(explanation).toMatchObject({
      format: "magic-mask/episode",
      version: 2,
      source: { hash: record.trajectoryHash },
    });
    expect(page).toBe(join(path, "report", "game-0.html"));
    expect(readdirSync(join(path, "report")).sort()).toEqual([
      "evaluation.txt",
      "game-0.html",
      "game-0.json",
      "game-0.md",
    ]);
    expect(readdirSync(path).sort()).toEqual(
      expect.arrayContaining([
        "checkpoints",
        "config.yaml",
        "eval",
        "explanation",
        "marl-eval.json",
        "metrics.jsonl",
        "replays",
        "report",
        "run.json",
      ]),
    );
    // Truth once from where it is kept, once made anew on threads: the figures are the same.
    const again = await magicMask("evaluate", path, "--json");
    expect(JSON.parse(again.stdout)).toEqual(evaluation);
    // What is beyond a limit is said on the terminal and in TensorBoard's texts.
    const warned = [...again.stderr.matchAll(/^warning, (.+)$/gm)].map(([, words]) => words);
    expect(warned).not.toEqual([]);
    const events = readFileSync(join(path, "eval/events.out.tfevents.0.evaluation"), "utf8");
    for (const words of warned) expect(events).toContain(words);
    expect(readdirSync(join(path, "truth"))).toHaveLength(2);
    rmSync(join(path, "truth"), { recursive: true });
    const anew = await magicMask("evaluate", path, "--json", "--workers=2");
    expect(JSON.parse(anew.stdout)).toEqual(evaluation);
    // Looks at the development states leave no trace among those at the test states.
    const dev = await magicMask("evaluate", path, "--states=dev");
    expect(dev.stdout).toContain("development states");
    expect(recordOf(path).testLooks.map(({ command }: { command: string }) => command)).toEqual([
      "start",
      "evaluate",
      "evaluate",
    ]);
    expect(JSON.parse(readFileSync(join(path, "eval/table.json"), "utf8"))).toEqual(evaluation);
    const text = await magicMask("explain", path, "--game", "1", "--rollouts", "20");
    expect(text.stdout).toMatch(/The (most critical moment|highest estimate) of held-out game 1: step/);
    expect(text.stdout).toContain(`page: ${join(path, "report", "game-1.html")}`);
  });

  it("plays the same trajectory for the same seed, and another for another", async () => {
    const [a, b, c] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    await Promise.all([train(a), train(b, "checkpointSeconds=0"), train(c, "--seed=2")]);
    const [one, same, other] = [a, b, c].map((out) => recordOf(runFolderIn(out)));
    expect(one.state).toBe("finished");
    expect(same.trajectoryHash).toBe(one.trajectoryHash);
    expect(other.trajectoryHash).not.toBe(one.trajectoryHash);
    expect(linesOf(runFolderIn(b))).toEqual(linesOf(runFolderIn(a)));
  });

  it("comes to the same on any number of workers, killed and resumed on another, too", async () => {
    const [none, two, moved] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    const args = ["opponents.kind=pool", "opponents.every=5"];
    const killed = start(
      "train",
      ...SMALL,
      "--workers=2",
      "--total-timesteps=6000",
      `--out=${moved}`,
      ...args,
      "checkpointSeconds=0",
    );
    await Promise.all([
      train(none, ...args, "--workers=0"),
      train(two, ...args, "--workers=2"),
      (async () => {
        await until(() => checkpointsIn(moved).length > 2, "two checkpoints");
        killed.child.kill("SIGKILL");
        await killed.ended;
        const { code, stderr } = await magicMask("train", "--resume", runFolderIn(moved), "--workers=1");
        expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      })(),
    ]);
    const [one, ...others] = [none, two, moved].map(runFolderIn);
    expect(recordOf(one)).toMatchObject({ state: "finished", host: { workers: 0 } });
    const { tree } = await loadCheckpoint(one);
    const { tree: explained } = await loadCheckpoint(join(one, EXPLANATION));
    for (const [i, other] of others.entries()) {
      expect(recordOf(other)).toMatchObject({ state: "finished", host: { workers: 2 - i } });
      expect(recordOf(other).trajectoryHash).toBe(recordOf(one).trajectoryHash);
      expect(linesOf(other)).toEqual(linesOf(one));
      expect(((await loadCheckpoint(other)).tree as SavedRun).joint).toEqual((tree as SavedRun).joint);
      expect((await loadCheckpoint(join(other, EXPLANATION))).tree).toEqual(explained);
    }
  });

  it("comes to the same on any number of workers where the masks decide the blinding, and resumed, too", async () => {
    const [none, two] = [temporaryFolder(), temporaryFolder()];
    const args = ["mask.objective=statemask", "--total-timesteps=3000", "posthoc.steps=1000", "checkpointSeconds=0"];
    await Promise.all([train(none, ...args, "--workers=0"), train(two, ...args, "--workers=2")]);
    const [one, other] = [none, two].map(runFolderIn);
    expect(recordOf(one)).toMatchObject({ state: "finished", host: { workers: 0 } });
    expect(recordOf(other)).toMatchObject({ state: "finished", host: { workers: 2 } });
    const states = async (path: string) => ({
      joint: ((await loadCheckpoint(path)).tree as SavedRun).joint,
      explained: (await loadCheckpoint(join(path, EXPLANATION))).tree,
      hash: recordOf(path).trajectoryHash,
    });
    const whole = await states(one);
    expect(await states(other)).toEqual(whole);
    // From an earlier checkpoint of one of them, in the middle of training.
    const steps = checkpointsIn(two).flatMap((name) => (/^step_\d+$/.test(name) ? [Number(name.slice(5))] : []));
    const earlier = steps.sort((a, b) => a - b)[0];
    rmSync(join(other, EXPLANATION), { recursive: true });
    expect((await magicMask("train", "--resume", other, "--step", String(earlier))).code).toBe(0);
    expect(earlier).toBeLessThan(3000);
    expect(await states(other)).toEqual(whole);
  });

  it("ends with the hash of the uninterrupted run when it was killed at random moments", async () => {
    const [whole, killed] = [temporaryFolder(), temporaryFolder()];
    await train(whole);
    const expected = recordOf(runFolderIn(whole));
    let run = start("train", ...SMALL, "--total-timesteps=6000", `--out=${killed}`, "checkpointSeconds=0");
    for (let kill = 0; kill < 3; kill++) {
      // Once training has begun, any moment will do.
      await until(() => has(killed, "metrics.jsonl"), "the first line of the log");
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 1500));
      run.child.kill("SIGKILL");
      await run.ended;
      run = start("train", "--resume", runFolderIn(killed));
    }
    const { code, stderr } = await run.ended;
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    const record = recordOf(runFolderIn(killed));
    expect(record.trajectoryHash).toBe(expected.trajectoryHash);
    expect(linesOf(runFolderIn(killed))).toEqual(linesOf(runFolderIn(whole)));
  }, 240_000);

  it.each([0, 2])("saves and exits 130 on Ctrl-C, and continues from there (%d workers)", async (workers) => {
    const out = temporaryFolder();
    const { child, ended } = start(
      "train",
      ...SMALL,
      `--workers=${workers}`,
      "--total-timesteps=10000000",
      `--out=${out}`,
    );
    await until(() => has(out, "metrics.jsonl"), "the first line of the log");
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(stdout).toContain("--resume");
    expect(recordOf(runFolderIn(out))).toMatchObject({ state: "interrupted" });
    expect(readdirSync(join(runFolderIn(out), "checkpoints"))).toContain("latest.json");
  });
});

/** Backends that this machine has not got, whatever was installed on it. */
const MISSING = ["tfjs-node-gpu", "tfjs-node"].filter(
  (backend) => !existsSync(new URL(`../../../node_modules/@tensorflow/${backend}`, import.meta.url)),
);

describe("bad input", () => {
  it.each([
    [["train", "--env-id", "chess_v0"], "unknown-name"],
    [["train", "mask.treshold=0.5"], "unknown-key"],
    [["train", "mask.threshold=1.5"], "invalid-option"],
    [["train", "--seed", "x"], "invalid-option"],
    [["train", "--workers", "-1"], "invalid-option"],
    [["train", "--workers", "many"], "invalid-option"],
    [["train", "--step", "3"], "invalid-option"],
    [["train", "--step", "latest"], "invalid-option"],
    [["train", "blinding.initial=0.01"], "invalid-option"],
    [["train", "evaluation.budget=1"], "invalid-option"],
    [["train", "evaluation.bootstrap=50"], "invalid-option"],
    [["start", "mask.enabled=false"], "unsupported"],
    ...MISSING.map((backend) => [["train", "--backend", backend], "unsupported"] as [string[], string]),
    [["train", "opponents.kind=scripted", "--env-id", "tictactoe_v0"], "unsupported"],
    [["train", "environment.options={observation: nope}"], "invalid-option"],
    [["train", "--resume", "/nowhere"], "io"],
    [["evaluate", "/nowhere"], "io"],
    [["explain", "/nowhere"], "io"],
  ])("%j exits 2 with %s and writes nothing", async (args, code) => {
    const out = temporaryFolder();
    const said = await magicMask(
      ...args,
      ...(!["evaluate", "explain"].includes(args[0]) && !args.includes("--resume") ? [`--out=${out}`] : []),
    );
    expect(said.stderr).toContain(`error ${code}: [`);
    expect([said.code, said.stdout]).toEqual([2, ""]);
    expect(readdirSync(out)).toEqual([]);
  });

  it("refuses a damaged checkpoint by its checksum, changes nothing, and continues from the one before", async () => {
    const out = temporaryFolder();
    await train(out, "posthoc.steps=0", "checkpointSeconds=0");
    const path = runFolderIn(out);
    const checkpoints = join(path, "checkpoints");
    const { step } = JSON.parse(readFileSync(join(checkpoints, "latest.json"), "utf8"));
    const file = join(checkpoints, `step_${step}`, "state.safetensors");
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(file, bytes);
    const before = recordOf(path);
    const { code, stderr } = await magicMask("train", "--resume", path);
    expect(stderr).toContain("error corrupt-file: [");
    expect(code).toBe(2);
    expect(recordOf(path)).toEqual(before);
    const [, earlier] = /--step (\d+)/.exec(stderr) as RegExpExecArray;
    expect((await magicMask("train", "--resume", path, "--step", earlier)).code).toBe(0);
    expect(recordOf(path).trajectoryHash).toBe(before.trajectoryHash);
    expect((await magicMask("train", "--resume", path, "--step", "best")).code).toBe(0);
    expect(recordOf(path).trajectoryHash).toBe(before.trajectoryHash);
  }, 90_000);

  it("refuses another run's checkpoint, even one of the same shapes", async () => {
    const [path, other] = await Promise.all(
      ["--seed=1", "--seed=2"].map(async (seed) => {
        const out = temporaryFolder();
        await train(out, "posthoc.steps=0", "--total-timesteps=1000", seed);
        return runFolderIn(out);
      }),
    );
    const before = recordOf(path);
    rmSync(join(path, "checkpoints"), { recursive: true });
    cpSync(join(other, "checkpoints"), join(path, "checkpoints"), { recursive: true });
    const { code, stderr } = await magicMask("train", "--resume", path);
    expect(stderr).toContain("error corrupt-file: [");
    expect(stderr).toContain(recordOf(other).id);
    expect(code).toBe(2);
    expect(recordOf(path)).toEqual(before);
  });

  it("leaves the record of a run whose logs cannot be continued as it was", async () => {
    const out = temporaryFolder();
    await train(out, "posthoc.steps=0");
    const path = runFolderIn(out);
    const before = recordOf(path);
    truncateSync(join(path, "metrics.jsonl"), 10);
    const { code, stderr } = await magicMask("train", "--resume", path);
    expect(stderr).toContain("error corrupt-file: [");
    expect(code).toBe(2);
    expect(recordOf(path)).toEqual(before);
  });

  it("trains on without a figure where an iteration holds nothing to learn from", async () => {
    const out = temporaryFolder();
    const everybodyBlind = ["blinding.initial=1", "blinding.floor=1", "--total-timesteps=600"];
    const tiny = ["--num-envs=1", "training.rolloutTicks=1", "--total-timesteps=6"];
    for (const args of [everybodyBlind, tiny]) {
      const { code, stderr } = await train(out, "posthoc.steps=0", ...args);
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    }
  });
});
