import { isMagicMaskError } from "@magic-mask/core";
import { CommanderError } from "commander";
import { createProgram } from "./program.ts";

/** What went wrong outside of our control. */
const FAILED = 1;
/** A command line, configuration, file or run that cannot be used; nothing was begun. */
const BAD_INPUT = 2;
/** Codes of what went wrong on the way: in a thread or process of ours, or in learning itself. */
const LOST = ["worker-lost", "corrupt-message", "diverged"];

// Whoever reads the output may have had enough of it.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  const program = await createProgram();
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : BAD_INPUT;
  } else if (isMagicMaskError(error)) {
    process.stderr.write(`error ${error.code}: ${error.message}\n`);
    process.exitCode = LOST.includes(error.code) ? FAILED : BAD_INPUT;
  } else {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exitCode = FAILED;
  }
}
