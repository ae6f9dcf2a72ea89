import type { Distribution } from "@magic-mask/core";

/**
 * What logarithms of densities are told less, so that they are none above 0, as those of probabilities are: the larger of the two
 * that π and ν reach anywhere. Their difference, which is what counts, stays.
 *
 * @param slot room for one action
 */
export function highestDensity(
  distribution: Distribution,
  policy: Float32Array,
  perturbation: Float32Array,
  at: number,
  slot: Float32Array,
): number {
  distribution.at(policy, at).mode(slot, 0);
  const highest = distribution.logProb(slot, 0);
  distribution.at(perturbation, at).mode(slot, 0);
  return Math.max(highest, distribution.logProb(slot, 0));
}
