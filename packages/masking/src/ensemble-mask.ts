import type { Decisions } from "@magic-mask/core";
import { type Ensemble, type EnsembleState, summarise } from "./ensemble.ts";
import type { Evidence, FitPlan, MaskContext, MaskLearner } from "./objectives/objective.ts";
import { type RankedState, rankedStates } from "./ranked-states.ts";

export interface EnsembleMaskOptions {
  readonly name: string;
  readonly ensemble: Ensemble;
  /** Tells `record` the K estimates of each decision's criticality. */
  score(decisions: Decisions, record: (row: number, estimates: Float64Array) => void): void;
  /** Learns from at least one row. @returns the loss; NaN if there was nothing to learn after all */
  fit(evidence: Evidence, plan: FitPlan): Promise<number>;
}

/**
 * A mask by an ensemble: criticality is the mean of K estimates and its uncertainty their standard deviation; the mask is its
 * rank among recent states.
 */
export function ensembleMask(context: MaskContext, { name, ensemble, score, fit }: EnsembleMaskOptions): MaskLearner {
  const explainer = {
    name,
    score(decisions: Decisions, criticality: Float32Array, spread: Float32Array) {
      score(decisions, (row, estimates) => summarise(estimates, row, criticality, spread));
    },
  };
  const ranks = rankedStates(context, explainer);
  return {
    explainer,
    mask: ranks.mask,
    async fit(evidence, plan) {
      if (evidence.rows.length === 0) return {};
      const loss = await fit(evidence, plan);
      if (Number.isNaN(loss)) return {};
      ranks.remember(evidence.rollout, evidence.rows, ensemble.epochs);
      return { loss };
    },
    exportState: (): EnsembleMaskState => ({ ...ensemble.exportState(), ranks: ranks.exportState() }),
    restoreState(state) {
      const { ranks: ranked, ...own } = state as EnsembleMaskState;
      ensemble.restoreState(own);
      ranks.restoreState(ranked);
    },
  };
}

interface EnsembleMaskState extends EnsembleState {
  readonly ranks: RankedState;
}
