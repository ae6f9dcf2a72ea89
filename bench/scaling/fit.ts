/** How y grows: y ≈ Σ_k c_k·f_k(x). */
export interface Fit {
  /** [K] c ≥ 0 */
  readonly coefficients: readonly number[];
  /** Largest |fit − y| / y. */
  readonly error: number;
  at(x: number): number;
}

/**
 * Weighted least squares of costs, which span magnitudes: relative errors count. Costs are no less than 0, so a term that would be
 * negative is left out.
 *
 * @param terms [K] f_k
 * @param points x, y > 0; more of them than terms
 */
export function fitCosts(
  terms: readonly ((x: number) => number)[],
  points: readonly (readonly [x: number, y: number])[],
): Fit {
  let kept = terms.map((_, k) => k);
  let solution: number[] = [];
  while (kept.length > 0) {
    solution = solve(
      kept.map((j) => kept.map((k) => sum(points, ([x, y]) => (terms[j](x) * terms[k](x)) / (y * y)))),
      kept.map((j) => sum(points, ([x, y]) => terms[j](x) / y)),
    );
    const lowest = Math.min(...solution);
    if (lowest >= 0) break;
    const worst = solution.indexOf(lowest);
    kept = kept.filter((_, i) => i !== worst);
  }
  const coefficients = terms.map((_, k) => (kept.includes(k) ? solution[kept.indexOf(k)] : 0));
  const at = (x: number) => terms.reduce((total, term, k) => total + coefficients[k] * term(x), 0);
  return { coefficients, at, error: Math.max(...points.map(([x, y]) => Math.abs(at(x) - y) / y)) };
}

const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0);

/** Gauss–Jordan elimination with pivoting. */
function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  for (let k = 0; k < rows.length; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, row, i) => (Math.abs(row[k]) > Math.abs(rows[best][k]) ? k + i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (const [i, row] of rows.entries()) {
      if (i === k) continue;
      const factor = row[k] / rows[k][k];
      for (let j = k; j < row.length; j++) row[j] -= factor * rows[k][j];
    }
  }
  return rows.map((row, k) => row[row.length - 1] / row[k]);
}
