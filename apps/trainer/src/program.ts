import { Command } from "commander";
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
