import { boxSize, type Decisions, ILLEGAL, type Rollout, requireChoices } from "@magic-mask/core";
import { createEnsemble, type EnsembleOptions, normalise } from "../ensemble.ts";
import { ensembleMask } from "../ensemble-mask.ts";
import { pairFeatures } from "../features.ts";
import { pairScores } from "../pair-scores.ts";
import type { MaskContext, MaskLearner, MaskObjective } from "./objective.ts";

export type AdvantageOptions = EnsembleOptions;

/**
 * Regression of the advantage of single actions, the action being an input:
 *
 *   minimise  w·(Â_k([x, a, ln π(a), π(a)]) − (y − V(o)))²,    w = (½π + ½ν)(a) / b(a),   b = (1 − p)π + pν
 *
 * w normalised to mean 1. Criticality is what the agent loses by being blinded, in units of return, its uncertainty the standard
 * deviation over the ensemble:
 *
 *   Δ̂(o) = Σ_a (π − ν)(a)·mean_k Â_k(x, a)
 *
 * The mask is the rank of Δ̂ among recent states.
 */
export function advantage(options: AdvantageOptions = {}): MaskObjective {
  return { name: "advantage", blinding: "coin", create: (context) => createAdvantageMask(context, options) };
}

/** A mask that knows the advantages of single actions. */
export interface AdvantageMask extends MaskLearner {
  /** mean_k Â_k(x, a) of one action each. @param actions [B] @param out [B] written */
  advantages(decisions: Decisions, actions: Int32Array, out: Float32Array): void;
}

export function createAdvantageMask(context: MaskContext, options: AdvantageOptions): AdvantageMask {
  const { spec, agent } = context;
  const space = spec.actionSpaces[agent];
  const n = requireChoices("masking/advantage", space);
  const features = pairFeatures(boxSize(spec.observationSpaces[agent]), space);
  const X = features.width;
  const ensemble = createEnsemble(context, "advantage", X, options);
  const K = ensemble.size;
  const totals = new Float64Array(K);
  const scores = pairScores(features, n, ensemble);
  let inputs = new Float32Array(0);
  let estimates = new Float32Array(0);

  const mask = ensembleMask(context, {
    name: "advantage",
    ensemble,
    score(decisions, record) {
      const { legal, policy, perturbation } = decisions;
      scores(decisions, (row, answers, first) => {
        totals.fill(0);
        let at = first;
        for (let a = 0; a < n; a++) {
          if (!legal[row * n + a]) continue;
          const gain = probability(policy[row * n + a]) - probability(perturbation[row * n + a]);
          for (let k = 0; k < K; k++) totals[k] += gain * answers[at + k];
          at += K;
        }
        record(row, totals);
      });
    },
    fit({ rollout, rows, advantages }, plan) {
      const count = rows.length;
      const source = { ...rollout, count: rollout.length };
      const pairs = new Float32Array(count * X);
      const targets = new Float32Array(count * K);
      const weights = new Float32Array(count * K);
      const balance = balancedWeights(rollout, rows, n);
      const drawn = ensemble.bootstrap(rollout, rows);
      rows.forEach((row, i) => {
        features.write(source, row, rollout.actions[row * rollout.widths.action], pairs, i * X);
        for (let k = 0; k < K; k++) {
          targets[i * K + k] = advantages[row];
          weights[i * K + k] = balance[i] * drawn[i * K + k];
        }
      });
      return ensemble.fit({ count, inputs: pairs, targets, weights }, plan);
    },
  });

  return {
    ...mask,
    advantages(decisions, actions, out) {
      if (inputs.length === 0) {
        inputs = new Float32Array(CHUNK * X);
        estimates = new Float32Array(CHUNK * K);
      }
      for (let from = 0; from < decisions.count; from += CHUNK) {
        const count = Math.min(CHUNK, decisions.count - from);
        for (let i = 0; i < count; i++) features.write(decisions, from + i, actions[from + i], inputs, i * X);
        ensemble.infer(inputs, count, estimates);
        for (let i = 0; i < count; i++) {
          let mean = 0;
          for (let k = 0; k < K; k++) mean += estimates[i * K + k] / K;
          out[from + i] = mean;
        }
      }
    },
  };
}

/** Decisions per forward pass. */
const CHUNK = 256;

const probability = (logProb: number) => (logProb > ILLEGAL ? Math.exp(logProb) : 0);

/** w = (½π + ½ν)(a) / b(a) for each row, normalised to mean 1. */
function balancedWeights(rollout: Rollout, rows: Int32Array, n: number): Float32Array {
  const weights = new Float32Array(rows.length);
  rows.forEach((row, i) => {
    const at = row * n + rollout.actions[row * rollout.widths.action];
    const pi = probability(rollout.policy[at]);
    const nu = probability(rollout.perturbation[at]);
    const p = rollout.blindProbability[row];
    weights[i] = (0.5 * pi + 0.5 * nu) / ((1 - p) * pi + p * nu);
  });
  return normalise(weights);
}
