import { checkRange, distributionOf } from "@magic-mask/core";
import { bracket, type LearnedContext, type LearnedPerturbation, tilted, tiltFigures } from "./tilt.ts";
import { uniform } from "./uniform.ts";

export interface MinimalOptions {
  /** h ≥ 0, in units of return: what a blinded decision is to lose on average. By default what it loses by uniform play. */
  readonly harm?: number;
}

/**
 * ν changes what is seen of the policy least for a given harm,
 *
 *   min_ν E KL(ν ‖ π)  subject to  E[Σ_a (π − ν)(a)·Â(a)] ≥ h,   solved by  ν ∝ π·exp(−Â/β)
 *
 * β being found by bisection on a sample of visited decisions. Where h is out of reach (what the policy never does stays so) ν is as harmful as
 * it can be, and `fit` tells what that comes to. π itself until it is fitted.
 *
 * @throws invalid-option; unsupported for actions in several parts, or a box without bounds
 */
export function minimal(context: LearnedContext, { harm }: MinimalOptions = {}): LearnedPerturbation {
  if (harm !== undefined) checkRange("masking/minimal", "harm", harm, 0);
  const even = uniform(context.space);
  const { width } = distributionOf(context.space);
  return tilted({
    ...context,
    name: "minimal",
    base: (batch, policy, out) => out.set(policy.subarray(0, batch.count * width)),
    strengthOf(weighed, worth, decisions) {
      const kept = worth(decisions.policy);
      const blind = new Float32Array(decisions.policy.length);
      even.evaluate(decisions, decisions.policy, blind);
      const wanted = harm ?? Math.max(0, kept - worth(blind));
      return bracket(weighed, (strength) => kept - tiltFigures(weighed, strength).worth >= wanted).above;
    },
  });
}
