import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { workersOf } from "./flags.ts";
import { print } from "./print.ts";
import { type RedisFlags, serverOf, withRedisFlags } from "./redis.ts";

interface WorkerFlags extends RedisFlags {
  readonly cache: string;
  readonly jobs: number | string;
  readonly patience: number;
  readonly json?: boolean;
}

const NOTES = `
Examples, on any machines that reach the server:
  magic-mask study communication --engine bullmq --redis redis://10.0.0.5
  magic-mask worker --redis redis://10.0.0.5 --jobs 4
  magic-mask status --redis redis://10.0.0.5

Workers come and go. One that is killed loses its tasks to others, which go on from the last checkpoint; Ctrl-C gives them back at once.
A worker must be of the same commit, major version of Node and architecture as the study. Secrets are better given by environment
variables: MAGIC_MASK_REDIS, MAGIC_MASK_REDIS_USERNAME, MAGIC_MASK_REDIS_PASSWORD.`;

export function addWorker(program: Command): void {
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
    .addHelpText("after", NOTES)
    .action(async (flags: WorkerFlags) => {
      const { cache, patience } = flags;
      const jobs = flags.jobs === "auto" ? availableParallelism() : (flags.jobs as number);
      const server = serverOf(flags);
      const { runWorker } = await import("../study/queue/worker.ts");
      const outcome = await runWorker({ server, cache, jobs, patience });
      print(flags, outcome, () => `${outcome.done} tasks done, ${outcome.failed} failed`);
    });
}
