import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Whether this is the source, and not the build. */
const IS_SOURCE = import.meta.url.endsWith(".ts");

/** What Node is given to run a file of this program: the source runs as this workspace runs it. */
export function nodeOptions(): string[] {
  if (!IS_SOURCE) return process.execArgv;
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return ["--import", tsx, "--conditions=@magic-mask/source"];
}

/** A file of this program: its path below `src` without ending, as it is in `tsup.config.ts`. */
export const fileOfProgram = (name: string): string =>
  // In the build, this lies in the folder of the main file, below which the others are.
  fileURLToPath(new URL(IS_SOURCE ? `../${name}.ts` : `./${name}.js`, import.meta.url));
