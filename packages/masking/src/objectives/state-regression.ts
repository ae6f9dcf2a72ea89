import { boxSize } from "@magic-mask/core";
import { createEnsemble, type Ensemble, type EnsembleOptions } from "../ensemble.ts";
import { ensembleMask } from "../ensemble-mask.ts";
import { stateFeatures } from "../features.ts";
import { stateInputs, stateScores } from "../state-inputs.ts";
import type { Evidence, FitPlan, MaskContext, MaskLearner } from "./objective.ts";

/** What is regressed on x, for one fit: n rows and J quantities of each. */
interface StateTargets {
  /** [n] */
  readonly rows: Int32Array;
  /** [n × J] */
  readonly targets: Float32Array;
  /** [n × J] w ≥ 0 */
  readonly weights: Float32Array;
  /**
   * Where targets follow from what has been learned: writes them before each pass.
   *
   * @param targets [n × J·K] those of estimate k of quantity j at j·K + k
   */
  renew?(targets: Float32Array, ensemble: Ensemble): void;
}

export interface StateRegressionOptions {
  readonly name: string;
  readonly ensemble: EnsembleOptions;
  /**
   * 1: criticality is the quantity itself. 2: it is the first less the second, what keeping is worth and what being
   * blinded is.
   */
  readonly quantities: 1 | 2;
  /** Makes the targets from what was seen. */
  prepare(evidence: Evidence, plan: FitPlan): StateTargets | Promise<StateTargets>;
}

/** A mask whose criticality is learned as a function of x, `stateFeatures`, by an ensemble. */
export function createStateRegression(
  context: MaskContext,
  { name, ensemble: options, quantities, prepare }: StateRegressionOptions,
): MaskLearner {
  const { spec, agent } = context;
  const features = stateFeatures(boxSize(spec.observationSpaces[agent]), spec.actionSpaces[agent]);
  const ensemble = createEnsemble(context, name, features.width, options, quantities);
  const K = ensemble.size;
  const estimates = new Float64Array(K);
  const scores = stateScores(features, ensemble, ensemble.width);

  return ensembleMask(context, {
    name,
    ensemble,
    score(decisions, record) {
      scores(decisions, (row, answers, at) => {
        for (let k = 0; k < K; k++) estimates[k] = answers[at + k] - (quantities === 2 ? answers[at + K + k] : 0);
        record(row, estimates);
      });
    },
    async fit(evidence, plan) {
      const { rollout } = evidence;
      const { rows, renew, ...told } = await prepare(evidence, plan);
      const count = rows.length;
      const targets = new Float32Array(count * ensemble.width);
      const weights = new Float32Array(count * ensemble.width);
      const drawn = ensemble.bootstrap(rollout, rows);
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < quantities; j++) {
          for (let k = 0; k < K; k++) {
            const at = i * ensemble.width + j * K + k;
            targets[at] = told.targets[i * quantities + j];
            weights[at] = told.weights[i * quantities + j] * drawn[i * K + k];
          }
        }
      }
      const inputs = stateInputs(features, rollout, rows);
      const again = renew && { renew: () => renew(targets, ensemble) };
      return ensemble.fit({ count, inputs, targets, weights, ...again }, plan);
    },
  });
}
