import type { Command } from "commander";
import { print } from "./print.ts";

export function addSolve(program: Command): void {
  program
    .command("solve <moves>")
    .description("print the exact score of every move of Connect 4 after these moves, a digit each, columns 1 to 7")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  magic-mask solve 44444335355777\n\nAfter 12 moves it takes about a second, after 8 some seconds; the fewer, the longer.",
    )
    .action(async (moves: string, flags: { json?: boolean }) => {
      const { formatSolution, solveMoves } = await import("../solve.ts");
      const solution = solveMoves(moves);
      print(flags, solution, () => formatSolution(solution));
    });
}
