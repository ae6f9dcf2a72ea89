import { join } from "node:path";
import { workersFor } from "../backend.ts";
import { parseConfig } from "../config.ts";
import { diagnoseEvaluation } from "../diagnostics/limits.ts";
import { warningInWords } from "../diagnostics/watch.ts";
import { type Evaluation, evaluate } from "../evaluate.ts";
import { type LoadedRun, loadRun } from "../load-run.ts";
import { noteTestLook } from "../run/test-looks.ts";
import { writeEvaluation } from "../write-results.ts";
import type { EvaluateFlags } from "./evaluate.ts";

/** Evaluates the run of a folder and keeps the figures; a look at the test states is noted before it is taken. */
export async function evaluateRun(
  path: string,
  { workers, ...flags }: EvaluateFlags,
  command: string,
): Promise<{ readonly run: LoadedRun; readonly evaluation: Evaluation }> {
  const loaded = await loadRun(path);
  const { config, folder } = loaded;
  // Checked as the configuration's.
  const threads = workers === undefined ? config.workers : parseConfig({ ...config, workers }).workers;
  const states = flags.states ?? "test";
  const record = states === "test" ? await noteTestLook(folder.path, command) : loaded.record;
  const run = { ...loaded, record };
  const evaluation = await evaluate(run, {
    ...flags,
    states,
    workers: workersFor(threads, record.backend.name),
    truths: join(folder.path, "truth"),
  });
  await writeEvaluation(run, evaluation);
  for (const { state, where, ...warning } of diagnoseEvaluation(record.id, evaluation, config.evaluation.budget)) {
    if (state === "warning") process.stderr.write(`warning, ${where}: ${warningInWords(warning)}\n`);
  }
  return { run, evaluation };
}
