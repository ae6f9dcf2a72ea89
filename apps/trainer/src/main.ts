import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { RedisServer } from "@magic-mask/comm/redis";
import { byName, checkCount, isMagicMaskError, MagicMaskError } from "@magic-mask/core";
import { Command, CommanderError, Option } from "commander";
import { type AgentOutcome, readPem, runAgent } from "./agent.ts";
import { workersFor } from "./backend.ts";
import { type CompareOptions, compare } from "./compare/compare.ts";
import { formatComparison } from "./compare/write.ts";
import { type Config, describeConfig, parseConfig, resolveConfig } from "./config.ts";
import { diagnoseEvaluation } from "./diagnostics/limits.ts";
import { warningInWords } from "./diagnostics/watch.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { type ExplainOptions, explainEpisode } from "./explanation/explain-episode.ts";
import { subjectOf } from "./explanation/subject.ts";
import { exportRun, FORMATS, type Format } from "./export.ts";
import { ALL, describeGiven } from "./given.ts";
import { type LoadedRun, loadRun, requireExplanation } from "./load-run.ts";
import { presets } from "./presets.ts";
import { writeReport } from "./report/report.ts";
import { noteTestLook } from "./run/test-looks.ts";
import { formatSolution, solveMoves } from "./solve.ts";
import { redisQueue } from "./study/queue/engine.ts";
import { formatQueue, readQueue } from "./study/queue/standing.ts";
import { runWorker } from "./study/queue/worker.ts";
import { studies } from "./study/registry.ts";
import { type RunStudyOptions, runStudy } from "./study/run-study.ts";
import { runElement } from "./study/slurm/element.ts";
import { formatSlurm, isOnSlurm, readSlurm } from "./study/slurm/standing.ts";
import { describeSlurm, writeSlurm } from "./study/slurm/write-slurm.ts";
import { formatStatus, readStatus } from "./study/status.ts";
import { formatCost, formatStudy, plain } from "./study/write.ts";
import { formatAgent, formatEvaluation, formatExplanation } from "./terminal/report.ts";
import { runTraining, type TrainingOutcome, type TrainingRunOptions } from "./training-run.ts";
import type { StateSet } from "./truth/truth-of.ts";
import { toJson, writeEpisode, writeEvaluation, writeExplanation } from "./write-results.ts";

/** What went wrong outside of our control. */
const FAILED = 1;
/** A command line, configuration, file or run that cannot be used; nothing was begun. */
const BAD_INPUT = 2;
/** Codes of what went wrong on the way: in a thread or process of ours, or in learning itself. */
const LOST = ["worker-lost", "corrupt-message", "diverged"];

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

/** How much `explain` measures unless it is told otherwise. */
const MOMENTS = 5;
const ROLLOUTS = 128;

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

const EXPLAIN_EXAMPLES = [
  "magic-mask explain runs/connect_four_v0__magic-mask__s1__20260101T000000Z-abc123 --game 3",
  "magic-mask explain --policy model.onnx --env-id cartpole_v1",
  "magic-mask explain --policy player_0=a.onnx --policy player_1=b.onnx --env-id connect_four_v0 \\",
  "  environment.options.observation=planes policies.player_1.as=logits",
];

type CompareFlags = Omit<CompareOptions, "file" | "overrides" | "command"> & {
  readonly config?: string;
  readonly json?: boolean;
};

const COMPARE_EXAMPLES = [
  "magic-mask compare --env-id tictactoe_v0 --quick",
  "magic-mask compare --env-id connect_four_v0 --out results/compare/connect_four_v0",
  "magic-mask compare --env-id pong_v0 --explainers advantage,entropy --states dev --seeds 1,2,3,4,5",
];

const COMPARE_NOTES = `
Stop it with Ctrl-C, or kill it, and give the same command again: only what is missing is made.
Takes the keys of \`magic-mask train --help\`.`;

