import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { resolveConfig } from "../src/config.ts";
import { askedBy } from "./asked-by.ts";
import { magicMask, temporaryFolder } from "./command-line.ts";

/**
 * Every command of the README, as it is printed there, in a folder of its own, with its numbers made small. What takes a server or Python
 * is read as the program reads it, and left; what takes a download says its help; `npm start` and `npm test` need only exist.
 */
const root = fileURLToPath(new URL("../../..", import.meta.url));
const text = readFileSync(join(root, "README.md"), "utf8");
const commands = [...text.matchAll(/^```\n(.*?)^```/gms)]
  .flatMap(([, block]) => block.split("\n"))
  .map((line) => line.replace(/ +# .*$/, "").trim())
  .filter((line) => line.startsWith("npm "));

const folder = temporaryFolder();
const SMALL = [
  "posthoc.steps=300",
  "posthoc.epochs=1",
  "posthoc.headSteps=10",
  "evaluation.probeEpisodes=0",
  "--num-envs=16",
  "--workers=0",
];
const TRAIN = [...SMALL, "--total-timesteps=512"];
const LITTLE = ["evaluation.states=20", "evaluation.rollouts=2", "evaluation.batches=1", "--workers=1"];
const JUDGED = ["evaluation.episodes=4", "evaluation.dropEpisodes=8"];

/** What is added to a command, by how it begins, the first that fits; null: it is only read. */
const small: readonly (readonly [begin: string, added: readonly string[] | null])[] = [
  ["train --help", []],
  ["train --resume", []],
  // Python is asked for by tests of its own.
  ["train --env-id pettingzoo", null],
  ["train --workers 4", [...SMALL.slice(0, -1), "--total-timesteps=512", "--env-id=tictactoe_v0"]],
  ["train --env-id doudizhu_v0", [...TRAIN, "training.rolloutTicks=16", "posthoc.steps=100"]],
  ["train mask.objective=paper", [...TRAIN, "--env-id=tictactoe_v0"]],
  ["train", TRAIN],
  ["evaluate", ["--workers=0"]],
  ["explain runs", ["--rollouts=2", "--moments=1"]],
  ["explain --policy", [...SMALL, "--steps=300", "--rollouts=2", "--moments=1"]],
  ["export", []],
  // Servers are asked for by tests of its own.
  ["agent", null],
  ["solve", []],
  [
    "compare",
    [
      ...LITTLE,
      ...JUDGED,
      "--seeds=1,2",
      "--budgets=300",
      "--explainers=entropy",
      "training.totalSteps=512",
      "posthoc.epochs=1",
      "posthoc.headSteps=10",
    ],
  ],
  [
    "study",
    [
      ...LITTLE,
      ...["environment=planted_v0", "seed=1,2", "budget=300", "mode=none,perturbed"].map((axis) => `--axis=${axis}`),
      "training.totalSteps=512",
      "posthoc.epochs=1",
      "posthoc.headSteps=10",
    ],
  ],
  ["status", []],
  ["report", []],
];

/** What other scripts are given, by name, for what the README gives them; those that are not here take minutes. */
const whole: Readonly<Record<string, (words: string) => readonly string[]>> = {
  conform: (words) => words.split(" "),
  solve(path) {
    const few = join(folder, "positions.txt");
    const lines = gunzipSync(readFileSync(join(root, path)))
      .toString()
      .split("\n");
    writeFileSync(few, `${lines.filter((_, i) => i % 40 === 0).join("\n")}\n`);
    return [few];
  },
  "setup:native": () => ["--help"],
  bench: (words) => words.split(" "),
};

const { NODE_OPTIONS: _, ...env } = process.env;
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await magicMask(...args);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
};

const before = process.cwd();
afterAll(() => process.chdir(before));
beforeAll(async () => {
  process.chdir(folder);
  cpSync(join(root, "bench/black-box/cart_pole.onnx"), join(folder, "model.onnx"));
  mkdirSync(join(folder, "first"));
  const games = ["evaluation.episodes=10", "evaluation.bootstrap=100", "evaluation.paperSeeds=2"];
  await run("train", "--env-id=tictactoe_v0", ...TRAIN, ...LITTLE.slice(0, -1), ...JUDGED, ...games, "--out=first");
});

describe("the README", () => {
  const program = commands.filter((command) => command.startsWith("npm run magic-mask -- "));
  const others = commands.filter((command) => !program.includes(command));

  it.each(program)("%s", async (command) => {
    const words = command.slice("npm run magic-mask -- ".length);
    const found = small.find(([begin]) => words.startsWith(begin));
    if (!found) throw new Error(`how is "${words}" to be made small? Add it to the list`);
    const [, added] = found;
    const [id] = readdirSync(join(folder, "first"));
    const args = words.replaceAll("runs/<run>", join("first", id)).split(" ");
    if (added) expect(await run(...args, ...added)).not.toBe("");
    else {
      const { verb, args: named, flags } = await askedBy(`magic-mask ${words}`);
      const environment = "envId" in flags ? { environment: { id: `${flags.envId}` } } : {};
      const overrides = (named["key=value"] ?? []) as readonly string[];
      expect(verb).toBe(args[0]);
      expect(resolveConfig({ flags: environment, overrides })).toBeDefined();
    }
  });

  it.each(others)("%s", async (command) => {
    const [, name, words = ""] = /^npm (?:run )?([\w:-]+)(?: -- (.+))?$/.exec(command) ?? [];
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const [, file] = /(scripts\/[\w-]+\.mjs)/.exec(scripts[name]) ?? [];
    expect(existsSync(join(root, file))).toBe(true);
    const args = whole[name]?.(words);
    if (!args) return;
    const { stdout } = await promisify(execFile)(process.execPath, [file, ...args], { env, cwd: root });
    expect(stdout).not.toBe("");
  });
});
