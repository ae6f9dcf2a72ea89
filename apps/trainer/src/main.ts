import { checkCount, isMagicMaskError, MagicMaskError } from "@magic-mask/core";
import { Command, CommanderError } from "commander";
import { describeConfig, resolveConfig } from "./config.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { explainGame, type Moment } from "./explain.ts";
import { type LoadedRun, loadRun, requireExplanation } from "./load-run.ts";
import { presets } from "./presets.ts";
import { formatSolution, solveMoves } from "./solve.ts";
import { formatEvaluation, formatMoment } from "./terminal/report.ts";
import { runTraining, type TrainingOutcome, type TrainingRunOptions } from "./training-run.ts";
import { toJson, writeEvaluation, writeMoment } from "./write-results.ts";

/** What went wrong outside of our control. */
const FAILED = 1;
/** A command line, configuration, file or run that cannot be used; nothing was begun. */
const BAD_INPUT = 2;
/** Codes of what went wrong in a thread or process of ours. */
const LOST = ["worker-lost", "corrupt-message"];

interface TrainFlags {
  readonly envId?: string;
  readonly seed?: number | string;
  readonly totalTimesteps?: number | string;
  readonly numEnvs?: number | string;
  readonly backend?: string;
  readonly workers?: number | string;
  readonly name?: string;
  readonly config?: string;
  readonly out: string;
  readonly resume?: string;
  readonly step?: number | "best";
  readonly json?: boolean;
}

const program = new Command("magic-mask")
  .description("Trains teams of agents and explains which moments decided their games.")
  .exitOverride()
  .addHelpText("after", "\nExit codes: 0 done, 1 failure, 2 bad usage or input, 130 after Ctrl-C (the run is saved).");

const TRAIN_EXAMPLES = [
  "magic-mask train --env-id tictactoe_v0 --total-timesteps 200000 training.entropyCoefficient=0.05",
  "MAGIC_MASK_PYTHON=venv/bin/python magic-mask train --env-id pettingzoo \\",
  "  environment.options.module=pettingzoo.classic.connect_four_v3 environment.options.zeroSum=true",
  "magic-mask train --env-id pettingzoo environment.options='{module: CartPole-v1, kind: gymnasium}'",
];

withTrainingFlags(program.command("train"))
  .description("train policies, masks and sharing together, then explain the final policies post hoc")
  .addHelpText("after", `\nExamples:\n${TRAIN_EXAMPLES.map((line) => `  ${line}\n`).join("")}\n${configKeys()}`)
  .action(async (overrides: string[], flags: TrainFlags) => {
    const outcome = await runTraining(askedRun(overrides, flags));
    print(flags, outcome, () => describeOutcome(outcome));
  });

program
  .command("evaluate <run>")
  .description("judge a finished run on held-out games against ground truth")
  .option("--json", "print one JSON object")
  .addHelpText(
    "after",
    "\nExample:\n  magic-mask evaluate runs/connect_four_v0__magic-mask__s1__20260101T000000Z-abc123 --json",
  )
  .action(async (path: string, flags: { json?: boolean }) => {
    const run = await loadRun(path);
    const evaluation = await evaluateRun(run);
    print(flags, evaluation, () => formatEvaluation(evaluation, run.record, run.config));
  });

program
  .command("explain <run>")
  .description("show the most critical moment of a held-out game of a finished run")
  .option("--game <k>", "which held-out game, 0, 1, …", Number, 0)
  .option("--rollouts <n>", "continuations per legal action for the effect", Number, 400)
  .option("--json", "print one JSON object")
  .addHelpText(
    "after",
    "\nExample:\n  magic-mask explain runs/connect_four_v0__magic-mask__s1__20260101T000000Z-abc123 --game 3",
  )
  .action(async (path: string, flags: { game: number; rollouts: number; json?: boolean }) => {
    const moment = await explainRun(await loadRun(path), flags);
    print(flags, moment, () => formatMoment(moment));
  });

program
  .command("solve <moves>")
  .description("print the exact score of every move of Connect 4 after these moves, a digit each, columns 1 to 7")
  .option("--json", "print one JSON object")
  .addHelpText(
    "after",
    "\nExample:\n  magic-mask solve 44444335355777\n\nAfter 12 moves it takes about a second, after 8 some seconds; the fewer, the longer.",
  )
  .action((moves: string, flags: { json?: boolean }) => {
    const solution = solveMoves(moves);
    print(flags, solution, () => formatSolution(solution));
  });

