import { checkCount } from "@magic-mask/core";
import type { Command } from "commander";
import type { CompareOptions } from "../compare/compare.ts";
import { commandTyped } from "../terminal/typed.ts";
import { namesOf, SOURCE, statesOption, workersOf } from "./flags.ts";
import { examples } from "./help.ts";
import { print } from "./print.ts";

type CompareFlags = Omit<CompareOptions, "file" | "overrides" | "command"> & {
  readonly config?: string;
  readonly json?: boolean;
};

const EXAMPLES = [
  "magic-mask compare --env-id tictactoe_v0 --quick",
  "magic-mask compare --env-id connect_four_v0 --out results/compare/connect_four_v0",
  "magic-mask compare --env-id pong_v0 --explainers advantage,entropy --states dev --seeds 1,2,3,4,5",
];

const NOTES = `
Stop it with Ctrl-C, or kill it, and give the same command again: only what is missing is made.
Takes the keys of \`magic-mask train --help\`.`;

export function addCompare(program: Command): void {
  program
    .command("compare")
    .description("hold all explainers against ground truth on frozen policies: a table, intervals over policies, plots")
    .argument("[key=value...]", "configuration overrides such as evaluation.states=500")
    .option("--env-id <id>", "which world (default: connect_four_v0)")
    .option("--seeds <list>", "policies to train, by seed, two at least (default: 1,2,3)", numbersOf("--seeds"))
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
    .addHelpText("after", `${examples(EXAMPLES)}${NOTES}`)
    .action(async (overrides: string[], { config: file, ...flags }: CompareFlags) => {
      const { compare } = await import("../compare/compare.ts");
      const { formatComparison } = await import("../compare/write.ts");
      const command = commandTyped();
      const outcome = await compare({ ...flags, file, overrides, command });
      const { comparison, ...rest } = outcome;
      print(flags, { ...rest, ...comparison }, () =>
        comparison ? `${formatComparison(comparison)}\n\nresults: ${outcome.out}` : "stopped",
      );
    });
}

/** @throws invalid-option */
function numbersOf(flag: string) {
  return (text: string) =>
    text.split(",").map((each) => {
      const value = Number(each);
      checkCount(SOURCE, flag, value);
      return value;
    });
}
