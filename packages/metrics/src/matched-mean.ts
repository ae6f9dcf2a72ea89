import { momentsOf } from "@magic-mask/core";

/**
 * The mean of two estimates of the same decisions, the second brought to the mean and the standard deviation of the first:
 *
 *   ½·(a + ã),   ã = (b − b̄)·sd(a) / sd(b) + ā
 *
 * so that both have the same say in the order, and the first its units. Where one has the same score for all of them, the order is the other's: ã = ā
 * where that is b, and ã = b − b̄ + ā where it is a.
 *
 * @param a [S] @param b [S]
 * @returns the mean, and what b was multiplied by, as its spread is to be, and what was then added: ã = scale·b + shift
 */
export function matchedMean(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { readonly mean: Float64Array; readonly scale: number; readonly shift: number } {
  const [to, from] = [momentsOf(a), momentsOf(b)];
  const scale = from.deviation === 0 ? 0 : to.deviation === 0 ? 1 : to.deviation / from.deviation;
  const mean = Float64Array.from(a, (x, s) => (x + (b[s] - from.mean) * scale + to.mean) / 2);
  return { mean, scale, shift: to.mean - from.mean * scale };
}
