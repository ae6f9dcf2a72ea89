import type { Command } from "commander";

/** Command lines to copy, under a command's options. */
export const examples = (lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}\n`).join("")}`;

/** Adds a text that takes long to make behind a command's help: only where the command is named, as by `study --help` or `help study`. */
export async function addSlowHelp(command: Command, text: () => Promise<string>): Promise<void> {
  // Commander waits for no text, and for nothing at all in `help study`.
  if (process.argv.includes(command.name(), 2)) command.addHelpText("after", await text());
}
