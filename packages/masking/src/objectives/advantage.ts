import { actionWidth, boxSize, type Distribution, distributionOf, maskWidth, type Rollout } from "@magic-mask/core";
import { comparedActions, givenActions, legalActions, probability } from "../action-lists.ts";
import { createEnsemble, type EnsembleOptions, normalise } from "../ensemble.ts";
import { ensembleMask } from "../ensemble-mask.ts";
import { pairFeatures } from "../features.ts";
import { pairScores } from "../pair-scores.ts";
import type { SingleActionAdvantages } from "../perturbations/tilt.ts";
import type { MaskContext, MaskLearner, MaskObjective } from "./objective.ts";

export interface AdvantageOptions extends EnsembleOptions {
  /** Whether nets see what the policy makes of the state; else [o, a] alone. */
  readonly policyFeatures?: boolean;
  /** Whether rare actions weigh as much as common ones (w below); else w = 1. */
  readonly balanced?: boolean;
}

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
 * exact where actions are finitely many, over 16 seeded draws each from π and ν where they are continuous; densities stand for
 * probabilities there. The mask is the rank of Δ̂ among recent states.
 */
export function advantage(options: AdvantageOptions = {}): MaskObjective {
  return { name: "advantage", blinding: "coin", create: (context) => createAdvantageMask(context, options) };
}

/** A mask that knows the advantages of single actions. */
export interface AdvantageMask extends MaskLearner {
  readonly advantages: SingleActionAdvantages;
}

export function createAdvantageMask(context: MaskContext, options: AdvantageOptions): AdvantageMask {
  const { spec, agent, seed } = context;
  const space = spec.actionSpaces[agent];
  const compared = comparedActions("masking/advantage", space, seed);
  const n = maskWidth(space);
  const legal = legalActions(n);
  const distribution = distributionOf(space);
  const { policyFeatures = true, balanced = true } = options;
  const features = pairFeatures(boxSize(spec.observationSpaces[agent]), space, policyFeatures);
  const X = features.width;
  const ensemble = createEnsemble(context, "advantage", X, options);
  const K = ensemble.size;
  const totals = new Float64Array(K);
  const ask = pairScores(features, ensemble);

  const mask = ensembleMask(context, {
    name: "advantage",
    ensemble,
    score(decisions, record) {
      ask(decisions, compared, (row, answers, first, size) => {
        totals.fill(0);
        for (let i = 0; i < size; i++) {
          const gain = compared.gain(decisions, row, i);
          for (let k = 0; k < K; k++) totals[k] += gain * answers[first + i * K + k];
        }
        record(row, totals);
      });
    },
    fit({ rollout, rows, advantages }, plan) {
      const count = rows.length;
      const source = { ...rollout, count: rollout.length };
      const taken = new Float32Array(actionWidth(space));
      const pairs = new Float32Array(count * X);
      const targets = new Float32Array(count * K);
      const weights = new Float32Array(count * K);
      const balance = balanced ? balancedWeights(rollout, rows, distribution) : new Float32Array(count).fill(1);
      const drawn = ensemble.bootstrap(rollout, rows);
      rows.forEach((row, i) => {
        const at = row * rollout.widths.action;
        for (let j = 0; j < taken.length; j++) taken[j] = rollout.actions[at + j];
        features.write(source, row, space.kind === "box" ? taken : taken[0], pairs, i * X);
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
    advantages(source, out, given) {
      const asked = given ? givenActions(given, source.count, space) : legal;
      const width = asked.actions.length;
      ask(source, asked, (row, answers, first, size) => {
        for (let i = 0; i < size; i++) {
          let mean = 0;
          for (let k = 0; k < K; k++) mean += answers[first + i * K + k] / K;
          out[row * width + (given ? i : (asked.actions[i] as number))] = mean;
        }
      });
    },
  };
}

/** w = (½π + ½ν)(a) / b(a) for each row, normalised to mean 1. */
function balancedWeights(rollout: Rollout, rows: Int32Array, distribution: Distribution): Float32Array {
  const { parameters: P, action: W } = rollout.widths;
  const weights = new Float32Array(rows.length);
  rows.forEach((row, i) => {
    const pi = probability(distribution.at(rollout.policy, row * P).logProb(rollout.actions, row * W));
    const nu = probability(distribution.at(rollout.perturbation, row * P).logProb(rollout.actions, row * W));
    const p = rollout.blindProbability[row];
    weights[i] = (0.5 * pi + 0.5 * nu) / ((1 - p) * pi + p * nu);
  });
  return normalise(weights);
}
