/**
 * Ridge regression from its sums: β = (G + λI)⁻¹ b, by Cholesky's decomposition.
 *
 * @param gram [M × M] G = Σ φφᵀ, its lower triangle @param product [M] b = Σ φy @param penalty λ > 0
 * @returns [M]
 */
export function solveRidge(gram: Float64Array, product: Float64Array, penalty: number): Float64Array {
  const M = product.length;
  const lower = new Float64Array(M * M);
  const beta = new Float64Array(M);
  for (let i = 0; i < M; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = gram[i * M + j] + (i === j ? penalty : 0);
      for (let k = 0; k < j; k++) sum -= lower[i * M + k] * lower[j * M + k];
      lower[i * M + j] = i === j ? Math.sqrt(sum) : sum / lower[j * M + j];
    }
    let left = product[i];
    for (let k = 0; k < i; k++) left -= lower[i * M + k] * beta[k];
    beta[i] = left / lower[i * M + i];
  }
  for (let i = M - 1; i >= 0; i--) {
    for (let k = i + 1; k < M; k++) beta[i] -= lower[k * M + i] * beta[k];
    beta[i] /= lower[i * M + i];
  }
  return beta;
}
