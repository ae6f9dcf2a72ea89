/** Turns criticality into a mask in [0, 1]: its rank among recent states. */
export interface RankMask {
  /** Ranks against these states from now on: visited lately, scored by the weights that will be asked. */
  learn(criticality: Float32Array): void;
  /** Share of those states below `criticality`, ties counting half; ½ while there are none. */
  rank(criticality: number): number;
  exportState(): { readonly sorted: Float32Array };
  restoreState(state: { readonly sorted: Float32Array }): void;
}

/**
 * m(o) is the empirical distribution function at Δ̂(o), so m is uniform and the gate m ≤ τ blinds exactly the share τ of states,
 * those with least at stake. Scores by earlier weights are on another scale, so none are kept.
 */
export function rankMask(): RankMask {
  let sorted = new Float32Array(0);

  /** How many of the states are below `x`, or, with `orEqual`, not above it. */
  const countBelow = (x: number, orEqual: boolean) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < x || (orEqual && sorted[middle] === x)) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    learn(criticality) {
      sorted = criticality.slice().sort();
    },
    rank(criticality) {
      if (sorted.length === 0) return 0.5;
      const x = Math.fround(criticality);
      return (countBelow(x, false) + countBelow(x, true)) / (2 * sorted.length);
    },
    exportState: () => ({ sorted: sorted.slice() }),
    restoreState(state) {
      sorted = state.sorted.slice();
    },
  };
}
