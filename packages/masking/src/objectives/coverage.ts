import { checkRange } from "@magic-mask/core";
import { createMaskPpo, type MaskNetOptions } from "./mask-ppo.ts";
import type { MaskObjective } from "./objective.ts";

export interface CoverageOptions extends MaskNetOptions {
  /** τ in (0, 1), the share of decisions to keep. */
  readonly threshold?: number;
  /** β ≥ 0, weight of KL(m ‖ Bernoulli(τ)), in units of the root mean square of the one-step advantage δ. */
  readonly prior?: number;
}

/**
 * The published joint objective (Maliha & Hougen, arXiv:2510.00274), as well as it can be read: expected return, mask
 * consistency, reward fidelity and a KL term, here as one problem that PPO solves:
 *
 *   maximise E[ Σ_t γ^t·δ_t/σ ] − β·E[ KL(m(x) ‖ Bernoulli(τ)) ]  subject to  E[m] = τ,   m = P(keep ∣ x)
 *
 * Expected return and fidelity are one: E[Σ δ] is the return with the mask less that without. Consistency is E[m] = τ, held by a
 * multiplier of either sign that is paid for blinding, α ← α + ½·(E[m] − τ) after each rollout. KL settles what the return does
 * not: where nothing is at stake m stays at τ. Criticality is m. Weights are unpublished; these are ours.
 */
export function coverage({ threshold = 0.5, prior = 0.05, ...options }: CoverageOptions = {}): MaskObjective {
  checkRange("masking/coverage", "threshold", threshold, Number.MIN_VALUE, 1 - Number.EPSILON);
  checkRange("masking/coverage", "prior", prior, 0);
  return {
    name: "coverage",
    blinding: "mask",
    create: (context) =>
      createMaskPpo(context, {
        ...options,
        name: "coverage",
        bonus: 0,
        adapt: (alpha, { kept }) => alpha + (kept - threshold) / 2,
        prior: { keep: threshold, weight: prior },
      }),
  };
}
