import { Worker } from "node:worker_threads";
import { type ErrorCode, MagicMaskError } from "./error.ts";

/** What a thread is to hold: the object that `export` of `module`, called with `options`, returns or promises. */
export interface ThreadDescription {
  /** URL of a module: `file:`, or `data:` for one that imports nothing of ours. TypeScript needs the package tsx beside it. */
  readonly module: string;
  readonly export: string;
  /** Whatever structured cloning carries. */
  readonly options: unknown;
}

/** An object in a thread of its own. */
export interface Thread {
  /**
   * Calls one of the object's methods; calls that arrive while one is awaited are begun, as in this thread.
   *
   * @param args, and what is returned, as structured cloning carries them
   * @throws what the method throws, or what making the object threw: ours with their fields; worker-lost if the thread ends
   */
  call<T>(method: string, ...args: unknown[]): Promise<T>;
  /** Ends the thread; calls that wait are lost. */
  close(): Promise<void>;
}

const SOURCE = "core/threads";

/**
 * Starts a thread that makes an object and answers calls to it. It keeps the process from exiting only while a call waits.
 *
 * The first call tells whether the object could be made.
 */
export function startThread(description: ThreadDescription): Thread {
  const { module } = description;
  const execArgv = execArgvFor(module);
  const worker = new Worker(BOOTSTRAP, {
    eval: true,
    workerData: { ...description, typescript: isTypeScript(module) },
    ...(execArgv && { execArgv }),
  });
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  let calls = 0;
  let trouble: Error | undefined;
  let lost: MagicMaskError | undefined;

  const settle = (id: number) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    return call;
  };
  worker.on("message", ({ id, result, error }) => {
    if (error) settle(id)?.reject(reviveError(error));
    else settle(id)?.resolve(result as never);
  });
  worker.on("error", (error) => {
    trouble = error;
  });
  worker.on("exit", (code) => {
    const why = trouble ? `: ${trouble.message}` : "";
    const message = `a worker thread ended (exit code ${code}) before it had answered${why}`;
    lost = new MagicMaskError("worker-lost", SOURCE, message, { cause: trouble });
    for (const id of [...waiting.keys()]) settle(id)?.reject(lost);
  });
  // After the listeners: adding one for messages undoes it.
  worker.unref();

  return {
    call(method, ...args) {
      if (lost) return Promise.reject(lost);
      const id = calls++;
      return new Promise((resolve, reject) => {
        worker.postMessage({ id, method, args });
        waiting.set(id, { resolve, reject });
        worker.ref();
      });
    },
    async close() {
      await worker.terminate();
    },
  };
}

const isTypeScript = (module: string) => /\.[mc]?ts$/.test(module);

/** Source runs as this workspace runs it; a `data:` module needs none of the process's loaders; the rest inherits them. */
function execArgvFor(module: string): string[] | undefined {
  if (isTypeScript(module)) return ["--conditions=@magic-mask/source"];
  return module.startsWith("data:") ? [] : undefined;
}

/**
 * What a thread runs: plain CommonJS in a string, which works from source, from a bundle of either kind and inside test runners
 * alike. Node 20 starts no worker from TypeScript, so tsx is registered here; the ES module of it, as its other cannot on Node 20.
 */
const BOOTSTRAP = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { createRequire } = require("node:module");
  const { pathToFileURL } = require("node:url");

  async function registerTypeScript(module) {
    const near = createRequire(module);
    const manifest = near.resolve("tsx/package.json");
    const { import: target } = near(manifest).exports["./esm/api"];
    const { register } = await import(new URL(target.default ?? target, pathToFileURL(manifest)).href);
    register();
  }

  async function make() {
    const { module, export: name, options, typescript } = workerData;
    if (typescript) await registerTypeScript(module);
    const found = (await import(module))[name];
    if (typeof found !== "function") throw new TypeError(module + " exports no function " + name);
    return found(options);
  }

  const made = make();
  made.catch(() => {});
  parentPort.on("message", async ({ id, method, args }) => {
    try {
      parentPort.postMessage({ id, result: await (await made)[method](...args) });
    } catch (error) {
      const { name, code, source, message, stack } = error instanceof Object ? error : { message: String(error) };
      parentPort.postMessage({ id, error: { name, code, source, message, stack } });
    }
  });
`;

/** Cloning drops an error's class and, with it, its fields: they travel as a plain object, to be picked from any error. */
export interface ErrorFields {
  readonly name?: string | undefined;
  readonly code?: string | undefined;
  readonly source?: string | undefined;
  readonly message: string;
  readonly stack?: string | undefined;
}

/** The fields of whatever was thrown. */
export function fieldsOf(error: unknown): ErrorFields {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, code, source, message, stack } = error as Error & Pick<ErrorFields, "code" | "source">;
  return { name, code, source, message, stack };
}

/** The error that these are the fields of. */
export function reviveError({ name, code, source, message, stack }: ErrorFields): Error {
  const error =
    name === "MagicMaskError"
      ? new MagicMaskError(code as ErrorCode, `${source}`, message.slice(`[${source}] `.length))
      : new Error(message);
  // Where it happened is in the other thread.
  if (stack) error.stack = stack;
  return error;
}
