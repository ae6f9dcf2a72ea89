import { categorical, type Explainer } from "@magic-mask/core";

/**
 * A control without learning: −H(π(·∣o)), in nats. A policy that is sure of one action is taken to need it.
 *
 * @param options.actions n, the size of the discrete action space
 */
export function entropy({ actions: n }: { readonly actions: number }): Explainer {
  const distribution = categorical(n);
  return {
    name: "entropy",
    score({ policy, count }, criticality, spread) {
      for (let row = 0; row < count; row++) criticality[row] = -distribution.at(policy, row * n).entropy();
      spread.fill(Number.NaN, 0, count);
    },
  };
}
