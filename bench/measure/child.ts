import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

/** A process that answers requests, one JSON line each way. What it does is its own: no other figure's code has run in it. */
export interface Child {
  /** What it said first. */
  readonly hello: Readonly<Record<string, unknown>>;
  /** @throws Error with what it wrote to standard error, if it ends instead of answering */
  ask<Reply>(request: unknown): Promise<Reply>;
  close(): void;
}

/** The Python that has the peers' packages. */
const python = () => process.env.MAGIC_MASK_PYTHON ?? "python3";
/** What makes Node run this workspace from source. */
const SOURCE = [
  "--import",
  pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href,
  "--conditions=@magic-mask/source",
];

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Starts this Node on a module that exports `start(options)`, which returns what answers requests.
 *
 * @param module path from `bench/`
 */
export const startNode = (module: string, options: unknown): Promise<Child> =>
  start(process.execPath, [...SOURCE, here("serve.ts"), here(`../${module}`)], options);

/**
 * Starts a script of `bench/python` in the Python that `MAGIC_MASK_PYTHON` names.
 *
 * @returns or why it cannot be had: no Python, or a package that it lacks
 */
export async function startPython(script: string, options: unknown): Promise<Child | string> {
  const command = python();
  try {
    const child = await start(command, [here(`../python/${script}`)], options);
    if (typeof child.hello.missing !== "string") return child;
    child.close();
    return `${command} has no ${child.hello.missing}; name one that has in MAGIC_MASK_PYTHON`;
  } catch (error) {
    return `${command} does not run ${script}: ${(error as Error).message}`;
  }
}

async function start(command: string, args: readonly string[], options: unknown): Promise<Child> {
  const process = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  let complaints = "";
  process.stderr.on("data", (data) => {
    complaints = `${complaints}${data}`.slice(-2000);
  });
  process.stdin.on("error", () => {});
  const ended = endOf(process, () => complaints);
  ended.catch(() => {});
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  const ask = async <Reply>(request: unknown): Promise<Reply> => {
    process.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await Promise.race([lines.next(), ended]);
    return line.done ? await ended : JSON.parse(line.value);
  };
  const hello = await ask<Child["hello"]>(options);
  return { hello, ask, close: () => process.stdin.end() };
}

function endOf(process: ChildProcess, complaints: () => string): Promise<never> {
  return new Promise((_, reject) => {
    process.once("error", reject);
    process.once("close", (code) => reject(new Error(`it ended with code ${code}. ${complaints()}`.trim())));
  });
}
