import { MagicMaskError } from "@magic-mask/core";
import { ascending } from "./ranks.ts";

/**
 * Adjusted p-values of Benjamini & Hochberg (1995): rejecting the hypotheses with q_i ≤ α keeps the expected share of false
 * ones among those rejected at α or below, for independent or positively dependent p-values (Benjamini & Yekutieli 2001).
 *
 *   q_(i) = min_{j ≥ i} min(1, p_(j) · m / j),   p_(1) ≤ … ≤ p_(m)
 *
 * @param values [m] p-values, in [0, 1]; m may be 0
 * @returns [m] q, in the order of `values`
 * @throws invalid-option for what is no p-value
 */
export function benjaminiHochberg(values: ArrayLike<number>): Float64Array {
  const m = values.length;
  for (let i = 0; i < m; i++) {
    if (values[i] >= 0 && values[i] <= 1) continue;
    throw new MagicMaskError(
      "invalid-option",
      "metrics/benjamini-hochberg",
      `a p-value must be in [0, 1], got ${values[i]} at entry ${i}`,
    );
  }
  const order = ascending(values);
  const adjusted = new Float64Array(m);
  let least = 1;
  for (let j = m; j >= 1; j--) {
    // By a factor ≥ 1, so that no rounding takes q below p.
    least = Math.min(least, values[order[j - 1]] * (m / j));
    adjusted[order[j - 1]] = least;
  }
  return adjusted;
}
