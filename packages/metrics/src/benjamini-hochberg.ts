import { MagicMaskError } from "@magic-mask/core";

/**
 * p-values adjusted for being one of a list: rejecting those ≤ α keeps the expected share of false rejections at α.
 *
 *   p̃_(i) = min_{j ≥ i} min(1, m·p_(j) / j),   p_(1) ≤ … ≤ p_(m)
 *
 * Benjamini & Hochberg 1995, Controlling the False Discovery Rate.
 *
 * @param pValues [m] in [0, 1]; m may be 0
 * @returns [m] in the order given
 * @throws invalid-option
 */
export function benjaminiHochberg(pValues: ArrayLike<number>): Float64Array {
  const m = pValues.length;
  for (let i = 0; i < m; i++) {
    if (pValues[i] >= 0 && pValues[i] <= 1) continue;
    const message = `p-values must be in [0, 1]; entry ${i} is ${pValues[i]}`;
    throw new MagicMaskError("invalid-option", "metrics/benjamini-hochberg", message);
  }
  const order = Array.from({ length: m }, (_, i) => i).sort((a, b) => pValues[b] - pValues[a]);
  const adjusted = new Float64Array(m);
  let least = 1;
  order.forEach((i, rank) => {
    least = Math.min(least, (m * pValues[i]) / (m - rank));
    adjusted[i] = least;
  });
  return adjusted;
}
