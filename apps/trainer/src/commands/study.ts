import { MagicMaskError } from "@magic-mask/core";
import { type Command, Option } from "commander";
import type { RunStudyOptions } from "../study/run-study.ts";
import { commandTyped } from "../terminal/typed.ts";
import type { StateSet } from "../truth/truth-of.ts";
import { namesOf, SOURCE, statesOption, workersOf } from "./flags.ts";
import { addSlowHelp, examples } from "./help.ts";
import { print } from "./print.ts";
import { type RedisFlags, serverOf, withRedisFlags } from "./redis.ts";

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

const EXAMPLES = [
  "magic-mask study communication --quick",
  "magic-mask study communication --cost",
  "magic-mask study communication --axis mode=none,perturbed --axis environment=pong_walls_v0 evaluation.states=1000",
  "magic-mask study my-study.ts",
  "magic-mask study communication --engine bullmq --redis redis://10.0.0.5",
  "magic-mask study communication --paper --engine slurm --cache /shared/study",
];

const NOTES = `
Says what it costs before it starts. Stop it with Ctrl-C, or kill it, and give the same command again: only what is missing is made.
What fails is tried once more, then reported; the exit code is then 1. Takes the keys of \`magic-mask train --help\`.`;

export async function addStudy(program: Command): Promise<void> {
  const command = withRedisFlags(
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
    .option(
      "--axis <name=list>",
      "values of an axis instead of the study's own, of seed two at least; once for each axis",
      axisOf,
    )
    .option("--cost", "say what it would cost, and no more")
    .addOption(statesOption())
    .option(
      "--workers <n>",
      "processes here, or auto: one for each core; results do not depend on it",
      workersOf,
      "auto",
    )
    .option("--out <folder>", "where the results go (default: studies/<id>)")
    .option(
      "--cache <folder>",
      "policies, truths and trials that are done; what is there is not made again",
      "runs/study",
    )
    .option("--json", "print one JSON object")
    .action(async (study: string, overrides: string[], { quick, paper, axis, cost, ...flags }: StudyFlags) => {
      if (quick && paper) throw new MagicMaskError("invalid-option", SOURCE, "give --quick or --paper, not both");
      const command = commandTyped();
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
        const { describeSlurm, writeSlurm } = await import("../study/slurm/write-slurm.ts");
        const written = await writeSlurm(about);
        print(flags, written, () => describeSlurm(written));
        return;
      }
      const by = engine === "bullmq" && !cost ? { engine: await queueOf(flags) } : {};
      const { runStudy } = await import("../study/run-study.ts");
      const { formatCost, formatStudy, plain } = await import("../study/write.ts");
      const { results, ...outcome } = await runStudy({ ...about, ...by, costOnly: cost === true });
      print(flags, { ...outcome, ...(results && plain(results)) }, () => {
        if (results) return `${formatStudy(results)}\n\nresults: ${outcome.out}`;
        return outcome.exitCode === 0 ? formatCost(outcome.cost) : "stopped before the end";
      });
    });
  await addSlowHelp(command, async () => `${examples(EXAMPLES)}${NOTES}\n\n${await listOfStudies()}`);
}

/** `<axis>=<value>,…` @throws invalid-option */
function axisOf(text: string, before: RunStudyOptions["axes"] = {}): RunStudyOptions["axes"] {
  const [, name, list] = /^([\w-]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) {
    const message = `--axis wants name=value,value, got "${text}"`;
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  return { ...before, [name]: namesOf(list) };
}

async function queueOf(flags: RedisFlags) {
  const { redisQueue } = await import("../study/queue/engine.ts");
  return redisQueue(serverOf(flags));
}

async function listOfStudies(): Promise<string> {
  const { studies } = await import("../study/registry.ts");
  const lines = Object.values(studies).map(({ id, question }) => `  ${id.padEnd(16)} ${question}`);
  return ["Studies:", ...lines].join("\n");
}
