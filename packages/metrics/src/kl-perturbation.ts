import {
  type ActionSpace,
  checkRange,
  type Decisions,
  ILLEGAL,
  MagicMaskError,
  requireChoices,
} from "@magic-mask/core";

/**
 * `kl/perturbation`: how far behaviour is from the policy where decisions are blinded with probability p,
 *
 *   E_s KL(π ‖ b),   b = (1 − p)π + pν
 *
 * in nats, over the decisions given.
 *
 * @param space the agent's action space
 * @param blindProbability p in [0, 1]
 * @returns ≥ 0; Infinity where p = 1 and ν excludes what π does; NaN for a box, as a mixture of densities has no such sum
 * @throws unsupported for actions in several parts; invalid-option; shape-mismatch for no decisions
 */
export function klPerturbation(decisions: Decisions, space: ActionSpace, blindProbability: number): number {
  const p = checkRange("metrics/kl-perturbation", "blindProbability", blindProbability, 0, 1);
  const A = space.kind === "box" ? 0 : requireChoices("metrics/kl-perturbation", space);
  const { count, policy, perturbation } = decisions;
  if (count === 0)
    throw new MagicMaskError("shape-mismatch", "metrics/kl-perturbation", "needs at least 1 decision, got 0");
  if (A === 0) return Number.NaN;
  let sum = 0;
  for (let at = 0; at < count * A; at++) {
    if (policy[at] <= ILLEGAL) continue;
    const probability = Math.exp(policy[at]);
    // π ln(π/b), with π/b = 1 / (1 − p + p ν/π).
    sum -= probability * Math.log(1 - p + p * Math.exp(perturbation[at] - policy[at]));
  }
  return sum / count;
}
