import { loadTfjsNode } from "@magic-mask/networks/node";
import { digits, markdownTable, percent, times } from "../measure/table.ts";
import type { Part } from "../part.ts";
import { type JobRun, rateOf, runInTurns } from "./runs.ts";
import type { CollectShares, JobRequest } from "./served.ts";

const ROUNDS = 4;
/** CPU milliseconds of a turn. */
const TURN = 4000;
/** Iterations that collecting is taken apart over. */
const ITERATIONS = 30;

/** `npm start`'s configuration, with 4 epochs, and with masks that learn from every iteration. */
const MAIN = ["training.epochs=4", "mask.every=1"];
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  "policy only": [...MAIN, "mask.enabled=false"],
  "+ masks": [...MAIN, "sharing.mode=none"],
  "+ masks + sharing": MAIN,
  "the same, planes": [...MAIN, "environment.options={observation: planes}"],
  "npm start (2 epochs, masks every other iteration)": [],
  "+ masks + sharing, tfjs wasm": [...MAIN, "backend=tfjs-wasm"],
};
const NATIVE = { "+ masks + sharing, tfjs-node": [...MAIN, "backend=tfjs-node"] };

/** The main job end to end: Connect 4 with the default configuration, 4 epochs. */
export const jobPart: Part = {
  help: "the main job on Connect 4 end to end: steps/s with and without masks and sharing, on tfjs too; time split, memory",
  async run({ effort, progress }) {
    const rounds = Math.max(1, Math.round(ROUNDS * effort));
    const native = await loadTfjsNode("@tensorflow/tfjs-node").then(
      () => true,
      () => false,
    );
    if (!native) process.stderr.write("left out: tfjs-node, which is not installed (npm run setup:native)\n");
    const variants = native ? { ...VARIANTS, ...NATIVE } : VARIANTS;
    const names = Object.keys(variants);
    const status = progress(names.length * (rounds + 2));
    let turns = 0;
    const onTurn = (name: string) => status.update(++turns, { job: name });
    const runs = await runInTurns(variants, { rounds, turn: TURN * Math.sqrt(effort), onTurn });
    try {
      const results = [];
      for (const run of runs) {
        const request: JobRequest = { takeApart: Math.ceil(ITERATIONS * effort) };
        results.push(resultOf(run, await run.child.ask<CollectShares>(request)));
        onTurn(run.name);
      }
      return { results, text: describe(results) };
    } finally {
      for (const { child } of runs) child.close();
    }
  },
};

type Result = ReturnType<typeof resultOf>;

function resultOf(run: JobRun, collecting: CollectShares) {
  const best = run.best();
  const { collect, update, mask, comm } = best.shares;
  return {
    job: run.name,
    stepsPerSecond: rateOf(best),
    shares: {
      environment: collect * collecting.environment,
      inference: collect * collecting.inference,
      "drawing, recording": collect * collecting.rest,
      update,
      mask,
      comm,
    },
    peakMiB: Math.round(Math.max(...run.turns.map(({ memory }) => memory.peak))),
    /** After each turn: flat where nothing leaks. */
    memoryMiB: run.turns.map(({ memory }) => Math.round(memory.now)),
    steps: run.turns.reduce((sum, { steps }) => sum + steps, 0),
  };
}

function describe(results: readonly Result[]): string {
  const shares = Object.keys(results[0].shares) as (keyof Result["shares"])[];
  const whole = results.find(({ job }) => job === "+ masks + sharing")?.stepsPerSecond ?? Number.NaN;
  const table = markdownTable(
    [
      "Connect 4, 64-64, 4 epochs",
      "steps/s",
      "of the whole job on fused",
      ...shares,
      "peak MiB",
      "MiB after each turn",
    ],
    results.map((result) => [
      result.job,
      digits(result.stepsPerSecond),
      times(result.stepsPerSecond / whole),
      ...shares.map((name) => percent(result.shares[name])),
      String(result.peakMiB),
      result.memoryMiB.join(" "),
    ]),
  );
  return `The configuration of \`npm start\`, but for 4 epochs and masks that learn from every iteration; environment steps per CPU second (one core), where the time goes, and the memory\nof the process, which runs from source.\n\n${table}`;
}
