/**
 * Whether counts agree with the expected shares: Pearson's χ² below its mean (degrees of freedom k) plus six standard
 * deviations (√2k each), which chance alone passes less than once in a million.
 */
export function agrees(counts: ArrayLike<number>, shares: ArrayLike<number>): boolean {
  const total = Array.from(counts).reduce((sum, count) => sum + count, 0);
  let chiSquare = 0;
  for (let i = 0; i < counts.length; i++) {
    const expected = total * shares[i];
    if (expected === 0 && counts[i] === 0) continue;
    chiSquare += ((counts[i] - expected) * (counts[i] - expected)) / expected;
  }
  const freedom = counts.length - 1;
  return chiSquare < freedom + 6 * Math.sqrt(2 * freedom);
}

/** [n] equal shares. */
export const equalShares = (n: number): number[] => new Array(n).fill(1 / n);
