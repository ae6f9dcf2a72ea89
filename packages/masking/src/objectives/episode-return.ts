import { boxSize, type LearnerState, lambdaReturns, shuffle, stream, TERMINATED } from "@magic-mask/core";
import type { EnsembleOptions } from "../ensemble.ts";
import { stateFeatures } from "../features.ts";
import { inferAll, stateInputs } from "../state-inputs.ts";
import {
  type Evidence,
  type FitPlan,
  type MaskContext,
  type MaskLearner,
  type MaskObjective,
  rateAt,
} from "./objective.ts";
import { createStateRegression } from "./state-regression.ts";

/**
 * Importance by a model of the episode's return, in the manner of RUDDER (Arjona-Medina et al. 2019, arXiv:1806.07857) and EDGE
 * (Guo et al., NeurIPS 2021): a net g predicts from x what the agent has still to earn, and a decision matters as much as it
 * moves that prediction of the whole return:
 *
 *   g(x_t) ≈ Σ_k γ^k·r_{t+k},   c_t = r_t + γ·g(x_{t+1}) − g(x_t),   Δ̂(o) = mean_k f_k(x),   f(x) ≈ E[ |c_t| ∣ x ]
 *
 * Kept of them: a model of the return alone, that never sees an intervention, and its differences from step to step. Left out:
 * the sequence models (an LSTM; a Gaussian process with episode embeddings), as decisions here are scored one by one, and EDGE's
 * mixing weights. It cannot tell the policy's doing from luck or from what others do.
 */
export function episodeReturn(options: EnsembleOptions = {}): MaskObjective {
  return { name: "episode_return", blinding: "coin", create: (context) => createReturnMask(context, options) };
}

function createReturnMask(context: MaskContext, options: EnsembleOptions): MaskLearner {
  const { spec, agent, createLearner, seed } = context;
  const { hidden = [64, 64], minibatch = 512 } = options;
  const features = stateFeatures(boxSize(spec.observationSpaces[agent]), spec.actionSpaces[agent]);
  const model = { kind: "mlp", inputs: features.width, hidden, activation: "relu", outputs: [1] } as const;
  const learner = createLearner(model, stream(seed, "episode return", agent));
  let epochsDone = 0;

  const mask = createStateRegression(context, {
    name: "episode_return",
    ensemble: options,
    quantities: 1,
    async prepare(evidence, plan) {
      const rows = evidence.rows.filter((row) => !evidence.rollout.blinded[row]);
      if (rows.length > 0) await learnReturns({ ...evidence, rows }, plan);
      return { rows, targets: changes({ ...evidence, rows }), weights: new Float32Array(rows.length).fill(1) };
    },
  });

  /** Regresses g on the returns of what followed, blinding included; V stands for what the rollout does not show. */
  async function learnReturns({ rollout, rows, values, discount }: Evidence, { epochs, learningRate }: FitPlan) {
    const returns = new Float32Array(rollout.length);
    lambdaReturns(rollout, values, discount, 1, returns, { blinded: true });
    const batch = {
      inputs: stateInputs(features, rollout, rows),
      targets: Float32Array.from(rows, (row) => returns[row]),
      weights: new Float32Array(rows.length).fill(1),
    };
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = Int32Array.from(rows.keys());
      await learner.update(
        { loss: { kind: "regression" }, batch },
        {
          rows: shuffle(order, stream(seed, "return order", agent, epochsDone++)),
          minibatch,
          learningRate: rateAt(learningRate, epoch, epochs),
          maxGradNorm: 0.5,
        },
      );
    }
  }

  /** [n] |c| */
  function changes({ rollout, rows, discount }: Evidence): Float32Array {
    const predict = (of: Int32Array) => {
      const out = new Float32Array(of.length);
      inferAll(learner, stateInputs(features, rollout, of), of.length, out);
      return out;
    };
    const isLast = (row: number) => rollout.ended[row] === TERMINATED;
    const here = predict(rows);
    const ahead = predict(rows.map((row) => (isLast(row) ? row : rollout.next[row])));
    return here.map((g, i) => Math.abs(rollout.rewards[rows[i]] + (isLast(rows[i]) ? 0 : discount * ahead[i]) - g));
  }

  return {
    ...mask,
    exportState: (): EpisodeReturnState => ({
      mask: mask.exportState(),
      learner: learner.exportState(),
      epochs: epochsDone,
    }),
    restoreState(state) {
      const saved = state as EpisodeReturnState;
      mask.restoreState(saved.mask);
      learner.restoreState(saved.learner);
      epochsDone = saved.epochs;
    },
  };
}

interface EpisodeReturnState {
  readonly mask: object;
  readonly learner: LearnerState;
  readonly epochs: number;
}
