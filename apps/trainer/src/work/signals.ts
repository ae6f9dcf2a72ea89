/**
 * What the main thread and a thread that works for it tell each other at any moment, even while the other computes: one number of
 * shared memory each way.
 */
export interface Signals {
  /** Share of the task in hand that is done, in thousandths; then whether to stop. */
  readonly cells: Int32Array;
  /** Which part of the task is spoken of, as shares of it; all of it by default. */
  readonly part?: readonly [from: number, to: number];
}

export const createSignals = (): Signals => ({ cells: new Int32Array(new SharedArrayBuffer(8)) });

export const isStopped = ({ cells }: Signals): boolean => Atomics.load(cells, 1) === 1;
export const askToStop = ({ cells }: Signals): void => void Atomics.store(cells, 1, 1);
export const shareDone = ({ cells }: Signals): number => Atomics.load(cells, 0) / 1000;
/** @param share in [0, 1], of the part that is spoken of */
export const tellShare = ({ cells, part: [from, to] = [0, 1] }: Signals, share: number): void =>
  void Atomics.store(cells, 0, Math.round(1000 * (from + share * (to - from))));

/** For whoever does the k-th of so many alike parts of a task. */
export function partOf({ cells, part: [from, to] = [0, 1] }: Signals, k: number, parts: number): Signals {
  const each = (to - from) / parts;
  return { cells, part: [from + k * each, from + (k + 1) * each] };
}
