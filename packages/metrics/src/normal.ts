import { checkShare } from "./checks.ts";

/**
 * The x with P(Z ≤ x) = p for Z standard normal, found by bisection of `normalBelow`.
 *
 * @param p in (0, 1)
 * @throws invalid-option
 */
export function normalQuantile(p: number): number {
  checkShare("metrics/normal", "p", p);
  let [low, high] = [-40, 40];
  // Each round halves the bracket: 64 of them leave less than float64 can tell apart.
  for (let round = 0; round < 64; round++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < p) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * P(Z ≤ x): near 0 by its series, far out by the continued fraction of Mills' ratio (Abramowitz & Stegun 1964, 26.2.11 and
 * 26.2.14).
 */
export function normalBelow(x: number): number {
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (Math.abs(x) < 4) {
    let [term, sum] = [x, x];
    for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
      term *= (x * x) / k;
      sum += term;
    }
    return 0.5 + density * sum;
  }
  const far = Math.abs(x);
  let fraction = far;
  for (let k = 60; k >= 1; k--) fraction = far + k / fraction;
  const tail = density / fraction;
  return x < 0 ? tail : 1 - tail;
}
