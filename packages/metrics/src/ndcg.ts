import { checkPaired } from "./checks.ts";
import { ascending } from "./ranks.ts";
import { topCount } from "./top-share.ts";

export interface NdcgOptions {
  /** Share of the states, in (0, 1), that the list is cut at: K = top · n places count. */
  readonly top?: number;
}

/**
 * Normalised discounted cumulative gain (Järvelin & Kekäläinen 2002), with linear gains as in scikit-learn:
 *
 *   DCG = Σ_{k=1…K} g_(k) / log₂(k + 1),   NDCG = DCG of the order by score / DCG of the order by truth
 *
 * The gain is max(truth, 0): at criticality 0 nothing is at stake, and below it blinding helps, so neither earns
 * anything. (Shifting by the least truth instead would let one bad state raise every score.) States of equal score
 * share the mean of their gains (McSherry & Najork 2008), so the order of the input does not matter.
 *
 * @param scores [n] higher = more critical
 * @param truth [n] criticality
 * @returns in [0, 1]; NaN where no truth is above 0
 * @throws shape-mismatch if the lengths differ or are 0; not-finite; invalid-option
 */
export function ndcg(scores: ArrayLike<number>, truth: ArrayLike<number>, { top = 0.1 }: NdcgOptions = {}): number {
  checkPaired("metrics/ndcg", scores, truth);
  const places = topCount("metrics/ndcg", truth.length, top);
  return discounted(scores, truth, places) / discounted(truth, truth, places);
}

function discounted(scores: ArrayLike<number>, truth: ArrayLike<number>, places: number): number {
  const order = ascending(scores).reverse();
  let sum = 0;
  for (let from = 0, to = 0; from < places; from = to) {
    let gain = 0;
    let weight = 0;
    while (to < order.length && scores[order[to]] === scores[order[from]]) {
      gain += Math.max(truth[order[to]], 0);
      if (to < places) weight += 1 / Math.log2(to + 2);
      to++;
    }
    sum += (gain / (to - from)) * weight;
  }
  return sum;
}
