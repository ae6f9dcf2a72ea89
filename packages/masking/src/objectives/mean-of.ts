import { type Decisions, MagicMaskError } from "@magic-mask/core";
import { type RankedState, rankedStates } from "../ranked-states.ts";
import type { MaskLearner, MaskObjective } from "./objective.ts";

/**
 * The mean of objectives whose criticalities are on one scale, each learned by itself from the same evidence:
 *
 *   Δ̂(o) = (1/J) Σ_j Δ̂_j(o)
 *
 * Its uncertainty is the mean of theirs: they learn from the same episodes and err together. The mask is the rank of Δ̂ among
 * recent states. What single actions are worth it has from the first of them that knows.
 *
 * @param objectives [J] ≥ 2 that learn from a coin's blinding
 * @throws invalid-option
 */
export function meanOf(name: string, objectives: readonly MaskObjective[]): MaskObjective {
  if (objectives.length < 2 || objectives.some(({ blinding }) => blinding !== "coin")) {
    const came = objectives.map((objective) => `${objective.name} (${objective.blinding})`).join(", ");
    const message = `needs at least 2 objectives that learn from a coin's blinding, got ${came || "none"}`;
    throw new MagicMaskError("invalid-option", "masking/mean-of", message);
  }
  return {
    name,
    blinding: "coin",
    create(context): MaskLearner {
      const parts = objectives.map((objective) => objective.create(context));
      let fits = 0;
      let [scores, spreads] = [new Float32Array(0), new Float32Array(0)];
      const explainer = {
        name,
        score(decisions: Decisions, criticality: Float32Array, spread: Float32Array) {
          const { count } = decisions;
          if (scores.length < count) [scores, spreads] = [new Float32Array(count), new Float32Array(count)];
          criticality.fill(0, 0, count);
          spread.fill(0, 0, count);
          for (const part of parts) {
            part.explainer.score(decisions, scores, spreads);
            for (let row = 0; row < count; row++) {
              criticality[row] += scores[row] / parts.length;
              spread[row] += spreads[row] / parts.length;
            }
          }
        },
      };
      const ranks = rankedStates(context, explainer);
      const advantages = parts.find((part) => part.advantages)?.advantages;
      return {
        explainer,
        mask: ranks.mask,
        ...(advantages && { advantages }),
        async fit(evidence, plan) {
          if (evidence.rows.length === 0) return {};
          const learned = await Promise.all(parts.map((part) => part.fit(evidence, plan)));
          ranks.remember(evidence.rollout, evidence.rows, fits++);
          const losses = learned.flatMap(({ loss }) => (loss === undefined ? [] : [loss / parts.length]));
          return losses.length === parts.length ? { loss: losses.reduce((sum, loss) => sum + loss, 0) } : {};
        },
        exportState: (): MeanState => ({
          parts: parts.map((part) => part.exportState()),
          ranks: ranks.exportState(),
          fits,
        }),
        restoreState(state) {
          const saved = state as MeanState;
          parts.forEach((part, j) => {
            part.restoreState(saved.parts[j]);
          });
          ranks.restoreState(saved.ranks);
          fits = saved.fits;
        },
      };
    },
  };
}

interface MeanState {
  readonly parts: readonly object[];
  readonly ranks: RankedState;
  readonly fits: number;
}
