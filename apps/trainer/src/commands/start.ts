import type { Command } from "commander";
import { MOMENTS, ROLLOUTS } from "./explain.ts";
import { type TrainFlags, withTrainingFlags } from "./flags.ts";
import { print } from "./print.ts";
import { describeOutcome } from "./train.ts";

export function addStart(program: Command): void {
  withTrainingFlags(program.command("start"))
    .description("the whole job: train on Connect 4, evaluate, and explain one game")
    .addHelpText("after", "\nExample:\n  magic-mask start --seed 2\n\nTakes the keys of `magic-mask train --help`.")
    .action(async (overrides: string[], flags: TrainFlags) => {
      const { askedRun } = await import("./asked-run.ts");
      const { evaluateRun } = await import("./evaluate-run.ts");
      const { explainRun } = await import("./explain-run.ts");
      const { requireExplanation } = await import("../load-run.ts");
      const { formatEvaluation, formatExplanation } = await import("../terminal/report.ts");
      const { runTraining } = await import("../training-run.ts");
      const asked = askedRun(overrides, flags);
      // Before any work is done: without masks there would be nothing to evaluate.
      if ("config" in asked) requireExplanation(asked.config);
      const outcome = await runTraining(asked);
      if (outcome.exitCode !== 0) {
        print(flags, outcome, () => describeOutcome(outcome));
        return;
      }
      const { run, evaluation } = await evaluateRun(outcome.path, {}, "start");
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
}
