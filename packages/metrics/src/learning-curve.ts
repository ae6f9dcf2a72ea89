import { MagicMaskError } from "@magic-mask/core";
import { checkFinite, checkPaired } from "./checks.ts";
import type { Interval } from "./interval.ts";
import { tInterval } from "./t-interval.ts";

/** How one run went. */
export interface RunCurve {
  /** [P] environment steps, ascending. */
  readonly steps: ArrayLike<number>;
  /** [P] */
  readonly values: ArrayLike<number>;
}

const SOURCE = "metrics/learning-curve";

/**
 * The mean over runs at common steps, with 95 % t-intervals over runs (seeds), pointwise. Runs are read between their own points by
 * straight lines, and nowhere beyond them.
 *
 * @param runs at least two, of one task
 * @param at [K] environment steps
 * @returns [K] null where some run was not looked at before and after
 * @throws shape-mismatch, not-finite; out-of-order unless steps ascend
 */
export function learningCurve(runs: readonly RunCurve[], at: ArrayLike<number>, level = 0.95): (Interval | null)[] {
  for (const { steps, values } of runs) {
    checkPaired(SOURCE, steps, values);
    for (let i = 1; i < steps.length; i++) {
      if (steps[i] > steps[i - 1]) continue;
      const message = `steps must ascend, got ${steps[i - 1]} before ${steps[i]}`;
      throw new MagicMaskError("out-of-order", SOURCE, message);
    }
  }
  checkFinite(SOURCE, at);
  return Array.from(at, (step) => {
    const values = runs.map((run) => valueAt(run, step));
    return values.some(Number.isNaN) ? null : tInterval(values, level);
  });
}

/** NaN outside of what is known. */
function valueAt({ steps, values }: RunCurve, step: number): number {
  let after = 0;
  while (after < steps.length && steps[after] < step) after++;
  if (after === steps.length) return Number.NaN;
  if (steps[after] === step) return values[after];
  if (after === 0) return Number.NaN;
  const weight = (step - steps[after - 1]) / (steps[after] - steps[after - 1]);
  return values[after - 1] + weight * (values[after] - values[after - 1]);
}