const AGENT_NOTES = `
Examples, a process each, on any hosts that reach the server and have a copy of the run folder:
  magic-mask agent --redis redis://10.0.0.5 --run demo --agent 0 --policy runs/pong_walls_v0__magic-mask__s1__20260101T000000Z-abc123
  MAGIC_MASK_SECRET=... magic-mask agent --redis rediss://10.0.0.5 --tls-ca ca.pem --run demo --agent 1 --policy runs/... --truth

Nobody waits for anybody, and Redis may come and go. Stop it with Ctrl-C, or kill it, and give the same command again: it goes on.
What it learns lies in the run folder under agents/<run>/<agent>. Secrets are better given by environment variables, which other
users of the machine cannot read: MAGIC_MASK_REDIS, MAGIC_MASK_REDIS_USERNAME, MAGIC_MASK_REDIS_PASSWORD, MAGIC_MASK_SECRET.`;

const WORKER_NOTES = `
Examples, on any machines that reach the server:
  magic-mask study communication --engine bullmq --redis redis://10.0.0.5
  magic-mask worker --redis redis://10.0.0.5 --jobs 4
  magic-mask status --redis redis://10.0.0.5

Workers come and go. One that is killed loses its tasks to others, which go on from the last checkpoint; Ctrl-C gives them back at once.
A worker must be of the same commit, major version of Node and architecture as the study. Secrets are better given by environment
variables: MAGIC_MASK_REDIS, MAGIC_MASK_REDIS_USERNAME, MAGIC_MASK_REDIS_PASSWORD.`;

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
  .addOption(statesOption())
  .option("--curve", "reward drops at 1, 2, 5, 10 and 20 % as well")
  .option("--sanity", "try the figures on nonsense as well: randomised policies, permuted scores, random windows")
  .option("--workers <n>", "threads for the ground truth, or auto; by default as the run had", workersOf)
  .option("--json", "print one JSON object")
  .addHelpText(
    "after",
    "\nExample:\n  magic-mask evaluate runs/connect_four_v0__magic-mask__s1__20260101T000000Z-abc123 --sanity --json",
  )
  .action(async (path: string, flags: EvaluateFlags & { json?: boolean }) => {
    const { run, evaluation } = await evaluateRun(await loadRun(path), flags, "evaluate");
    print(flags, evaluation, () => formatEvaluation(evaluation, run.record, run.config));
  });

interface ExplainFlags extends Omit<TrainFlags, "out" | "resume" | "step">, Omit<ExplainOptions, "command"> {
  readonly runs: string;
  readonly out?: string;
  readonly policy?: Config["policies"];
  readonly steps?: number | string;
}

withWorldFlags(
  program
    .command("explain [run]")
    .usage("<run> [options]\n       magic-mask explain --policy <model.onnx> --env-id <id> [key=value...] [options]")
    .argument("[key=value...]", "with --policy: configuration overrides such as posthoc.epochs=10")
    .description(
      "explain a held-out game of a finished run, or of policies trained elsewhere: what was critical, and a page that replays it",
    )
    .option("--policy <file>", "an ONNX model to explain; <agent>=<file>, once for each, where they differ", policyOf),
  "with --policy, as are the options up to --runs: which world",
)
  .option("--steps <n>", "environment steps that the explanation is learned from", numberOf)
  .option("--runs <folder>", "where the run folder goes", "runs")
  .option("--game <k>", "which held-out game, 0, 1, …", Number, 0)
  .option("--moments <n>", "decisions of each agent that are measured", Number, MOMENTS)
  .option("--agent <name>", "measure decisions of this agent alone")
  .option("--rollouts <n>", "continuations per legal action of each of them", Number, ROLLOUTS)
  .option("--out <folder>", "where game-<k>.html, .md and .json go (default: the run's report/)")
  .option("--json", "print one JSON object")
  .addHelpText(
    "after",
    `\nExamples:\n${EXPLAIN_EXAMPLES.map((line) => `  ${line}\n`).join("")}\nTakes the keys of \`magic-mask train --help\`.`,
  )
  .action(async (first: string | undefined, rest: string[], flags: ExplainFlags) => {
    const path = await runToExplain(first, rest, flags);
    const run = await loadRun(path, false);
    const { explanation, page } = await explainRun(run, path, flags);
    const given = describeGiven(run.team, run.world.spec);
    const about = given.length > 0 ? { run: path, policies: run.team.learners.map(({ origin }) => origin) } : {};
    const words = given.length > 0 ? ["", ...given, `run folder: ${path}`] : [];
    print(flags, { ...explanation, page, ...about }, () =>
      [formatExplanation(explanation), ...words, "", `page: ${page}`].join("\n"),
    );
  });

