import type { Explainer, Policy } from "@magic-mask/core";
import type { MaskLearner } from "@magic-mask/masking";
import type { World } from "../assemble.ts";
import { baselineOf, playBehind } from "../compare/drops.ts";
import { randomPlayer } from "../policies.ts";

/** What it comes to if an agent acts by its mask's gate: the policy where m > τ, else ν. */
export interface Gated {
  /** Loss of return, as a share of its range. */
  readonly drop: number;
  /** Share of decisions that were blinded. */
  readonly blinded: number;
}

/**
 * Plays one agent behind its mask's gate, the others' policies being as they are, against the same episodes without it.
 *
 * @param τ in [0, 1]
 * @param episodes with the gate, and as many without
 */
export function actByGate(
  { make, spec, perturbations }: World,
  policies: readonly Policy[],
  agent: number,
  mask: MaskLearner,
  τ: number,
  { episodes, seed }: { readonly episodes: number; readonly seed: number },
): Gated {
  const baseline = baselineOf(make, policies, agent, episodes, seed, randomPlayer(spec.actionSpaces[agent]));
  const about = { make, policies, agent, perturbation: perturbations[agent], baseline, seed };
  // Blinded where −m ≥ −τ.
  const { drop, budget } = playBehind({ ...about, explainer: negated(mask) }, { threshold: -Math.fround(τ), ties: 1 });
  return { drop, blinded: budget };
}

/** −m as a score. */
const negated = (mask: MaskLearner): Explainer => ({
  name: `gate of ${mask.explainer.name}`,
  score(decisions, criticality, spread) {
    mask.mask(decisions, criticality);
    for (let row = 0; row < decisions.count; row++) criticality[row] = -criticality[row];
    spread.fill(Number.NaN, 0, decisions.count);
  },
});
