import { checkRange } from "@magic-mask/core";

/** A quantity that changes with progress through a run, from 0 (start) to 1 (end). */
export type Schedule = (progress: number) => number;

/** A straight line from `start` to `end`. */
export const linear =
  (start: number, end: number): Schedule =>
  (progress) =>
    start + (end - start) * Math.min(1, Math.max(0, progress));

export interface BlindingScheduleOptions {
  /** ε₀ in [0, 1]: probability at the start. */
  readonly initial?: number;
  /** p_min in (0, ε₀], reached at half of the steps; or 0 with ε₀ = 0, for no blinding at all. */
  readonly floor?: number;
}

/**
 * How often an agent's policy is withheld, per tick (the paper's decaying exploration):
 *
 *   p_t = max(p_min, ε₀·exp(−κ·t)),   κ = 2·ln(ε₀ / p_min) so that the floor is reached at t = ½
 */
export function blindingSchedule({ initial = 0.2, floor = 0.05 }: BlindingScheduleOptions = {}): Schedule {
  checkRange("ppo/schedule", "initial", initial, 0, 1);
  if (initial === 0 && floor === 0) return () => 0;
  checkRange("ppo/schedule", "floor", floor, Number.MIN_VALUE, initial);
  const rate = 2 * Math.log(initial / floor);
  return (progress) => Math.max(floor, initial * Math.exp(-rate * progress));
}
