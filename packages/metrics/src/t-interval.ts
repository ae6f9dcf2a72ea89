import { checkCount, MagicMaskError } from "@magic-mask/core";
import { checkFinite, checkPaired, checkShare } from "./checks.ts";
import type { Interval } from "./interval.ts";

/**
 * Student's interval for a mean, x̄ ± t·s/√n: for few units, such as seeds.
 *
 * @param values [n] n ≥ 2
 * @param level coverage aimed at, in (0, 1)
 * @throws shape-mismatch for fewer than two values; not-finite; invalid-option
 */
export function tInterval(values: ArrayLike<number>, level = 0.95): Interval {
  const n = values.length;
  if (n < 2) {
    throw new MagicMaskError(
      "shape-mismatch",
      "metrics/t-interval",
      `needs at least 2 values to know their spread, got ${n}`,
    );
  }
  checkFinite("metrics/t-interval", values);
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i] / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (values[i] - mean) * (values[i] - mean);
  const margin = tQuantile(n - 1, level) * Math.sqrt(squares / (n - 1) / n);
  return { estimate: mean, low: mean - margin, high: mean + margin };
}

/**
 * Student's interval for the mean of a − b, where a[i] and b[i] share what else varies: the seed.
 *
 * @param a [n] n ≥ 2
 * @param b [n]
 * @throws shape-mismatch, not-finite, invalid-option
 */
export function pairedTInterval(a: ArrayLike<number>, b: ArrayLike<number>, level = 0.95): Interval {
  checkPaired("metrics/t-interval", a, b);
  return tInterval(
    Float64Array.from(a, (value, i) => value - b[i]),
    level,
  );
}

/**
 * The t with P(|T| ≤ t) = level for T of Student's distribution, found by bisection of its angle θ = atan(t/√ν), in
 * which the probability is a finite sum (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4).
 *
 * @param freedom ν, degrees of freedom: a whole number ≥ 1
 * @param level in (0, 1)
 * @throws invalid-option
 */
export function tQuantile(freedom: number, level: number): number {
  checkCount("metrics/t-interval", "freedom", freedom);
  checkShare("metrics/t-interval", "level", level);
  let low = 0;
  let high = Math.PI / 2;
  // Each round halves the bracket: 60 of them leave less than float64 can tell apart.
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2;
    if (within(middle, freedom) < level) low = middle;
    else high = middle;
  }
  return Math.tan(low) * Math.sqrt(freedom);
}

/** P(|T| ≤ t) for T of Student's distribution with `freedom` degrees of freedom. @param t ≥ 0 */
export const tWithin = (t: number, freedom: number): number => within(Math.atan(t / Math.sqrt(freedom)), freedom);

/** P(|T| ≤ √ν · tan θ) */
function within(angle: number, freedom: number): number {
  const sine = Math.sin(angle);
  const cosine = Math.cos(angle);
  const odd = freedom % 2;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = 2 + odd; k <= freedom - 2; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
