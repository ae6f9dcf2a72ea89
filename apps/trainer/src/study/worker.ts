/** A process that does a study's tasks for the one that started it (`processes.ts`). */
import { fieldsOf } from "@magic-mask/core/threads";
import { askToStop, createSignals, shareDone } from "../work/signals.ts";
import { type Bench, openBench } from "./bench.ts";
import type { FromWorker, ToWorker } from "./processes.ts";
import { loadStudy } from "./registry.ts";

/** Milliseconds from one word on the task in hand to the next. */
const PERIOD = 200;

const signals = createSignals();
let bench: Promise<Bench> | undefined;
const tell = (message: FromWorker) => process.send?.(message);

process.on("message", async (message: ToWorker) => {
  if (message.kind === "stop") {
    askToStop(signals);
    return;
  }
  if (message.kind === "open") {
    const { study, plan, cache } = message;
    bench = loadStudy(study).then((loaded) => openBench(loaded, plan, cache, signals));
    // Whoever asks for a task is told.
    bench.catch(() => {});
    return;
  }
  const watch = setInterval(() => tell({ kind: "share", share: shareDone(signals) }), PERIOD);
  try {
    const done = await (await (bench as Promise<Bench>)).run(message.task);
    tell({ kind: "done", done });
  } catch (error) {
    tell({ kind: "failed", error: fieldsOf(error) });
  } finally {
    clearInterval(watch);
  }
});

// Who started this process decides when it stops; Ctrl-C reaches both.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.exit());
