import { boxSize, requireChoices } from "@magic-mask/core";
import { legalActions } from "../action-lists.ts";
import { createEnsemble, type EnsembleOptions } from "../ensemble.ts";
import { ensembleMask } from "../ensemble-mask.ts";
import { pairFeatures } from "../features.ts";
import { pairScores } from "../pair-scores.ts";
import type { MaskContext, MaskLearner, MaskObjective } from "./objective.ts";

/**
 * Importance as in HIGHLIGHTS (Amir & Amir, AAMAS 2018, after Torrey & Taylor 2013), the range of action values over the legal
 * actions:
 *
 *   I(o) = mean_k [ max_a Q̂_k(x, a) − min_a Q̂_k(x, a) ]
 *
 * As in that literature Q is the policy's own: it learns from decisions that were not blinded, so that of actions which the
 * policy does not take it knows what the net makes of the others. It learns y − V(o), as V(o) cancels in the range.
 *
 * @throws unsupported, when it is created, where choices are not finitely many: a net's extremes over a continuum are noise
 */
export function valueGap(options: EnsembleOptions = {}): MaskObjective {
  return {
    name: "value_gap",
    blinding: "coin",
    needs: "choices",
    create: (context) => createValueGapMask(context, options),
  };
}

function createValueGapMask(context: MaskContext, options: EnsembleOptions): MaskLearner {
  const { spec, agent } = context;
  const space = spec.actionSpaces[agent];
  const n = requireChoices("masking/value-gap", space);
  const features = pairFeatures(boxSize(spec.observationSpaces[agent]), space);
  const X = features.width;
  const ensemble = createEnsemble(context, "value_gap", X, options);
  const K = ensemble.size;
  const gaps = new Float64Array(K);
  const ask = pairScores(features, ensemble);
  const choices = legalActions(n);

  return ensembleMask(context, {
    name: "value_gap",
    ensemble,
    score(decisions, record) {
      ask(decisions, choices, (row, answers, first, size) => {
        for (let k = 0; k < K; k++) {
          let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
          for (let at = first + k; at < first + size * K; at += K) {
            low = Math.min(low, answers[at]);
            high = Math.max(high, answers[at]);
          }
          gaps[k] = high - low;
        }
        record(row, gaps);
      });
    },
    fit({ rollout, rows: all, advantages }, plan) {
      const rows = all.filter((row) => !rollout.blinded[row]);
      const count = rows.length;
      const source = { ...rollout, count: rollout.length };
      const inputs = new Float32Array(count * X);
      const targets = new Float32Array(count * K);
      rows.forEach((row, i) => {
        features.write(source, row, rollout.actions[row * rollout.widths.action], inputs, i * X);
        targets.fill(advantages[row], i * K, (i + 1) * K);
      });
      const weights = Float32Array.from(ensemble.bootstrap(rollout, rows));
      return ensemble.fit({ count, inputs, targets, weights }, plan);
    },
  });
}
