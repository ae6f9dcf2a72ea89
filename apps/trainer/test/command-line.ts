import { spawn } from "node:child_process";
import { Console } from "node:console";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runProgram } from "../src/program.ts";

const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const entry = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `magic-mask` from source as a process of its own, which can be killed. `ended` settles when the process has; it never fails. */
export function start(...args: string[]) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, ["--import", tsx, "--conditions=@magic-mask/source", entry, ...args], { env });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  const ended = new Promise<Finished>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

let last: Promise<unknown> = Promise.resolve();
/**
 * Does what `magic-mask` would, in this process, which has loaded the program already. One command after the other, as they share
 * the process's output.
 */
export function magicMask(...args: string[]): Promise<Omit<Finished, "signal">> {
  const finished = last.then(() => captured(args));
  last = finished;
  return finished;
}

async function captured(args: readonly string[]): Promise<Omit<Finished, "signal">> {
  const { exitCode, stdout, stderr } = process;
  const streams = [stdout, stderr].map((stream) => ({ stream, write: stream.write, isTTY: stream.isTTY, text: "" }));
  for (const capture of streams) {
    capture.stream.isTTY = false;
    capture.stream.write = (chunk: string | Uint8Array) => {
      capture.text += chunk;
      return true;
    };
  }
  const { console } = globalThis;
  // A test has a console of its own, which writes elsewhere.
  globalThis.console = new Console(stdout, stderr);
  process.exitCode = 0;
  try {
    await runProgram(args);
    return { code: Number(process.exitCode), stdout: streams[0].text, stderr: streams[1].text };
  } finally {
    for (const { stream, write, isTTY } of streams) Object.assign(stream, { write, isTTY });
    globalThis.console = console;
    process.exitCode = exitCode;
  }
}

export const temporaryFolder = () => mkdtempSync(join(tmpdir(), "magic-mask-"));

/** What runs the networks in tests of the whole program; `npm test` with this variable tries another backend. */
const { MAGIC_MASK_TEST_BACKEND: BACKEND = "auto" } = process.env;

/** A small job: seconds instead of minutes. */
export const SMALL = [
  `--backend=${BACKEND}`,
  "--env-id=tictactoe_v0",
  "--num-envs=16",
  "--workers=0",
  "training.rolloutTicks=16",
  "training.minibatch=64",
  "posthoc.steps=2000",
  "posthoc.epochs=1",
  "posthoc.headSteps=10",
  "evaluation.episodes=20",
  "evaluation.states=40",
  "evaluation.rollouts=8",
  "evaluation.batches=1",
  "evaluation.dropEpisodes=20",
  "evaluation.bootstrap=100",
  "evaluation.paperSeeds=2",
];

/** The only run folder under `out`. */
export const runFolderIn = (out: string) => join(out, readdirSync(out)[0]);

export const recordOf = (path: string) => JSON.parse(readFileSync(join(path, "run.json"), "utf8"));

/** Waits until something holds. @throws Error naming `what`, after five minutes in vain. */
export async function until(holds: () => unknown, what: string): Promise<void> {
  const deadline = performance.now() + 300_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await setTimeout(20);
  }
}
