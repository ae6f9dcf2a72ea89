const BETA1 = 0.9;
const BETA2 = 0.999;
/** As in CleanRL; Kingma & Ba use 1e-8. */
const EPSILON = 1e-5;

/** What one Adam step changes. */
export interface AdamArrays {
  /** [P] */
  readonly parameters: Float32Array;
  /** [P] */
  readonly firstMoment: Float32Array;
  /** [P] */
  readonly secondMoment: Float32Array;
}

/**
 * One step of Adam (Kingma & Ba 2015, algorithm 1), in place:
 *
 *   m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,  θ ← θ − η·m̂ / (√v̂ + ε),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
 *
 * @param gradient [P], multiplied by `scale` first
 * @param step t ≥ 1, the number of this step
 */
export function adamStep(
  { parameters, firstMoment, secondMoment }: AdamArrays,
  gradient: Float32Array,
  scale: number,
  learningRate: number,
  step: number,
): void {
  const rate = learningRate / (1 - power(BETA1, step));
  const correction = 1 / (1 - power(BETA2, step));
  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i] * scale;
    const m = BETA1 * firstMoment[i] + (1 - BETA1) * g;
    const v = BETA2 * secondMoment[i] + (1 - BETA2) * g * g;
    firstMoment[i] = m;
    secondMoment[i] = v;
    parameters[i] -= (rate * m) / (Math.sqrt(v * correction) + EPSILON);
  }
}

/** Euclidean norm; NaN or infinite if an entry is. */
export function gradientNorm(gradient: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < gradient.length; i++) sum += gradient[i] * gradient[i];
  return Math.sqrt(sum);
}

/** xⁿ by squaring: a function of n alone, the same on every engine, so that a resumed run steps as if never stopped. */
function power(x: number, n: number): number {
  let result = 1;
  for (; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result *= x;
    x *= x;
  }
  return result;
}
