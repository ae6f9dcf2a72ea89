import { type ActionSpace, distributionOf, type Explainer } from "@magic-mask/core";

/** A control without learning: −H(π(·∣o)), in nats. A policy that is sure of one action is taken to need it. */
export function entropy(space: ActionSpace): Explainer {
  const distribution = distributionOf(space);
  const P = distribution.width;
  return {
    name: "entropy",
    score({ policy, count }, criticality, spread) {
      for (let row = 0; row < count; row++) criticality[row] = -distribution.at(policy, row * P).entropy();
      spread.fill(Number.NaN, 0, count);
    },
  };
}
