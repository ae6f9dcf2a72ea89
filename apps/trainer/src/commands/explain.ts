import { type Command, Option } from "commander";
import { ESTIMATORS } from "../explanation/estimators.ts";
import type { ExplainOptions } from "../explanation/explain-episode.ts";
import { numberOf, type WorldFlags, withWorldFlags } from "./flags.ts";
import { examples } from "./help.ts";
import { print } from "./print.ts";

/** How much is measured unless it is told otherwise. */
export const MOMENTS = 5;
export const ROLLOUTS = 128;

export interface ExplainFlags extends WorldFlags, Omit<ExplainOptions, "command"> {
  /** As they were typed. */
  readonly policy?: readonly string[];
  readonly steps?: number | string;
  readonly runs: string;
  readonly out?: string;
  readonly json?: boolean;
}

const EXAMPLES = [
  "magic-mask explain runs/connect_four_v0__magic-mask__s1__20260101T000000Z-abc123 --game 3",
  "magic-mask explain --policy model.onnx --env-id cartpole_v1",
  "magic-mask explain --policy player_0=a.onnx --policy player_1=b.onnx --env-id connect_four_v0 \\",
  "  environment.options.observation=planes policies.player_1.as=logits",
];

export function addExplain(program: Command): void {
  withWorldFlags(
    program
      .command("explain [run]")
      .usage("<run> [options]\n       magic-mask explain --policy <model.onnx> --env-id <id> [key=value...] [options]")
      .argument("[key=value...]", "with --policy: configuration overrides such as posthoc.epochs=10")
      .description(
        "explain a held-out game of a finished run, or of policies trained elsewhere: what was critical, and a page that replays it",
      )
      .option(
        "--policy <file>",
        "an ONNX model to explain; <agent>=<file>, once for each, where they differ",
        (text: string, before: readonly string[] = []) => [...before, text],
      ),
    "with --policy, as are the options up to --runs: which world (default: connect_four_v0)",
  )
    .option("--steps <n>", "environment steps that the explanation is learned from", numberOf)
    .option("--runs <folder>", "where the run folder goes", "runs")
    .option("--game <k>", "which held-out game, 0, 1, …", Number, 0)
    .option("--moments <n>", "decisions of each agent that are measured", Number, MOMENTS)
    .addOption(
      new Option(
        "--by <what>",
        "what picks them (default: both, or the mask alone where the world cannot be copied)",
      ).choices([...ESTIMATORS]),
    )
    .option("--agent <name>", "measure decisions of this agent alone")
    .option("--rollouts <n>", "continuations per legal action of each of them", Number, ROLLOUTS)
    .option("--out <folder>", "where game-<k>.html, .md and .json go (default: the run's report/)")
    .option("--json", "print one JSON object")
    .addHelpText("after", `${examples(EXAMPLES)}\nTakes the keys of \`magic-mask train --help\`.`)
    .action(async (first: string | undefined, rest: string[], flags: ExplainFlags) => {
      const { explainRun, runToExplain } = await import("./explain-run.ts");
      const { describeGiven } = await import("../given.ts");
      const { loadRun } = await import("../load-run.ts");
      const { formatExplanation } = await import("../terminal/report.ts");
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
}
