import { checkRange, type Decisions, type Explainer, momentsOf } from "@magic-mask/core";
import { type RankedState, rankedStates, sampleStates } from "../ranked-states.ts";
import type { MaskContext, MaskLearner, MaskObjective } from "./objective.ts";

/**
 * What was learned, shrunk towards a target that takes no learning:
 *
 *   Δ̂(o) = (Δ̂_j(o) + w·t(o)) / (1 + w)
 *
 * t is the target, brought to the mean and the standard deviation that Δ̂_j has over states that were just learned from; the mean
 * alone where the target scores all of them alike. Uncertainty is that of Δ̂_j: by how much the target errs nobody knows. The mask is
 * the rank of Δ̂ among recent states. What single actions are worth is as the objective says.
 *
 * @param target scores an agent's decisions by its policy, a control; undefined where there is none, and the objective stays as it is
 * @param weight w ≥ 0
 * @throws invalid-option
 */
export function shrunk(
  name: string,
  objective: MaskObjective,
  target: (context: Pick<MaskContext, "spec" | "agent">) => Explainer | undefined,
  weight: number,
): MaskObjective {
  checkRange("masking/shrunk", "weight", weight, 0, Number.MAX_VALUE);
  return {
    ...objective,
    name,
    create(context): MaskLearner {
      const part = objective.create(context);
      const control = target(context);
      if (!control) return { ...part, explainer: { ...part.explainer, name } };
      let fits = 0;
      let scale: Scale = { slope: 0, intercept: 0 };
      let [targets, unread] = [new Float32Array(0), new Float32Array(0)];
      const explainer = {
        name,
        score(decisions: Decisions, criticality: Float32Array, spread: Float32Array) {
          const { count } = decisions;
          if (targets.length < count) [targets, unread] = [new Float32Array(count), new Float32Array(count)];
          part.explainer.score(decisions, criticality, spread);
          control.score(decisions, targets, unread);
          for (let row = 0; row < count; row++) {
            const t = scale.slope * targets[row] + scale.intercept;
            criticality[row] = (criticality[row] + weight * t) / (1 + weight);
          }
        },
      };
      const ranks = rankedStates(context, explainer);

      const matched = (sample: Decisions): Scale => {
        const [to, from] = [part.explainer, control].map((each) => {
          const scores = new Float32Array(sample.count);
          each.score(sample, scores, new Float32Array(sample.count));
          return momentsOf(scores);
        });
        const slope = from.deviation > 0 ? to.deviation / from.deviation : 0;
        return { slope, intercept: to.mean - slope * from.mean };
      };

      return {
        ...part,
        explainer,
        mask: ranks.mask,
        async fit(evidence, plan) {
          if (evidence.rows.length === 0) return {};
          const learned = await part.fit(evidence, plan);
          scale = matched(sampleStates(context, evidence.rollout, evidence.rows, fits));
          ranks.remember(evidence.rollout, evidence.rows, fits++);
          return learned;
        },
        exportState: (): ShrunkState => ({ part: part.exportState(), ranks: ranks.exportState(), scale, fits }),
        restoreState(state) {
          const { part: ofPart, ranks: ofRanks, ...own } = state as ShrunkState;
          part.restoreState(ofPart);
          ranks.restoreState(ofRanks);
          ({ scale, fits } = own);
        },
      };
    },
  };
}

/** What a target's scores are brought to its objective's scale by: t = slope · score + intercept. */
interface Scale {
  readonly slope: number;
  readonly intercept: number;
}

export interface ShrunkState {
  readonly part: object;
  readonly ranks: RankedState;
  readonly scale: Scale;
  readonly fits: number;
}
