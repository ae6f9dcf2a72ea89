import { type Decisions, type Explainer, MagicMaskError } from "@magic-mask/core";

export interface StackOptions {
  /** [K] explainers of the same decisions, e.g. an agent's own Â and its record head Ã. */
  readonly explainers: readonly Explainer[];
  /** Decisions that tell on what scale each explainer speaks, two at least. */
  readonly reference: Decisions;
  /** [K] weights ≥ 0, scaled to sum 1; equal ones if left out. */
  readonly weights?: readonly number[];
}

/**
 * Stacks explainers: Σ_k w_k·c_k / sd_k, where sd_k is the standard deviation of explainer k's scores over the reference.
 * One that scores all of them alike adds nothing. The scale of the sum is no longer the game's.
 *
 * The spread is √Σ (w_k·spread_k / sd_k)², as if errors were independent; NaN where one explainer that counts knows none.
 *
 * @throws invalid-option
 */
export function stackExplainers({ explainers, reference, weights = explainers.map(() => 1) }: StackOptions): Explainer {
  const sum = weights.reduce((total, w) => total + w, 0);
  if (
    weights.length !== explainers.length ||
    !weights.every((w) => w >= 0) ||
    !(sum > 0 && sum < Number.POSITIVE_INFINITY)
  ) {
    throw new MagicMaskError(
      "invalid-option",
      "comm/stack",
      `weights must be ${explainers.length} numbers ≥ 0, not all 0, got [${weights}]`,
    );
  }
  if (reference.count < 2) {
    throw new MagicMaskError(
      "invalid-option",
      "comm/stack",
      `a scale takes at least two reference decisions, got ${reference.count}`,
    );
  }
  const scales = explainers.map((explainer, k) => {
    const scores = new Float32Array(reference.count);
    explainer.score(reference, scores, new Float32Array(reference.count));
    const deviation = standardDeviation(scores);
    return deviation > 0 ? weights[k] / sum / deviation : 0;
  });

  return {
    name: explainers.map(({ name }) => name).join("+"),
    score(decisions, criticality, spread) {
      const B = decisions.count;
      const totals = new Float64Array(B);
      const variances = new Float64Array(B);
      explainers.forEach((explainer, k) => {
        if (scales[k] === 0) return;
        explainer.score(decisions, criticality, spread);
        for (let b = 0; b < B; b++) {
          totals[b] += scales[k] * criticality[b];
          variances[b] += scales[k] * spread[b] * (scales[k] * spread[b]);
        }
      });
      for (let b = 0; b < B; b++) {
        criticality[b] = totals[b];
        spread[b] = Math.sqrt(variances[b]);
      }
    },
  };
}

function standardDeviation(scores: Float32Array): number {
  const mean = scores.reduce((total, x) => total + x, 0) / scores.length;
  return Math.sqrt(scores.reduce((total, x) => total + (x - mean) * (x - mean), 0) / (scores.length - 1));
}
