import { checkCount, type LearnerState, type Rollout, shuffle, stream } from "@magic-mask/core";
import { type FitPlan, type MaskContext, rateAt } from "./objectives/objective.ts";

export interface EnsembleOptions {
  /**
   * K ≥ 1, estimates, each on its own bootstrap of episodes, that are averaged and whose spread is the uncertainty. One alone learns from
   * every episode and tells no spread.
   */
  readonly ensemble?: number;
  /** Whether they are heads on one trunk (cheap, for joint training) or nets of their own (post hoc). */
  readonly separate?: boolean;
  readonly hidden?: readonly number[];
  readonly minibatch?: number;
}

/** K estimates of the same quantities, by weighted least squares. */
export interface Ensemble {
  /** K */
  readonly size: number;
  /** O, numbers that it gives for one input: estimate k of quantity j at j·K + k. */
  readonly width: number;
  /** Passes so far: they name the order of the rows. */
  readonly epochs: number;
  /** @param inputs [B × X] @param out [B × O] written */
  infer(inputs: Float32Array, count: number, out: Float32Array): void;
  /**
   * [n × K] how often the bootstrap sample of each estimate holds the episode of each row: Poisson(1), the limit of drawing
   * episodes with replacement, and the same number whenever rows of that episode come. Once, where K = 1.
   */
  bootstrap(rollout: Rollout, rows: Int32Array): Uint8Array;
  /** @returns mean loss per output of the last pass; NaN for no rows */
  fit(lesson: Lesson, plan: FitPlan): Promise<number>;
  exportState(): EnsembleState;
  restoreState(state: EnsembleState): void;
}

/** n rows to learn from. */
interface Lesson {
  /** n */
  readonly count: number;
  /** [n × X] */
  readonly inputs: Float32Array;
  /** [n × O] */
  readonly targets: Float32Array;
  /** [n × O] */
  readonly weights: Float32Array;
  /** Writes the targets anew, before each pass. */
  renew?(): void;
}

export interface EnsembleState {
  readonly learner: LearnerState;
  readonly epochs: number;
}

/**
 * @param name of the objective that it serves: names its streams and errors
 * @param inputs X
 * @param quantities how many are estimated for one input
 * @throws invalid-option
 */
export function createEnsemble(
  { agent, createLearner, seed }: MaskContext,
  name: string,
  inputs: number,
  { ensemble: K = 3, separate = false, hidden = [64, 64], minibatch = 512 }: EnsembleOptions,
  quantities = 1,
): Ensemble {
  checkCount(`masking/${name}`, "ensemble", K);
  checkCount(`masking/${name}`, "minibatch", minibatch);
  const O = K * quantities;
  const outputs = separate ? new Array<number>(O).fill(1) : [O];
  const model = { kind: "mlp", inputs, hidden, activation: "relu", outputs } as const;
  const learner = createLearner(model, stream(seed, name, agent));
  let epochsDone = 0;

  return {
    size: K,
    width: O,
    get epochs() {
      return epochsDone;
    },
    infer: (rows, count, out) => learner.infer(rows, count, out),
    bootstrap(rollout, rows) {
      const counts = new Uint8Array(rows.length * K);
      if (K === 1) return counts.fill(1);
      const draw = stream(seed);
      rows.forEach((row, i) => {
        draw.rekey(seed, "bootstrap", agent, rollout.copies[row], rollout.episodes[row]);
        for (let k = 0; k < K; k++) counts[i * K + k] = poisson(draw.uniform());
      });
      return counts;
    },
    async fit({ count, renew, ...batch }, { epochs, learningRate }) {
      let loss = Number.NaN;
      for (let epoch = 0; epoch < epochs && count > 0; epoch++) {
        renew?.();
        const order = Int32Array.from({ length: count }, (_, i) => i);
        const statistics = await learner.update(
          { loss: { kind: "regression" }, batch },
          {
            rows: shuffle(order, stream(seed, `${name} order`, agent, epochsDone++)),
            minibatch,
            learningRate: rateAt(learningRate, epoch, epochs),
            maxGradNorm: 0.5,
          },
        );
        loss = statistics.loss / O;
      }
      return loss;
    },
    exportState: () => ({ learner: learner.exportState(), epochs: epochsDone }),
    restoreState(state) {
      learner.restoreState(state.learner);
      epochsDone = state.epochs;
    },
  };
}

/** Writes the mean of K estimates of one decision's criticality and, as its spread, their standard deviation: NaN where K = 1. */
export function summarise(estimates: Float64Array, row: number, criticality: Float32Array, spread: Float32Array): void {
  const K = estimates.length;
  let mean = 0;
  for (let k = 0; k < K; k++) mean += estimates[k] / K;
  let variance = 0;
  for (let k = 0; k < K; k++) variance += (estimates[k] - mean) * (estimates[k] - mean);
  criticality[row] = mean;
  spread[row] = Math.sqrt(variance / (K - 1));
}

/** Scales weights to mean 1 over `count` rows of one column. @param weights [count] changed in place */
export function normalise(weights: Float32Array): Float32Array {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i];
  const scale = weights.length / sum;
  for (let i = 0; i < weights.length; i++) weights[i] *= scale;
  return weights;
}

/** The Poisson(1) variable at quantile `u`: how often an episode stands in a bootstrap sample. */
function poisson(u: number): number {
  let count = 0;
  let mass = Math.exp(-1);
  for (let below = mass; u >= below && count < 8; below += mass) mass /= ++count;
  return count;
}
