import type { Command } from "commander";
import { createProgram } from "../src/program.ts";

/** The words that a shell makes of it. */
const wordsOf = (line: string) =>
  [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, "$1$2"));

/** What a command line asks for. */
export interface Asked {
  readonly verb: string;
  /** Arguments by their names. */
  readonly args: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Reads a line as the program reads it, and does none of it. */
export async function askedBy(line: string): Promise<Asked> {
  const program = await createProgram();
  let asked: Asked | undefined;
  const refuse = (command: Command) =>
    command.exitOverride().configureOutput({
      writeErr: (message) => {
        throw new Error(message);
      },
    });
  refuse(program);
  for (const command of program.commands) {
    refuse(command).action(() => {
      const { registeredArguments, processedArgs } = command;
      const args = Object.fromEntries(registeredArguments.map((argument, i) => [argument.name(), processedArgs[i]]));
      asked = { verb: command.name(), args, flags: command.opts() };
    });
  }
  const words = wordsOf(line);
  await program.parseAsync(words.slice(words.indexOf("magic-mask") + 1), { from: "user" });
  if (!asked) throw new Error(`"${line}" asks for nothing`);
  return asked;
}
