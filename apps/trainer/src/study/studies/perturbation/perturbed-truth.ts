import type { Perturbation } from "@magic-mask/core";
import type { States } from "@magic-mask/metrics";
import type { TruthSet } from "../../../compare/truth.ts";

/** What is truly at stake in an agent's held-out decisions under another perturbation than that which the truth was measured for. */
export interface PerturbedTruth {
  /** The same decisions, with this ν in them. */
  readonly states: States;
  /** [S] Δ */
  readonly criticality: Float64Array;
  /** Share of the variance of Δ over decisions that is error of measurement, at the most: chance that branches share is not taken off. */
  readonly noise: number;
  /** Mean over decisions of E ln π(a), a ~ ν, nats: how plausible it is that the policy itself would have done so. */
  readonly plausibility: number;
}

/**
 * Truth plays on after every legal action, so that it knows what is at stake under any ν of the same decisions,
 *
 *   Δ_ν(s) = Σ_a (π − ν)(a∣s) · Q(s, a)
 *
 * from the same rollouts: what differs between perturbations is not chance.
 */
export function perturbedTruth({ states, truth }: TruthSet, perturbation: Perturbation): PerturbedTruth {
  const { count, decisions } = states;
  const { policy, legal } = decisions;
  const A = legal.length / count;
  const nu = new Float32Array(policy.length);
  perturbation.evaluate(decisions, policy, nu);
  const criticality = new Float64Array(count);
  let [errors, plausibility] = [0, 0];
  for (let s = 0; s < count; s++) {
    // The weights sum to 0: values may be taken against any one of them, which leaves less rounding.
    let base = Number.NaN;
    for (let at = s * A; at < (s + 1) * A; at++) {
      if (!legal[at]) continue;
      if (Number.isNaN(base)) base = truth.q[at];
      const blind = Math.exp(nu[at]);
      const weight = Math.exp(policy[at]) - blind;
      criticality[s] += weight * (truth.q[at] - base);
      const error = weight * truth.qStandardError[at];
      errors += (error * error) / count;
      // Where ν is never, π may be, too.
      if (blind > 0) plausibility += (blind * policy[at]) / count;
    }
  }
  const mean = criticality.reduce((sum, value) => sum + value / count, 0);
  const variance = criticality.reduce((sum, value) => sum + ((value - mean) * (value - mean)) / count, 0);
  return {
    states: { ...states, decisions: { ...decisions, perturbation: nu } },
    criticality,
    noise: errors / variance,
    plausibility,
  };
}
