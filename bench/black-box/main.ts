/**
 * Explains policies that were trained in Python and reached us as ONNX files, here beside this one, and judges the explanations:
 * runs `magic-mask explain --policy` and `magic-mask evaluate`, and writes what they print to `results/black-box/<world>.json`.
 *
 *   npm run bench:black-box                  # both worlds, seed 1; some ten minutes on one core
 *   npm run bench:black-box -- cartpole_v1
 *
 * The scripts that trained them are `train_cart_pole.py` and `train_connect_four.py`.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gitCommit } from "../../apps/trainer/src/host.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const SEED = "1";
const EVALUATION = [
  "evaluation.episodes=100",
  "evaluation.states=300",
  "evaluation.rollouts=32",
  "evaluation.dropEpisodes=400",
];

/** What is explained in each world; the training script's name is the model's. */
const jobs: Readonly<Record<string, { readonly model: string; readonly options: readonly string[] }>> = {
  // Five hundred steps an episode: fewer of them.
  cartpole_v1: { model: "cart_pole", options: [...EVALUATION, "evaluation.states=100", "evaluation.dropEpisodes=50"] },
  connect_four_v0: { model: "connect_four", options: [...EVALUATION, "environment.options.observation=planes"] },
};

const asked = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(jobs);
for (const world of asked) {
  if (!Object.hasOwn(jobs, world)) throw new TypeError(`no job in "${world}"; there are: ${Object.keys(jobs)}`);
  const { model, options } = jobs[world];
  const file = `bench/black-box/${model}.onnx`;
  const runs = mkdtempSync(join(tmpdir(), "black-box-"));
  const magicMask = (...words: string[]) =>
    JSON.parse(
      execFileSync(process.execPath, [`${root}scripts/magic-mask.mjs`, ...words, "--json"], {
        cwd: root,
        encoding: "utf8",
        maxBuffer: 1e8,
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
  const words = ["explain", "--policy", file, "--env-id", world, "--seed", SEED, ...options];
  const begun = performance.now();
  const { run, policies, ...moment } = magicMask(...words, "--runs", runs);
  const explained = performance.now();
  const evaluation = magicMask("evaluate", run);
  const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
  const { trajectoryHash } = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  const summary = {
    command: `npm run bench:black-box -- ${world}`,
    commands: [`magic-mask ${words.join(" ")}`, "magic-mask evaluate <run>"],
    commit: gitCommit(),
    seed: Number(SEED),
    machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, node: process.version },
    seconds: { explain: seconds(begun, explained), evaluate: seconds(explained, performance.now()) },
    model: {
      file,
      trainedBy: `python bench/black-box/train_${model}.py ${file}`,
      sha256: createHash("sha256")
        .update(readFileSync(join(root, file)))
        .digest("hex"),
      gives: policies[0].gives,
    },
    trajectoryHash,
    moment,
    evaluation,
  };
  mkdirSync(join(root, "results/black-box"), { recursive: true });
  const out = join(root, `results/black-box/${world}.json`);
  writeFileSync(out, `${JSON.stringify(summary, null, 2)}\n`);
  process.stdout.write(`${out}\n`);
}