withTrainingFlags(program.command("start"))
  .description("the whole job: train on Connect 4, evaluate, and explain one game")
  .addHelpText("after", "\nExample:\n  magic-mask start --seed 2\n\nTakes the keys of `magic-mask train --help`.")
  .action(async (overrides: string[], flags: TrainFlags) => {
    const asked = askedRun(overrides, flags);
    // Before any work is done: without masks there would be nothing to evaluate.
    if ("config" in asked) requireExplanation(asked.config);
    const outcome = await runTraining(asked);
    if (outcome.exitCode !== 0) {
      print(flags, outcome, () => describeOutcome(outcome));
      return;
    }
    const run = await loadRun(outcome.path);
    const evaluation = await evaluateRun(run);
    const moment = await explainRun(run, { game: 0, rollouts: 400 });
    print(flags, { ...outcome, evaluation, moment }, () =>
      [
        formatEvaluation(evaluation, run.record, run.config),
        "",
        formatMoment(moment),
        "",
        describeOutcome(outcome),
      ].join("\n"),
    );
  });

function withTrainingFlags(command: Command): Command {
  return command
    .argument("[key=value...]", "configuration overrides such as training.clip=0.1")
    .option("--env-id <id>", "which world")
    .option("--seed <n>", "root of all chance", numberOf)
    .option("--total-timesteps <n>", "environment steps over all copies", numberOf)
    .option("--num-envs <n>", "copies of the world", numberOf)
    .option("--backend <name>", "what runs the networks, or auto")
    .option("--workers <n>", "threads for playing and learning, or auto; with --resume too", workersOf)
    .option("--name <name>", "goes into the name of the run folder")
    .option("--config <file>", "YAML file with configuration keys; flags and overrides win")
    .option("--out <folder>", "where run folders go", "runs")
    .option("--resume <run>", "continue a run where its last checkpoint left it")
    .option("--step <n>", "with --resume: the checkpoint to continue from instead of the last: a step, or best", stepOf)
    .option("--json", "print one JSON object");
}

/** A number, or what was typed: the check that follows shows it. */
function numberOf(text: string): number | string {
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function workersOf(text: string): number | string {
  return text === "auto" ? text : numberOf(text);
}

/** @throws invalid-option */
function stepOf(text: string): number | "best" {
  if (text === "best") return text;
  const step = Number(text);
  checkCount("trainer/main", "--step", step, 0);
  return step;
}

/** What flags and overrides ask for. @throws as `resolveConfig` */
function askedRun(overrides: readonly string[], flags: TrainFlags): TrainingRunOptions {
  if (flags.resume !== undefined) {
    const { resume, step, workers, out: _, json: __, ...rest } = flags;
    const given = [...overrides, ...Object.keys(rest)];
    if (given.length === 0) return { resume, step, workers };
    const message = `a resumed run keeps its configuration; leave out: ${given.join(", ")}`;
    throw new MagicMaskError("invalid-option", "trainer/main", message);
  }
  if (flags.step !== undefined) {
    throw new MagicMaskError("invalid-option", "trainer/main", "--step goes with --resume");
  }
  const config = resolveConfig({
    file: flags.config,
    flags: {
      seed: flags.seed,
      name: flags.name,
      backend: flags.backend,
      workers: flags.workers,
      environment: { id: flags.envId },
      training: { totalSteps: flags.totalTimesteps, copies: flags.numEnvs },
    },
    overrides,
  });
  return { config, out: flags.out };
}

async function evaluateRun(run: LoadedRun): Promise<Evaluation> {
  const evaluation = evaluate(run);
  await writeEvaluation(run, evaluation);
  return evaluation;
}

async function explainRun(run: LoadedRun, options: { game: number; rollouts: number }): Promise<Moment> {
  const { moment, episode } = explainGame(run, options);
  await writeMoment(run, moment, episode);
  return moment;
}

function describeOutcome({ path, record }: TrainingOutcome): string {
  const what =
    record.state === "interrupted"
      ? `interrupted at step ${record.steps}; continue with: magic-mask train --resume ${path}`
      : `finished, trajectory hash ${record.trajectoryHash}`;
  return `${what}\nrun folder: ${path}`;
}

function print(flags: { readonly json?: boolean }, value: unknown, text: () => string) {
  process.stdout.write(flags.json ? toJson(value) : `${text()}\n`);
  process.exitCode = (value as { exitCode?: number }).exitCode ?? 0;
}

function configKeys(): string {
  const rows = describeConfig().map(
    ({ key, default: value, help }) => `  ${key.padEnd(32)} ${JSON.stringify(value).padEnd(20)} ${help}`,
  );
  const known = Object.entries(presets).map(([id, preset]) => `  ${id.padEnd(32)} ${JSON.stringify(preset)}`);
  const layers = "Presets of worlds, above the defaults and below file, flags and overrides:";
  return ["Configuration keys, defaults and meaning:", ...rows, "", layers, ...known].join("\n");
}

// Whoever reads the output may have had enough of it.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : BAD_INPUT;
  } else if (isMagicMaskError(error)) {
    process.stderr.write(`error ${error.code}: ${error.message}\n`);
    process.exitCode = LOST.includes(error.code) ? FAILED : BAD_INPUT;
  } else {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exitCode = FAILED;
  }
}
