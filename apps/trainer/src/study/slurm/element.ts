import { byName, checkCount, MagicMaskError } from "@magic-mask/core";
import { createInterrupt } from "../../terminal/interrupt.ts";
import { formatDuration } from "../../terminal/progress.ts";
import { addressOf } from "../../work/address.ts";
import { processHand } from "../processes.ts";
import { describeProgram, thisProgram } from "../queue/program.ts";
import type { FailedTask } from "../status.ts";
import { isMade, nameOf } from "../tasks.ts";
import { BEAT, writeReport } from "./element-report.ts";
import { readTasks, type Stage } from "./tasks-file.ts";

export interface ElementOutcome {
  /** Tasks that were done, or had been. */
  readonly done: number;
  readonly failures: readonly FailedTask[];
  /** 0; 1 if a task failed; 143 after Slurm's signal: what was in hand is kept as far as it came. */
  readonly exitCode: number;
}

const SOURCE = "trainer/slurm-element";
/** Milliseconds from one look at signals to the next. */
const PERIOD = 200;

/**
 * Does what one element of an array is to do; what is in the cache is not done again.
 *
 * @throws io, corrupt-file; unknown-name; invalid-option; unsupported where this program would come to other figures
 */
export async function runElement(file: string, stage: string, element: number): Promise<ElementOutcome> {
  const { stages, plan, study, cache, program } = readTasks(file);
  const elements = byName(SOURCE, "stage", stages, stage);
  checkCount(SOURCE, "element", element, 0, elements.length - 1);
  const own = thisProgram();
  if (addressOf(own) !== addressOf(program)) {
    const message = `${file} was written by ${describeProgram(program)}, and this is ${describeProgram(own)}; write it anew`;
    throw new MagicMaskError("unsupported", SOURCE, message);
  }
  const interrupt = createInterrupt();
  const hand = processHand(study, plan, cache);
  const watch = setInterval(() => interrupt.requested && hand.stop(), PERIOD);
  const failures: FailedTask[] = [];
  let done = 0;
  const startedAt = new Date().toISOString();
  let said = Promise.resolve();
  /** For those who ask how the study stands: one word after the other. */
  const tellAll = (hasEnded: boolean) => {
    const word = () =>
      writeReport(file, {
        stage: stage as Stage,
        element,
        failures,
        hasEnded,
        startedAt,
        saidAt: new Date().toISOString(),
      });
    said = said.then(word, word);
    return said;
  };
  let beat: NodeJS.Timeout | undefined;
  try {
    await tellAll(false);
    // What cannot be written now, the next word says.
    beat = setInterval(() => void tellAll(false).catch(() => {}), BEAT);
    for (const task of elements[element]) {
      if (interrupt.requested) break;
      const what = nameOf(plan, task);
      const begun = performance.now();
      const tell = (how: string) =>
        process.stderr.write(`${what}: ${how} after ${formatDuration((performance.now() - begun) / 1000)}\n`);
      try {
        const made = (await isMade(plan, task, cache)) || (await hand.run(task));
        done += Number(made);
        tell(made ? "done" : "stopped");
      } catch (error) {
        // Where one fails the others may not.
        failures.push({ what, tries: 1, error: (error as Error).message });
        tell(`failed, ${(error as Error).message}`);
      }
      await tellAll(false);
    }
    clearInterval(beat);
    await tellAll(true);
  } finally {
    clearInterval(watch);
    clearInterval(beat);
    await hand.close();
    interrupt.restore();
  }
  return { done, failures, exitCode: interrupt.exitCode || Number(failures.length > 0) };
}
