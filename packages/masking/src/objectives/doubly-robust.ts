import { actionWidth, distributionOf, stream } from "@magic-mask/core";
import { probability } from "../action-lists.ts";
import type { EnsembleOptions } from "../ensemble.ts";
import { selectDecisions } from "../select.ts";
import { createAdvantageMask } from "./advantage.ts";
import type { Evidence, FitPlan, MaskContext, MaskLearner, MaskObjective } from "./objective.ts";
import { createStateRegression } from "./state-regression.ts";

/**
 * Doubly robust criticality (Robins & Rotnitzky 1995; cross-fitted as in Chernozhukov et al. 2018, arXiv:1608.00060, and
 * regressed on x as in Kennedy 2023, arXiv:2004.14497):
 *
 *   ψ = Σ_a (π − ν)(a)·Â(x, a) + [(π − ν)(a_t) / b(a_t)]·(y − V(o) − Â(x, a_t)),   b = (1 − p)π + pν
 *   Δ̂(o) = mean_k f_k(x),   f ≈ E[ψ ∣ x]
 *
 * b is known, so E[ψ ∣ x] is right whatever Â is; a good Â makes ψ less noisy. Â is that of `advantage`, of each episode by a net
 * that learns from the other half of the episodes. |π − ν|/b ≤ 1/min(p, 1 − p): nothing is clipped.
 */
export function doublyRobust(options: EnsembleOptions = {}): MaskObjective {
  return { name: "doubly_robust", blinding: "coin", create: (context) => createDoublyRobustMask(context, options) };
}

function createDoublyRobustMask(context: MaskContext, options: EnsembleOptions): MaskLearner {
  const { spec, agent, seed } = context;
  const space = spec.actionSpaces[agent];
  const distribution = distributionOf(space);
  const w = actionWidth(space);
  /** [2] what learned nothing from the episodes of that half. */
  const halves = [0, 1].map((half) =>
    createAdvantageMask(
      { ...context, seed: stream(seed, "half", half).bits() },
      { ...options, ensemble: 2, separate: false },
    ),
  );

  const mask = createStateRegression(context, {
    name: "doubly_robust",
    ensemble: options,
    quantities: 1,
    async prepare(evidence, plan) {
      const { rows } = evidence;
      return { rows, targets: await pseudoOutcomes(evidence, plan), weights: new Float32Array(rows.length).fill(1) };
    },
  });

  /** [n] ψ of the evidence's rows. */
  async function pseudoOutcomes(evidence: Evidence, plan: FitPlan): Promise<Float32Array> {
    const { rollout, rows, advantages } = evidence;
    const draw = stream(seed);
    const half = Uint8Array.from(rows, (row) => {
      draw.rekey(seed, "half of", agent, rollout.copies[row], rollout.episodes[row]);
      return draw.below(2);
    });
    await Promise.all(
      halves.map((learner, h) => learner.fit({ ...evidence, rows: rows.filter((_, i) => half[i] !== h) }, plan)),
    );
    const psi = new Float32Array(rows.length);
    halves.forEach((learner, h) => {
      const places = Int32Array.from(rows.keys()).filter((i) => half[i] === h);
      const decisions = selectDecisions(
        rollout,
        rows.filter((_, i) => half[i] === h),
        agent,
      );
      const { count, policy, perturbation } = decisions;
      const { action: W, parameters: P } = rollout.widths;
      const taken = new Float32Array(count * w);
      places.forEach((i, at) => {
        for (let j = 0; j < w; j++) taken[at * w + j] = rollout.actions[rows[i] * W + j];
      });
      const [expected, own] = [new Float32Array(count), new Float32Array(count)];
      learner.explainer.score(decisions, expected, new Float32Array(count));
      learner.advantages(decisions, own, taken);
      places.forEach((i, at) => {
        const pi = probability(distribution.at(policy, at * P).logProb(taken, at * w));
        const nu = probability(distribution.at(perturbation, at * P).logProb(taken, at * w));
        const p = rollout.blindProbability[rows[i]];
        psi[i] = expected[at] + ((pi - nu) / ((1 - p) * pi + p * nu)) * (advantages[rows[i]] - own[at]);
      });
    });
    return psi;
  }

  return {
    ...mask,
    exportState: (): DoublyRobustState => ({
      mask: mask.exportState(),
      halves: halves.map((learner) => learner.exportState()),
    }),
    restoreState(state) {
      const saved = state as DoublyRobustState;
      mask.restoreState(saved.mask);
      halves.forEach((learner, h) => {
        learner.restoreState(saved.halves[h]);
      });
    },
  };
}

interface DoublyRobustState {
  readonly mask: object;
  readonly halves: readonly object[];
}
