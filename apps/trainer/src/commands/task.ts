import type { Command } from "commander";
import { print } from "./print.ts";

export function addTask(program: Command): void {
  program
    .command("task <file> <stage> <element>")
    .description("do the share of one element of a Slurm array; what study --engine slurm writes calls it")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  magic-mask task studies/communication/slurm/tasks.json policies 3")
    .action(async (file: string, stage: string, element: string, flags: { json?: boolean }) => {
      const { runElement } = await import("../study/slurm/element.ts");
      const outcome = await runElement(file, stage, Number(element));
      print(flags, outcome, () => `${outcome.done} tasks done, ${outcome.failures.length} failed`);
    });
}
