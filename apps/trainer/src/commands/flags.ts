import { checkCount } from "@magic-mask/core";
import { type Command, Option } from "commander";

/** Where errors in a command line are said to come from. */
export const SOURCE = "trainer/main";

export interface WorldFlags {
  readonly envId?: string;
  readonly seed?: number | string;
  readonly numEnvs?: number | string;
  readonly backend?: string;
  readonly workers?: number | string;
  readonly name?: string;
  readonly config?: string;
}

export interface TrainFlags extends WorldFlags {
  readonly totalTimesteps?: number | string;
  readonly out: string;
  readonly resume?: string;
  readonly step?: number | "best";
  readonly json?: boolean;
}

/** The same as `resolveConfig` takes it. */
export const worldOf = ({ seed, name, backend, workers, envId }: WorldFlags) => ({
  seed,
  name,
  backend,
  workers,
  environment: { id: envId },
});

/** What says which world is played, on what, and where its configuration comes from. */
export function withWorldFlags(command: Command, which: string): Command {
  return command
    .option("--env-id <id>", which)
    .option("--seed <n>", "root of all chance", numberOf)
    .option("--num-envs <n>", "copies of the world", numberOf)
    .option("--backend <name>", "what runs the networks, or auto")
    .option("--workers <n>", "threads for playing and learning, or auto", workersOf)
    .option("--name <name>", "goes into the name of the run folder")
    .option("--config <file>", "YAML file with configuration keys; flags and overrides win");
}

export function withTrainingFlags(command: Command): Command {
  return withWorldFlags(
    command.argument("[key=value...]", "configuration overrides such as training.clip=0.1"),
    "which world (default: connect_four_v0)",
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

export function statesOption(): Option {
  const help = "held-out decisions: dev to tune methods by, test to report; looks at test are logged";
  return new Option("--states <set>", help).choices(["dev", "test"]).default("test");
}

/** A number, or what was typed: the check that follows shows it. */
export function numberOf(text: string): number | string {
  return Number.isNaN(Number(text)) ? text : Number(text);
}

export function namesOf(text: string): string[] {
  return text.split(",");
}

export function workersOf(text: string): number | string {
  return text === "auto" ? text : numberOf(text);
}

/** @throws invalid-option */
function stepOf(text: string): number | "best" {
  if (text === "best") return text;
  const step = Number(text);
  checkCount(SOURCE, "--step", step, 0);
  return step;
}
