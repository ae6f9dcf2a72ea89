import { type ActionSpace, distributionOf, stream } from "@magic-mask/core";
import type { States } from "./states.ts";

/** Branches of a state whose actions are continuous: the action is drawn from π, or from ν. */
export const DRAWN = ["policy", "perturbation"] as const;

/**
 * First actions where they are continuous: in rollout r the action is drawn from π in one branch and from ν in the other, by the same
 * chance in both (paired draws), named by state and rollout. Then Δ(s) = mean_r [G_r(a ~ π) − G_r(a ~ ν)], and its standard error knows of
 * the draws as well as of what follows.
 *
 * @returns writes the action of `branch` (0: π, 1: ν) to the slot at `out[at]`
 */
export function drawnActions({ decisions }: States, space: ActionSpace, seed: number) {
  const distribution = distributionOf(space);
  const random = stream(seed);
  return (state: number, branch: number, rollout: number, out: Float32Array, at: number) => {
    random.rekey(seed, "first action", state, rollout);
    const rows = branch === 0 ? decisions.policy : decisions.perturbation;
    distribution.at(rows, state * distribution.width).sample(random, out, at);
  };
}
