/**
 * What the main thread and a thread that works for it tell each other at any moment, even while the other computes: one number of
 * shared memory each way.
 */
export interface Signals {
  /** Share of the task in hand that is done, in thousandths; then whether to stop. */
  readonly cells: Int32Array;
}

export const createSignals = (): Signals => ({ cells: new Int32Array(new SharedArrayBuffer(8)) });

export const isStopped = ({ cells }: Signals): boolean => Atomics.load(cells, 1) === 1;
export const askToStop = ({ cells }: Signals): void => void Atomics.store(cells, 1, 1);
export const shareDone = ({ cells }: Signals): number => Atomics.load(cells, 0) / 1000;
/** @param share in [0, 1] */
export const tellShare = ({ cells }: Signals, share: number): void =>
  void Atomics.store(cells, 0, Math.round(1000 * share));
