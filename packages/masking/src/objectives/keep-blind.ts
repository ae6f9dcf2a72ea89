import type { EnsembleOptions } from "../ensemble.ts";
import { armWeights } from "./arms.ts";
import type { MaskObjective } from "./objective.ts";
import { createStateRegression } from "./state-regression.ts";

/**
 * The effect of being blinded as that of a treatment, by two regressions (the T-learner of Künzel et al. 2019, PNAS 116(10),
 * arXiv:1706.03461), z being the coin:
 *
 *   Δ̂(o) = mean_k [ f_k0(x) − f_k1(x) ],   f_z(x) ≈ E[y ∣ x, z]
 *
 * y − V(o) stands for y: V is the same in both arms, and less is left to chance. It needs neither actions nor ν.
 */
export function keepBlind(options: EnsembleOptions = {}): MaskObjective {
  return {
    name: "keep_blind",
    blinding: "coin",
    create: (context) =>
      createStateRegression(context, {
        name: "keep_blind",
        ensemble: options,
        quantities: 2,
        prepare({ rollout, rows, advantages }) {
          const targets = new Float32Array(2 * rows.length);
          for (let i = 0; i < targets.length; i++) targets[i] = advantages[rows[i >> 1]];
          return { rows, targets, weights: armWeights(rollout, rows) };
        },
      }),
  };
}
