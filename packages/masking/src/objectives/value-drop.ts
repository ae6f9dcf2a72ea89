import type { EnsembleOptions } from "../ensemble.ts";
import { oneStepAdvantages } from "../one-step.ts";
import type { MaskObjective } from "./objective.ts";
import { createStateRegression } from "./state-regression.ts";

/**
 * What one blinded step costs by the critic's own estimate of the next state:
 *
 *   Δ̂(o) = mean_k f_k(x),   f(x) ≈ E[ V(o) − (r + γV(o′)) ∣ x, z = 1 ]
 *
 * Criticality at trace λ = 0: little variance, but wherever V is wrong about o′ so is this. It learns from blinded decisions alone.
 */
export function valueDrop(options: EnsembleOptions = {}): MaskObjective {
  return {
    name: "value_drop",
    blinding: "coin",
    create: (context) =>
      createStateRegression(context, {
        name: "value_drop",
        ensemble: options,
        quantities: 1,
        prepare(evidence) {
          const rows = evidence.rows.filter((row) => evidence.rollout.blinded[row] === 1);
          const targets = oneStepAdvantages({ ...evidence, rows }).map((gain) => -gain);
          return { rows, targets, weights: new Float32Array(rows.length).fill(1) };
        },
      }),
  };
}
