import { checkCount } from "@magic-mask/core";

/** Turns criticality into a mask in [0, 1]: its rank among recent states. */
export interface RankMask {
  /** Remembers the criticality of states that were visited. */
  observe(criticality: Float32Array, count: number): void;
  /** Share of remembered states below `criticality`, ties counting half; ½ while nothing is remembered. */
  rank(criticality: number): number;
  exportState(): { readonly recent: Float32Array; readonly seen: number };
  restoreState(state: { readonly recent: Float32Array; readonly seen: number }): void;
}

/**
 * m(o) is the empirical distribution function at Δ̂(o), so m is uniform and the gate m ≤ τ blinds exactly the share τ of states,
 * those with least at stake.
 *
 * @param capacity how many recent states are remembered, ≥ 1
 */
export function rankMask(capacity = 4096): RankMask {
  checkCount("masking/rank-mask", "capacity", capacity);
  const recent = new Float32Array(capacity);
  let seen = 0;
  let sorted: Float32Array | undefined;

  /** How many remembered values are below `x`, or, with `orEqual`, not above it. */
  const countBelow = (values: Float32Array, x: number, orEqual: boolean) => {
    let [low, high] = [0, values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < x || (orEqual && values[middle] === x)) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    observe(criticality, count) {
      for (let i = 0; i < count; i++) recent[seen++ % capacity] = criticality[i];
      sorted = undefined;
    },
    rank(criticality) {
      if (seen === 0) return 0.5;
      sorted ??= recent.slice(0, Math.min(seen, capacity)).sort();
      const x = Math.fround(criticality);
      return (countBelow(sorted, x, false) + countBelow(sorted, x, true)) / (2 * sorted.length);
    },
    exportState: () => ({ recent: recent.slice(), seen }),
    restoreState(state) {
      recent.set(state.recent);
      seen = state.seen;
      sorted = undefined;
    },
  };
}
