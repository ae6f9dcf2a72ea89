import type { Command } from "commander";
import { print } from "./print.ts";

export function addSolve(program: Command): void {
  program
    .command("solve <moves>")
    .description("print the exact score of every move of Connect 4 after these moves, a digit each, columns 1 to 7")
    .option("--game", "take the moves for a whole game and say what was at stake in each, from the ninth on")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  magic-mask solve 44444335355777\n  magic-mask solve 4444433535577766 --game\n\nAfter 12 moves it takes about a second, after 8 some seconds; the fewer, the longer.",
    )
    .action(async (moves: string, flags: { game?: boolean; json?: boolean }) => {
      const { formatGame, formatSolution, solveGame, solveMoves } = await import("../solve.ts");
      if (flags.game) {
        const labelled = solveGame(moves);
        print(flags, { moves, labelled }, () => formatGame(labelled));
        return;
      }
      const solution = solveMoves(moves);
      print(flags, solution, () => formatSolution(solution));
    });
}
