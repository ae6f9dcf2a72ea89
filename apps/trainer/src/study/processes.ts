import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MagicMaskError } from "@magic-mask/core";
import { type ErrorFields, reviveError } from "@magic-mask/core/threads";
import type { Hand } from "../work/pool.ts";
import type { Task } from "./bench.ts";
import type { OpenEngine } from "./engine.ts";
import type { StudyPlan } from "./plan.ts";

/** What a worker process is told. */
export type ToWorker =
  | { readonly kind: "open"; readonly study: string; readonly plan: StudyPlan; readonly cache: string }
  | { readonly kind: "run"; readonly task: Task }
  | { readonly kind: "stop" };

/** What it tells: how far it is, and how the task ended. */
export type FromWorker =
  | { readonly kind: "share"; readonly share: number }
  | { readonly kind: "done"; readonly done: boolean }
  | { readonly kind: "failed"; readonly error: ErrorFields };

const SOURCE = "trainer/study-processes";

/** A hand that is a process. */
export interface ProcessHand extends Hand<Task> {
  /** Ends the process, once its task is done. */
  close(): Promise<void>;
  /** Ends the process at once: its task fails. */
  kill(): void;
}

/** Processes of this machine. */
export const localProcesses =
  (workers: number): OpenEngine =>
  async ({ study, plan, cache }) => {
    const hands = Array.from({ length: workers }, () => processHand(study, plan, cache));
    return {
      hands,
      workers: () => workers,
      tell: () => {},
      close: async () => void (await Promise.all(hands.map((hand) => hand.close()))),
    };
  };

/**
 * A worker process, started with its first task. One that dies has its task fail; the next task gets a new one.
 *
 * @param study as `loadStudy` takes it
 */
export function processHand(study: string, plan: StudyPlan, cache: string): ProcessHand {
  let child: ChildProcess | undefined;
  let share = 0;
  let current: { resolve(done: boolean): void; reject(error: Error): void } | undefined;

  const start = () => {
    const started = fork(fileURLToPath(WORKER), {
      execArgv: WORKER.endsWith(".ts") ? typescript() : process.execArgv,
      // Standard output is for what this program prints.
      stdio: ["ignore", process.stderr, "inherit", "ipc"],
      serialization: "advanced",
    });
    started.on("message", (message: FromWorker) => {
      if (message.kind === "share") share = message.share;
      else if (message.kind === "done") current?.resolve(message.done);
      else current?.reject(reviveError(message.error));
    });
    const end = (error: Error) => {
      if (child === started) child = undefined;
      current?.reject(error);
    };
    started.on("error", end);
    started.on("exit", (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      end(new MagicMaskError("worker-lost", SOURCE, `a worker process ended (${how}) in the middle of a task`));
    });
    send(started, { kind: "open", study, plan, cache });
    return started;
  };

  return {
    run(task) {
      child ??= start();
      share = 0;
      const worker = child;
      return new Promise<boolean>((resolve, reject) => {
        current = { resolve, reject };
        send(worker, { kind: "run", task });
      });
    },
    share: () => share,
    stop: () => child && send(child, { kind: "stop" }),
    kill: () => void child?.kill("SIGKILL"),
    async close() {
      const worker = child;
      if (!worker) return;
      const ended = new Promise((resolve) => worker.once("exit", resolve));
      worker.disconnect();
      await ended;
    },
  };
}

/** A process that is gone is noticed by its end. */
function send(worker: ChildProcess, message: ToWorker): void {
  worker.send(message, () => {});
}

/** The source runs as this workspace runs it. */
function typescript(): string[] {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return ["--import", tsx, "--conditions=@magic-mask/source"];
}

/** Beside this file in the source; beside the program, where this is a part of, in the build. */
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./study/worker.js", import.meta.url).href;
