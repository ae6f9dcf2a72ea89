import { checkRange } from "@magic-mask/core";
import { bracket, type LearnedContext, type LearnedPerturbation, tilted, tiltFigures } from "./tilt.ts";
import { uniform } from "./uniform.ts";

export interface AdversaryOptions {
  /** δ ≥ 0, nats: how far from uniform it may be, on average over visited decisions. */
  readonly divergence?: number;
}

/**
 * ν does the most harm at a bounded divergence from uniform play u,
 *
 *   min_ν E[Σ_a ν(a)·Â(a)]  subject to  E KL(ν ‖ u) ≤ δ,   solved by  ν ∝ u·exp(−Â/β)
 *
 * β being found by bisection on a sample of visited decisions: the same one everywhere, so that ν is near u where nothing is at stake
 * and far from it where much is. Where δ lets it, it takes the worst action. u itself until it is fitted.
 *
 * @throws invalid-option; unsupported for actions in several parts, or a box without bounds
 */
export function adversary(context: LearnedContext, { divergence = 0.5 }: AdversaryOptions = {}): LearnedPerturbation {
  checkRange("masking/adversary", "divergence", divergence, 0);
  return tilted({
    ...context,
    name: "adversary",
    base: uniform(context.space).evaluate,
    strengthOf: (weighed) =>
      bracket(weighed, (strength) => tiltFigures(weighed, strength).divergence > divergence).below,
  });
}
