import { boxSize, checkCount, checkRange, type Decisions, type LearnerState, shuffle, stream } from "@magic-mask/core";
import { type MaskContext, type MaskLearner, type MaskObjective, rateAt } from "./objective.ts";

export interface PaperOptions {
  /** τ in [0, 1]: both the gate's threshold and the mean that the loss asks for. */
  readonly threshold?: number;
  readonly hidden?: readonly number[];
  readonly minibatch?: number;
}

/**
 * The published mask loss, literally (Maliha & Hougen, arXiv:2510.00274): a net on the observation alone,
 *
 *   m = σ(f_φ(o)),   L(φ) = MSE(E[m], τ) = (mean over the minibatch of m − τ)²,   gate: m ≤ τ blinds
 *
 * What it gates is what it calls critical, so criticality is 1 − m. A constant m = τ minimises the loss: it carries no signal
 * about the task, and is here to be measured.
 */
export function paper(options: PaperOptions = {}): MaskObjective {
  return { name: "paper", blinding: "mask", create: (context) => createPaperMask(context, options) };
}

function createPaperMask(
  { spec, agent, createLearner, seed }: MaskContext,
  { threshold = 0.5, hidden = [64, 64], minibatch = 512 }: PaperOptions,
): MaskLearner {
  checkRange("masking/paper", "threshold", threshold, 0, 1);
  checkCount("masking/paper", "minibatch", minibatch);
  const D = boxSize(spec.observationSpaces[agent]);
  const model = { kind: "mlp", inputs: D, hidden, activation: "relu", outputs: [1] } as const;
  const learner = createLearner(model, stream(seed, "paper", agent));
  let epochsDone = 0;

  const mask = ({ observations, count }: Pick<Decisions, "observations" | "count">, out: Float32Array) => {
    learner.infer(observations.subarray(0, count * D), count, out);
    for (let row = 0; row < count; row++) out[row] = 1 / (1 + Math.exp(-out[row]));
  };

  return {
    explainer: {
      name: "paper",
      score(decisions, criticality, spread) {
        mask(decisions, criticality);
        for (let row = 0; row < decisions.count; row++) criticality[row] = 1 - criticality[row];
        spread.fill(Number.NaN, 0, decisions.count);
      },
    },
    mask,
    blind(decisions, probability) {
      mask(decisions, probability);
      for (let row = 0; row < decisions.count; row++) probability[row] = probability[row] <= threshold ? 1 : 0;
    },
    async fit({ rollout, rows }, { epochs, learningRate }) {
      if (rows.length === 0) return {};
      const inputs = new Float32Array(minibatch * D);
      const m = new Float32Array(minibatch);
      const targets = new Float32Array(minibatch);
      const weights = new Float32Array(minibatch).fill(1);
      const everyRow = Int32Array.from({ length: minibatch }, (_, i) => i);
      let mean = Number.NaN;
      for (let epoch = 0; epoch < epochs; epoch++) {
        const order = shuffle(rows.slice(), stream(seed, "paper order", agent, epochsDone++));
        for (let from = 0; from < order.length; from += minibatch) {
          const part = order.subarray(from, from + minibatch);
          part.forEach((row, i) => {
            inputs.set(rollout.observations.subarray(row * D, (row + 1) * D), i * D);
          });
          learner.infer(inputs, part.length, targets);
          mean = 0;
          for (let i = 0; i < part.length; i++) {
            m[i] = 1 / (1 + Math.exp(-targets[i]));
            mean += m[i] / part.length;
          }
          // dL/df_i = 2·(mean − τ)·m_i·(1 − m_i) / B, which is the gradient of squared error to this target.
          for (let i = 0; i < part.length; i++) targets[i] -= (mean - threshold) * m[i] * (1 - m[i]);
          await learner.update(
            { loss: { kind: "regression" }, batch: { inputs, targets, weights } },
            {
              rows: everyRow.subarray(0, part.length),
              minibatch,
              learningRate: rateAt(learningRate, epoch, epochs),
              maxGradNorm: 0.5,
            },
          );
        }
      }
      return { loss: (mean - threshold) * (mean - threshold), mean };
    },
    exportState: (): PaperState => ({ learner: learner.exportState(), epochs: epochsDone }),
    restoreState(state) {
      const saved = state as PaperState;
      learner.restoreState(saved.learner);
      epochsDone = saved.epochs;
    },
  };
}

interface PaperState {
  readonly learner: LearnerState;
  readonly epochs: number;
}