program
  .command("export <run>")
  .description("write a finished run's policies and mask nets for other software, with a model card")
  .option("--format <name>", `${FORMATS.join(" or ")}; all by default`, formatOf)
  .option("--out <folder>", "where to; export/ in the run folder by default")
  .option("--json", "print one JSON object")
  .addHelpText(
    "after",
    "\nExample:\n  magic-mask export runs/connect_four_v0__magic-mask__s1__20260101T000000Z-abc123 --format onnx --out model",
  )
  .action(async (path: string, flags: { format?: Format; out?: string; json?: boolean }) => {
    const exported = await exportRun(path, flags);
    const { folder, networks } = exported;
    const files = [...networks.flatMap(({ files }) => files), "run.json", "README.md"];
    print(flags, exported, () => files.map((file) => join(folder, file)).join("\n"));
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

program
  .command("compare")
  .description("hold all explainers against ground truth on frozen policies: a table, intervals over policies, plots")
  .argument("[key=value...]", "configuration overrides such as evaluation.states=500")
  .option("--env-id <id>", "which world")
  .option("--seeds <list>", "policies to train, by seed (default: 1,2,3)", numbersOf("--seeds"))
  .option("--policies <list>", "run folders of policies that are there, instead of --seeds", namesOf)
  .option("--budgets <list>", "environment steps per explainer (default: 100000,300000)", numbersOf("--budgets"))
  .option("--explainers <list>", "which explainers (default: all; random is always among them)", namesOf)
  .addOption(statesOption())
  .option("--workers <n>", "threads, or auto; results do not depend on it", workersOf, "auto")
  .option("--config <file>", "YAML file with configuration keys; overrides win")
  .option("--out <folder>", "where the results go (default: comparisons/<world>)")
  .option(
    "--cache <folder>",
    "policies, truths and cells that are done; what is there is not made again",
    "runs/compare",
  )
  .option("--quick", "small sizes, to try it: a minute")
  .option("--json", "print one JSON object")
  .addHelpText("after", `\nExamples:\n${COMPARE_EXAMPLES.map((line) => `  ${line}\n`).join("")}${COMPARE_NOTES}`)
  .action(async (overrides: string[], { config: file, ...flags }: CompareFlags) => {
    const command = ["magic-mask", ...process.argv.slice(2)].join(" ");
    const outcome = await compare({ ...flags, file, overrides, command });
    const { comparison, ...rest } = outcome;
    print(flags, { ...rest, ...comparison }, () =>
      comparison ? `${formatComparison(comparison)}\n\nresults: ${outcome.out}` : "stopped",
    );
  });

interface StudyFlags extends RedisFlags {
  readonly engine: "local" | "bullmq" | "slurm";
  readonly quick?: boolean;
  readonly paper?: boolean;
  readonly axis?: NonNullable<RunStudyOptions["axes"]>;
  readonly cost?: boolean;
  readonly states: StateSet;
  readonly workers: number | string;
  readonly out?: string;
  readonly cache: string;
  readonly json?: boolean;
}

const STUDY_EXAMPLES = [
  "magic-mask study communication --quick",
  "magic-mask study communication --cost",
  "magic-mask study communication --axis mode=none,perturbed --axis environment=pong_walls_v0 evaluation.states=1000",
  "magic-mask study my-study.ts",
  "magic-mask study communication --engine bullmq --redis redis://10.0.0.5",
  "magic-mask study communication --paper --engine slurm --cache /shared/study",
];

const STUDY_NOTES = `
Says what it costs before it starts. Stop it with Ctrl-C, or kill it, and give the same command again: only what is missing is made.
What fails is tried once more, then reported; the exit code is then 1. Takes the keys of \`magic-mask train --help\`.

Studies:
${Object.values(studies)
  .map(({ id, question }) => `  ${id.padEnd(16)} ${question}`)
  .join("\n")}`;

withRedisFlags(
  program
    .command("study <id|file>")
    .description(
      "answer a question by many trials on worker processes: tables, plots, and the paper's claim beside them",
    )
    .argument("[key=value...]", "configuration overrides, in all worlds, such as training.totalSteps=300000")
    .addOption(
      new Option(
        "--engine <name>",
        "who works on it: processes of this machine; workers anywhere, by way of --redis; or a Slurm cluster, for which it writes scripts",
      )
        .choices(["local", "bullmq", "slurm"])
        .default("local"),
    ),
)
  .option("--quick", "small sizes, to try it: minutes")
  .option("--paper", "as much as the paper spent: 10 million steps of training")
  .option("--axis <name=list>", "values of an axis instead of the study's own; once for each axis", axisOf)
  .option("--cost", "say what it would cost, and no more")
  .addOption(statesOption())
  .option("--workers <n>", "processes here, or auto: one for each core; results do not depend on it", workersOf, "auto")
  .option("--out <folder>", "where the results go (default: studies/<id>)")
  .option(
    "--cache <folder>",
    "policies, truths and trials that are done; what is there is not made again",
    "runs/study",
  )
  .option("--json", "print one JSON object")
  .addHelpText("after", `\nExamples:\n${STUDY_EXAMPLES.map((line) => `  ${line}\n`).join("")}${STUDY_NOTES}`)
  .action(async (study: string, overrides: string[], { quick, paper, axis, cost, ...flags }: StudyFlags) => {
    if (quick && paper) throw new MagicMaskError("invalid-option", "trainer/main", "give --quick or --paper, not both");
    const command = ["magic-mask", ...process.argv.slice(2)].join(" ");
    const size = quick ? "quick" : paper ? "paper" : "default";
    const { engine, states, workers, out, cache } = flags;
    const about = {
      study,
      size,
      overrides,
      command,
      states,
      workers,
      out,
      cache,
      ...(axis && { axes: axis }),
    } as const;
    if (engine === "slurm" && !cost) {
      const written = await writeSlurm(about);
      print(flags, written, () => describeSlurm(written));
      return;
    }
    const by = engine === "bullmq" && !cost ? { engine: redisQueue(serverOf(flags)) } : {};
    const { results, ...outcome } = await runStudy({ ...about, ...by, costOnly: cost === true });
    print(flags, { ...outcome, ...(results && plain(results)) }, () =>
      results ? `${formatStudy(results)}\n\nresults: ${outcome.out}` : formatCost(outcome.cost),
    );
  });

withRedisFlags(program.command("status [folder]"))
  .description(
    "how a study stands: progress, rate, time left, failures; with --redis all that are there, and their workers",
  )
  .option("--json", "print one JSON object")
  .addHelpText(
    "after",
    "\nExamples:\n  magic-mask status studies/communication --json\n  magic-mask status --redis redis://10.0.0.5",
  )
  .action(async (folder: string | undefined, flags: RedisFlags & { json?: boolean }) => {
    if (folder !== undefined && isOnSlurm(folder)) {
      const standing = await readSlurm(folder);
      print(flags, standing, () => formatSlurm(standing));
      return;
    }
    if (folder !== undefined) {
      const status = readStatus(folder);
      print(flags, status, () => formatStatus(status));
      return;
    }
    const standing = await readQueue(serverOf(flags));
    print(flags, standing, () => formatQueue(standing));
  });

const REPORT_EXAMPLES = [
  "magic-mask report runs/tictactoe_v0__magic-mask__s1__20260101T000000Z-abc123",
  "magic-mask report studies/communication studies/scale results/compare/connect_four_v0 --out report --json",
];

program
  .command("report <folder...>")
  .description("one page and one text about runs, comparisons and studies, in any mix: claims, plots, tables, warnings")
  .option("--out <folder>", "where report.html, report.md and pictures/ go", "report")
  .option("--json", "print one JSON object: claims, diagnostics and paths")
  .addHelpText("after", `\nExamples:\n${REPORT_EXAMPLES.map((line) => `  ${line}\n`).join("")}`)
  .action(async (folders: string[], { out, json }: { out: string; json?: boolean }) => {
    const reported = await writeReport(folders, out);
    print({ ...(json && { json }) }, reported, () =>
      [...reported.summary, "", `page: ${reported.page}`, `text: ${reported.markdown}`].join("\n"),
    );
  });

interface WorkerFlags extends RedisFlags {
  readonly cache: string;
  readonly jobs: number | string;
  readonly patience: number;
  readonly json?: boolean;
}

withRedisFlags(program.command("worker"))
  .description("do tasks of studies that were started with --engine bullmq, on this machine, until Ctrl-C")
  .option(
    "--cache <folder>",
    "what is on its way; a study's own cache is found by itself where both see it",
    "runs/worker",
  )
  .option(
    "--jobs <n>",
    "tasks side by side, each in a process of its own, or auto: one for each core",
    workersOf,
    "auto",
  )
  .option("--patience <seconds>", "tasks of a worker that is silent for so long are given to others", Number, 30)
  .option("--json", "print one JSON object at the end")
  .addHelpText("after", WORKER_NOTES)
  .action(async (flags: WorkerFlags) => {
    const { cache, patience } = flags;
    const jobs = flags.jobs === "auto" ? availableParallelism() : (flags.jobs as number);
    const outcome = await runWorker({ server: serverOf(flags), cache, jobs, patience });
    print(flags, outcome, () => `${outcome.done} tasks done, ${outcome.failed} failed`);
  });

program
  .command("task <file> <stage> <element>")
  .description("do the share of one element of a Slurm array; what study --engine slurm writes calls it")
  .option("--json", "print one JSON object")
  .addHelpText("after", "\nExample:\n  magic-mask task studies/communication/slurm/tasks.json policies 3")
  .action(async (file: string, stage: string, element: string, flags: { json?: boolean }) => {
    const outcome = await runElement(file, stage, Number(element));
    print(flags, outcome, () => `${outcome.done} tasks done, ${outcome.failures.length} failed`);
  });

interface RedisFlags {
  readonly redis?: string;
  readonly redisUsername?: string;
  readonly redisPassword?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsInsecure?: boolean;
}

interface AgentFlags extends RedisFlags {
  readonly secret?: string;
  readonly run: string;
  readonly agent: string;
  readonly policy: string;
  readonly truth?: boolean;
  readonly json?: boolean;
}

withRedisFlags(
  program
    .command("agent")
    .description("explain one agent of a trained team in a process of its own, which shares with its peers over Redis")
    .argument("[key=value...]", "configuration overrides such as posthoc.steps=100000")
    .requiredOption("--policy <run>", "finished run folder whose policies play")
    .requiredOption("--agent <i>", "which agent: its number, from 0, or its name")
    .requiredOption("--run <id>", "name of the common run, the same for all agents"),
)
  .addOption(
    new Option("--secret <text>", "known to all agents and nobody else: messages are signed and checked with it").env(
      "MAGIC_MASK_SECRET",
    ),
  )
  .option("--truth", "hold the scores against ground truth, on development states")
  .option("--json", "print one JSON object")
  .addHelpText("after", AGENT_NOTES)
  .action(async (overrides: string[], flags: AgentFlags) => {
    const { policy, agent, run, secret, truth } = flags;
    const outcome = await runAgent({ policy, agent, run, server: serverOf(flags), secret, overrides, truth });
    print(flags, outcome, () => describeAgent(outcome));
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
    const { run, evaluation } = await evaluateRun(await loadRun(outcome.path), {}, "start");
    const options = { game: 0, moments: MOMENTS, rollouts: ROLLOUTS };
    const { explanation, page } = await explainRun(run, outcome.path, options);
    print(flags, { ...outcome, evaluation, explanation, page }, () =>
      [
        formatEvaluation(evaluation, run.record, run.config),
        "",
        formatExplanation(explanation),
        "",
        describeOutcome(outcome),
        `page: ${page}`,
      ].join("\n"),
    );
  });

/** Where a Redis server is, and how it lets us in. */
function withRedisFlags(command: Command): Command {
  return command
    .addOption(new Option("--redis <url>", "redis://host:port/database, or rediss:// for TLS").env("MAGIC_MASK_REDIS"))
    .addOption(new Option("--redis-username <name>", "instead of the URL's").env("MAGIC_MASK_REDIS_USERNAME"))
    .addOption(new Option("--redis-password <text>", "instead of the URL's").env("MAGIC_MASK_REDIS_PASSWORD"))
    .option("--tls-ca <file>", "PEM: whose signature makes the server's certificate valid", readPem)
    .option("--tls-cert <file>", "PEM: this client's certificate", readPem)
    .option("--tls-key <file>", "PEM: its key", readPem)
    .option("--tls-insecure", "take any certificate");
}

/** What says which world is played, on what, and where its configuration comes from. */
function withWorldFlags(command: Command, which: string): Command {
  return command
    .option("--env-id <id>", which)
    .option("--seed <n>", "root of all chance", numberOf)
    .option("--num-envs <n>", "copies of the world", numberOf)
    .option("--backend <name>", "what runs the networks, or auto")
    .option("--workers <n>", "threads for playing and learning, or auto", workersOf)
    .option("--name <name>", "goes into the name of the run folder")
    .option("--config <file>", "YAML file with configuration keys; flags and overrides win");
}

function withTrainingFlags(command: Command): Command {
  return withWorldFlags(
    command.argument("[key=value...]", "configuration overrides such as training.clip=0.1"),
    "which world",
  )
    .option("--total-timesteps <n>", "environment steps over all copies", numberOf)
    .option("--out <folder>", "where run folders go", "runs")
    .option(
      "--resume <run>",
      "continue a run where its last checkpoint left it, with --workers if they are to be others",
    )
    .option("--step <n>", "with --resume: the checkpoint to continue from instead of the last: a step, or best", stepOf)
    .option("--json", "print one JSON object");
}

function statesOption(): Option {
  const help = "held-out decisions: dev to tune methods by, test to report; looks at test are logged";
  return new Option("--states <set>", help).choices(["dev", "test"]).default("test");
}

/** A number, or what was typed: the check that follows shows it. */
function numberOf(text: string): number | string {
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function namesOf(text: string): string[] {
  return text.split(",");
}

/** `<axis>=<value>,…` @throws invalid-option */
function axisOf(text: string, before: RunStudyOptions["axes"] = {}): RunStudyOptions["axes"] {
  const [, name, list] = /^([\w-]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) {
    const message = `--axis wants name=value,value, got "${text}"`;
    throw new MagicMaskError("invalid-option", "trainer/main", message);
  }
  return { ...before, [name]: namesOf(list) };
}

/** @throws invalid-option */
function numbersOf(flag: string) {
  return (text: string) =>
    text.split(",").map((each) => {
      const value = Number(each);
      checkCount("trainer/main", flag, value);
      return value;
    });
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

/** @throws unknown-name */
function formatOf(name: string): Format {
  return byName("trainer/main", "--format", Object.fromEntries(FORMATS.map((format) => [format, format])), name);
}

/** `<file>` for all agents, `<agent>=<file>` for one. */
function policyOf(text: string, before: Config["policies"] = {}): Config["policies"] {
  const [, agent = ALL, file] = /^(?:([\w-]+)=)?(.*)$/s.exec(text) ?? [];
  return { ...before, [agent]: { file } };
}

/** Path of the run that is named, or of one that is made of policies trained elsewhere. @throws as `resolveConfig`; unsupported */
async function runToExplain(first: string | undefined, rest: readonly string[], flags: ExplainFlags): Promise<string> {
  if (!flags.policy) {
    if (first !== undefined && rest.length === 0) return first;
    const message = "explain wants one run folder, or --policy with a model, --env-id and key=value";
    throw new MagicMaskError("invalid-option", "trainer/main", message);
  }
  const config = resolveConfig({
    file: flags.config,
    flags: {
      seed: flags.seed,
      name: flags.name,
      backend: flags.backend,
      workers: flags.workers,
      environment: { id: flags.envId },
      training: { copies: flags.numEnvs },
      posthoc: { steps: flags.steps },
      policies: flags.policy,
    },
    overrides: first === undefined ? rest : [first, ...rest],
  });
  requireExplanation(config);
  return (await runTraining({ config, out: flags.runs })).path;
}

interface EvaluateFlags {
  readonly states?: StateSet;
  readonly curve?: boolean;
  readonly sanity?: boolean;
  readonly workers?: number | string;
}

/** Evaluates and keeps the figures; a look at the test states is noted before it is taken. */
async function evaluateRun(
  loaded: LoadedRun,
  { workers, ...flags }: EvaluateFlags,
  command: string,
): Promise<{ readonly run: LoadedRun; readonly evaluation: Evaluation }> {
  const { config, folder } = loaded;
  // Checked as the configuration's.
  const threads = workers === undefined ? config.workers : parseConfig({ ...config, workers }).workers;
  const states = flags.states ?? "test";
  const record = states === "test" ? await noteTestLook(folder.path, command) : loaded.record;
  const run = { ...loaded, record };
  const evaluation = await evaluate(run, {
    ...flags,
    states,
    workers: workersFor(threads, record.backend.name),
    truths: join(folder.path, "truth"),
  });
  await writeEvaluation(run, evaluation);
  for (const { state, where, ...warning } of diagnoseEvaluation(record.id, evaluation, config.evaluation.budget)) {
    if (state === "warning") process.stderr.write(`warning, ${where}: ${warningInWords(warning)}\n`);
  }
  return { run, evaluation };
}

/** @returns the explanation, and where its page lies */
async function explainRun(
  run: LoadedRun,
  path: string,
  flags: Omit<ExplainOptions, "command"> & { readonly out?: string },
) {
  const { game, moments, agent, rollouts, out = run.folder.resultsFolder("report") } = flags;
  const only = agent === undefined ? "" : ` --agent ${agent}`;
  const command = `magic-mask explain ${path} --game ${game} --moments ${moments}${only} --rollouts ${rollouts}`;
  const { explanation, episode } = explainEpisode(subjectOf(run), { game, moments, agent, rollouts, command });
  await writeEpisode(run, episode, game);
  return { explanation, page: await writeExplanation(explanation, out) };
}

/** @throws invalid-option */
function serverOf({ redis: url, redisUsername: username, redisPassword: password, ...flags }: RedisFlags): RedisServer {
  if (url === undefined) {
    const message = "give --redis redis://host:port, or MAGIC_MASK_REDIS";
    throw new MagicMaskError("invalid-option", "trainer/main", message);
  }
  const { tlsCa: ca, tlsCert: cert, tlsKey: key, tlsInsecure } = flags;
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const checked = tlsInsecure ? { ...tls, rejectUnauthorized: false } : tls;
  return {
    url,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(Object.keys(checked).length > 0 && { tls: checked }),
  };
}

function describeAgent({ folder, result, exitCode }: AgentOutcome): string {
  if (!result) return `stopped (${exitCode}); the same command goes on from ${folder}`;
  return `${formatAgent(result)}\n\nfolder: ${folder}`;
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
