import { boxSize, checkRange, TERMINATED } from "@magic-mask/core";
import type { EnsembleOptions } from "../ensemble.ts";
import { stateFeatures } from "../features.ts";
import { oneStepAdvantages, scaleOf } from "../one-step.ts";
import { inferAll, stateInputs } from "../state-inputs.ts";
import { armWeights } from "./arms.ts";
import type { MaskObjective } from "./objective.ts";
import { createStateRegression } from "./state-regression.ts";

export interface LazyOptions extends EnsembleOptions {
  /** η ≥ 0, what taking control costs, in units of the root mean square of δ. */
  readonly cost?: number;
}

/**
 * The lazy gap of a lazy MDP (Jacq et al. 2022, "Lazy-MDPs: Towards Interpretable RL by Learning When to Act", arXiv:2203.08542):
 * at each decision one may leave the act to a default, here the perturbation, or pay η and have the policy act:
 *
 *   Q(x, z) = E[ r − η·(1 − z) + γ·max_z′ Q(x′, z′) ∣ x, z ],   Δ̂(o) = mean_k [ Q_k(x, 0) − Q_k(x, 1) ]
 *
 * by fitted Q iteration, one per pass, on a coin's data. Q − V is what is learned, from δ = r + γV(o′) − V(o) in the place of r:
 * shaping by a potential changes no gap (Ng et al. 1999). There a lazy agent learns how to act, too; here the policy is given.
 */
export function lazy({ cost = 0.1, ...options }: LazyOptions = {}): MaskObjective {
  checkRange("masking/lazy", "cost", cost, 0);
  return {
    name: "lazy",
    blinding: "coin",
    create(context) {
      const { spec, agent } = context;
      const features = stateFeatures(boxSize(spec.observationSpaces[agent]), spec.actionSpaces[agent]);
      return createStateRegression(context, {
        name: "lazy",
        ensemble: options,
        quantities: 2,
        prepare(evidence) {
          const { rollout, rows, discount } = evidence;
          const gains = oneStepAdvantages(evidence);
          const eta = cost * scaleOf(gains);
          const targets = new Float32Array(2 * rows.length);
          for (let i = 0; i < targets.length; i++) targets[i] = gains[i >> 1];
          const ahead = rows.map((row) => (rollout.ended[row] === TERMINATED ? row : rollout.next[row]));
          const inputs = stateInputs(features, rollout, ahead);
          return {
            rows,
            targets,
            weights: armWeights(rollout, rows),
            renew(all, { size: K, width: O, infer }) {
              const next = new Float32Array(rows.length * O);
              inferAll({ infer }, inputs, rows.length, next);
              rows.forEach((row, i) => {
                for (let k = 0; k < K; k++) {
                  const [keep, blind] = [i * O + k, i * O + K + k];
                  const best = rollout.ended[row] === TERMINATED ? 0 : discount * Math.max(next[keep], next[blind]);
                  all[keep] = gains[i] - eta + best;
                  all[blind] = gains[i] + best;
                }
              });
            },
          };
        },
      });
    },
  };
}
