import { isMagicMaskError } from "@magic-mask/core";
import { Command, CommanderError } from "commander";
import { addAgent } from "./commands/agent.ts";
import { addCompare } from "./commands/compare.ts";
import { addEvaluate } from "./commands/evaluate.ts";
import { addExplain } from "./commands/explain.ts";
import { addExport } from "./commands/export.ts";
import { addReport } from "./commands/report.ts";
import { addSolve } from "./commands/solve.ts";
import { addStart } from "./commands/start.ts";
import { addStatus } from "./commands/status.ts";
import { addStudy } from "./commands/study.ts";
import { addTask } from "./commands/task.ts";
import { addTrain } from "./commands/train.ts";
import { addWorker } from "./commands/worker.ts";

/** What went wrong outside of our control. */
const FAILED = 1;
/** A command line, configuration, file or run that cannot be used; nothing was begun. */
const BAD_INPUT = 2;
/** Codes of what went wrong on the way: in a thread or process of ours, or in learning itself. */
const LOST = ["worker-lost", "corrupt-message", "diverged"];

/**
 * Does what a command line asks for. What is wrong is written to stderr, and to `process.exitCode`.
 *
 * @param args after the program's name
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  try {
    const program = await createProgram();
    await program.parseAsync(args, { from: "user" });
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
}

/** The command line. Whoever parses with it answers for what is thrown. */
export async function createProgram(): Promise<Command> {
  const program = new Command("magic-mask")
    .description("Trains teams of agents and explains which moments decided their games.")
    .exitOverride()
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failure, 2 bad usage or input, 130 after Ctrl-C (the run is saved).",
    );
  // In the order of the help. An action imports what it works with itself: no command waits for what it does not need.
  await addTrain(program);
  addEvaluate(program);
  addExplain(program);
  addExport(program);
  addSolve(program);
  addCompare(program);
  await addStudy(program);
  addStatus(program);
  addReport(program);
  addWorker(program);
  addTask(program);
  addAgent(program);
  addStart(program);
  return program;
}
