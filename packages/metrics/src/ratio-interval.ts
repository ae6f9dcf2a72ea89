import { checkPaired } from "./checks.ts";
import type { Interval } from "./interval.ts";
import { tInterval, tQuantile } from "./t-interval.ts";

/**
 * Fieller's interval for E[a] / E[b], where a[i] and b[i] share what else varies: all ratios ρ for which Student's interval for the
 * mean of a − ρb holds 0 (Fieller 1954, "Some problems in interval estimation").
 *
 * @param a [n] n ≥ 2
 * @param b [n]
 * @returns null where Student's interval for the mean of b holds 0: any ratio may be right
 * @throws shape-mismatch, not-finite, invalid-option
 */
export function ratioInterval(a: ArrayLike<number>, b: ArrayLike<number>, level = 0.95): Interval | null {
  checkPaired("metrics/ratio-interval", a, b);
  const n = a.length;
  const { estimate: y, low, high } = tInterval(b, level);
  if (low <= 0 && high >= 0) return null;
  const { estimate: x } = tInterval(a, level);
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (let i = 0; i < n; i++) {
    xx += (a[i] - x) * (a[i] - x);
    xy += (a[i] - x) * (b[i] - y);
    yy += (b[i] - y) * (b[i] - y);
  }
  const t = tQuantile(n - 1, level);
  const share = (t * t) / (n - 1) / n;
  // (x − ρy)² ≤ t² · variance of the mean of a − ρb: a quadratic in ρ, open upwards as y is apart from 0.
  const square = y * y - share * yy;
  const linear = x * y - share * xy;
  const root = Math.sqrt(Math.max(0, linear * linear - square * (x * x - share * xx)));
  return { estimate: x / y, low: (linear - root) / square, high: (linear + root) / square };
}
