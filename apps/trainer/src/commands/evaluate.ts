import type { Command } from "commander";
import type { StateSet } from "../truth/truth-of.ts";
import { statesOption, workersOf } from "./flags.ts";
import { print } from "./print.ts";

export interface EvaluateFlags {
  readonly states?: StateSet;
  readonly curve?: boolean;
  readonly sanity?: boolean;
  readonly workers?: number | string;
}

export function addEvaluate(program: Command): void {
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
      const { evaluateRun } = await import("./evaluate-run.ts");
      const { formatEvaluation } = await import("../terminal/report.ts");
      const { run, evaluation } = await evaluateRun(path, flags, "evaluate");
      print(flags, evaluation, () => formatEvaluation(evaluation, run.record, run.config));
    });
}
