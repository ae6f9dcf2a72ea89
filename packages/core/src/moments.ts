/**
 * Mean and standard deviation over all of them. Sums of equal numbers come out unequal in the last digits: a deviation of no more than a
 * millionth of the mean is 0.
 *
 * @param numbers at least one
 */
export function momentsOf(numbers: ArrayLike<number>): { readonly mean: number; readonly deviation: number } {
  const count = numbers.length;
  let mean = 0;
  for (let i = 0; i < count; i++) mean += numbers[i] / count;
  let variance = 0;
  for (let i = 0; i < count; i++) variance += ((numbers[i] - mean) * (numbers[i] - mean)) / count;
  const deviation = Math.sqrt(variance);
  return { mean, deviation: deviation <= 1e-6 * Math.abs(mean) ? 0 : deviation };
}
