/** Something whose calls are timed. */
export interface Contender {
  readonly name: string;
  /** Does it `count` times. @returns CPU milliseconds in all */
  time(count: number): Promise<number>;
}

export interface InTurnsOptions {
  readonly rounds: number;
  /** CPU milliseconds that a contender's turn is to take, about. */
  readonly turn: number;
  /** Called after every turn. */
  readonly onTurn: () => void;
}

/**
 * Least CPU milliseconds per call of each contender. They take turns, so that a machine that is busy for a while disturbs all alike,
 * and the least of several rounds is what the work costs undisturbed.
 *
 * @returns [K] in the contenders' order
 */
export async function leastInTurns(contenders: readonly Contender[], options: InTurnsOptions): Promise<number[]> {
  const { rounds, turn, onTurn } = options;
  const counts: number[] = [];
  for (const contender of contenders) {
    // Warm: engines compile what has run for a while.
    let count = 1;
    let spent = await contender.time(count);
    while (spent < turn / 4) {
      count *= 2;
      spent = await contender.time(count);
    }
    counts.push(Math.max(1, Math.round((turn * count) / spent)));
    onTurn();
  }
  const least = contenders.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [k, contender] of contenders.entries()) {
      least[k] = Math.min(least[k], (await contender.time(counts[k])) / counts[k]);
      onTurn();
    }
  }
  return least;
}

/** A contender in this process. */
export const local = (name: string, call: () => unknown): Contender => ({
  name,
  async time(count) {
    const start = cpuMilliseconds();
    for (let k = 0; k < count; k++) await call();
    return cpuMilliseconds() - start;
  },
});

/** CPU time of this process so far, all its threads. */
export function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
