import { type Box, distributionOf, stream } from "@magic-mask/core";
import type { States } from "./states.ts";

/**
 * First actions where they are continuous: in rollout r the action is drawn from π in one branch and from ν in the other, by the
 * same chance in both (paired draws), named by state and rollout. Then Δ(s) = mean_r [G_r(a ~ π) − G_r(a ~ ν)], and its standard
 * error knows of the draws as well as of what follows.
 *
 * @returns writes the action that π or ν draws to the slot at `out[at]`
 */
export function drawnActions({ decisions }: States, space: Box, seed: number) {
  const distribution = distributionOf(space);
  const random = stream(seed);
  return (state: number, by: "policy" | "perturbation", rollout: number, out: Float32Array, at: number): void => {
    random.rekey(seed, "first action", state, rollout);
    distribution.at(decisions[by], state * distribution.width).sample(random, out, at);
  };
}
