import { type ActionSpace, boxSize, checkRange, maskedLogSoftmax, type Perturbation } from "@magic-mask/core";

export interface PolicyNoiseOptions {
  /** T ≥ 1: at 1 nothing is perturbed, and the higher the more alike legal actions become. */
  readonly temperature?: number;
}

/**
 * ν ∝ π^(1/T), the policy at a high temperature: less sure of the same preferences. Over a box the same formula gives normal entries with
 * the policy's means and σ·√T.
 *
 * @throws invalid-option
 */
export function policyNoise(space: ActionSpace, { temperature: T = 5 }: PolicyNoiseOptions = {}): Perturbation {
  checkRange("masking/policy-noise", "temperature", T, 1);
  const name = "policy_noise";
  if (space.kind === "box") {
    const k = boxSize(space);
    const wider = Math.log(T) / 2;
    return {
      name,
      evaluate({ count }, policy, out) {
        for (let at = 0; at < 2 * k * count; at++) out[at] = policy[at] + (at % (2 * k) < k ? 0 : wider);
      },
    };
  }
  const parts = space.kind === "multi-discrete" ? space.nvec : [space.kind === "candidates" ? space.max : space.n];
  const width = parts.reduce((sum, n) => sum + n, 0);
  return {
    name,
    evaluate({ legal, count }, policy, out) {
      for (let at = 0; at < count * width; at++) out[at] = policy[at] / T;
      for (let row = 0, at = 0; row < count; row++) {
        for (const n of parts) {
          maskedLogSoftmax(out, at, legal, at, n);
          at += n;
        }
      }
    },
  };
}
