import { type Explainer, ILLEGAL } from "@magic-mask/core";

/**
 * A control without learning: Σ_a (π − ν)(a)·ln π(a), in nats. Where π is a softmax of values, ln π(a) is the advantage up to a
 * constant, and this is the criticality that the policy itself believes in.
 *
 * @param options.actions n, the size of the discrete action space
 */
export function logProbGap({ actions: n }: { readonly actions: number }): Explainer {
  return {
    name: "log_prob_gap",
    score({ policy, perturbation, count }, criticality, spread) {
      for (let row = 0; row < count; row++) {
        let sum = 0;
        for (let at = row * n; at < (row + 1) * n; at++) {
          const logProb = Math.max(policy[at], LOWEST);
          const nu = perturbation[at] > ILLEGAL ? Math.exp(perturbation[at]) : 0;
          sum += (Math.exp(logProb) - nu) * logProb;
        }
        criticality[row] = sum;
      }
      spread.fill(Number.NaN, 0, count);
    },
  };
}

/** float32 softmaxes underflow to −∞ beyond about −100; a floor keeps sums finite without reordering real policies. */
const LOWEST = -100;
