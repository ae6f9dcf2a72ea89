/**
 * The mean of two estimates of the same decisions, the second brought to the mean and the standard deviation of the first:
 *
 *   ½·(a + ã),   ã = (b − b̄)·sd(a) / sd(b) + ā
 *
 * so that both have the same say in the order, and the first its units. Where one has the same score for all of them, the order is the other's: ã = ā
 * where that is b, and ã = b − b̄ + ā where it is a.
 *
 * @param a [S] @param b [S]
 * @returns the mean, and what b was multiplied by, as its spread is to be
 */
export function matchedMean(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { readonly mean: Float64Array; readonly scale: number } {
  const [to, from] = [momentsOf(a), momentsOf(b)];
  const scale = isFlat(from) ? 0 : isFlat(to) ? 1 : to.deviation / from.deviation;
  const mean = Float64Array.from(a, (x, s) => (x + (b[s] - from.mean) * scale + to.mean) / 2);
  return { mean, scale };
}

/** Sums of equal scores come out unequal in the last digits. */
const isFlat = ({ mean, deviation }: ReturnType<typeof momentsOf>) => deviation <= 1e-6 * Math.abs(mean);

function momentsOf(numbers: ArrayLike<number>) {
  const count = numbers.length;
  let mean = 0;
  for (let i = 0; i < count; i++) mean += numbers[i] / count;
  let variance = 0;
  for (let i = 0; i < count; i++) variance += ((numbers[i] - mean) * (numbers[i] - mean)) / count;
  return { mean, deviation: Math.sqrt(variance) };
}
