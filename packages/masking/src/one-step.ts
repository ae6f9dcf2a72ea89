import { TERMINATED } from "@magic-mask/core";
import type { Evidence } from "./objectives/objective.ts";

/**
 * δ = r + γV(o′) − V(o) of each of the evidence's rows, in the rows' order; nothing follows where the agent terminated.
 *
 * @param values [R] V, the evidence's own by default
 */
export function oneStepAdvantages(
  { rollout, rows, discount, values: own }: Evidence,
  values: Float32Array = own,
): Float32Array {
  return Float32Array.from(rows, (row) => {
    const ahead = rollout.ended[row] === TERMINATED ? 0 : values[rollout.next[row]];
    return rollout.rewards[row] + discount * ahead - values[row];
  });
}

/** √ of the mean square, the unit that costs and bonuses are given in; 1 where all are 0. */
export function scaleOf(numbers: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < numbers.length; i++) squares += numbers[i] * numbers[i];
  return Math.sqrt(squares / numbers.length) || 1;
}
