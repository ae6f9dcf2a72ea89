import type { Stream } from "./random.ts";
import type { ActionSpace } from "./space.ts";

/** A multilayer perceptron with one tower per entry of `outputs`; all towers read the same inputs. */
export interface ModelSpec {
  readonly kind: "mlp";
  /** D, length of one input row. */
  readonly inputs: number;
  /** Widths of the hidden layers of each tower, 1 to 3 of them. */
  readonly hidden: readonly number[];
  readonly activation: "relu" | "tanh";
  /** Output width of each tower; their concatenation is the output row. [8] shares a trunk, [7, 1] separates the critic. */
  readonly outputs: readonly number[];
}

/** O, the length of an output row. */
export const outputWidth = (spec: ModelSpec): number => spec.outputs.reduce((sum, width) => sum + width, 0);

/**
 * Clipped surrogate, value and entropy loss of PPO (Schulman et al. 2017, eq. 9, arXiv:1707.06347), mean over the minibatch:
 *
 *   L = −min(r·A, clip(r, 1 − ε, 1 + ε)·A) + c_v·½(V − G)² − c_e·H(π),   r = π(a∣o) / π_old(a∣o)
 *
 * The output row is what `distributionOf(space)` normalises, then V. ln π(a∣o) and H(π) are sums over the parts or entries of
 * an action; ln σ of a `Box`'s entries has no gradient where it is outside of its bounds.
 */
export interface PpoLoss {
  readonly kind: "ppo";
  /** What actions are taken from. */
  readonly space: ActionSpace;
  /** ε > 0 */
  readonly clip: number;
  /** c_v ≥ 0 */
  readonly valueCoefficient: number;
  /** c_e ≥ 0 */
  readonly entropyCoefficient: number;
}

/** Weighted squared error, L = Σ_k w_k·(f_k − y_k)² averaged over the minibatch. */
export interface RegressionLoss {
  readonly kind: "regression";
}

/** R rows that `update` picks from; it reads only the rows that it is told to. */
export interface PpoBatch {
  /** [R × D] */
  readonly inputs: Float32Array;
  /** [R × A], A = `maskWidth(space)` */
  readonly legal: Uint8Array;
  /** [R × W] the action taken, at the start of a slot that may be wider. */
  readonly actions: Float32Array;
  /** [R] ln π_old(a∣o) */
  readonly logProbs: Float32Array;
  /** [R] A */
  readonly advantages: Float32Array;
  /** [R] G, the value target. */
  readonly returns: Float32Array;
}

export interface RegressionBatch {
  /** [R × D] */
  readonly inputs: Float32Array;
  /** [R × O] y */
  readonly targets: Float32Array;
  /** [R × O] w ≥ 0 */
  readonly weights: Float32Array;
}

/** A loss with its data. */
export type Objective =
  | { readonly loss: PpoLoss; readonly batch: PpoBatch }
  | { readonly loss: RegressionLoss; readonly batch: RegressionBatch };

/** One update: Adam steps (Kingma & Ba 2015; β = .9, .999, ε = 1e-5 as in CleanRL) over consecutive minibatches of `rows`. */
export interface UpdatePlan {
  /** Row indices in the order of use, epochs one after the other. */
  readonly rows: Int32Array;
  /** Rows per Adam step; the last step takes what is left. */
  readonly minibatch: number;
  readonly learningRate: number;
  /** The gradient is scaled down to this Euclidean norm where it is longer. */
  readonly maxGradNorm: number;
}

/** Means over the minibatches of one update. `ppo`: policy_loss, value_loss, entropy, approx_kl, clipfrac, grad_norm; `regression`: loss, grad_norm. */
export type UpdateStatistics = Readonly<Record<string, number>>;

/** All that a learner remembers between updates. */
export interface LearnerState {
  /** [P] canonical order: per tower, per layer: weights [in × out] row by row, then biases [out]. */
  readonly parameters: Float32Array;
  /** [P] Adam's first and second moments. */
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Adam steps taken. */
  readonly steps: number;
}

/** A network with its optimiser. Everything inside a rollout is synchronous; an update is the asynchronous seam. */
export interface Learner {
  readonly spec: ModelSpec;
  /** Forward pass. @param inputs [B × D] @param out [B × O] written */
  infer(inputs: Float32Array, count: number, out: Float32Array): void;
  /**
   * Takes the plan's Adam steps.
   *
   * @throws not-finite if a loss or gradient is; the parameters are then those before the failing step
   */
  update(objective: Objective, plan: UpdatePlan): Promise<UpdateStatistics>;
  /** [P] gradient of the objective's mean loss over `rows`, canonical order, unclipped; parameters unchanged. */
  gradient(objective: Objective, rows: Int32Array): Promise<Float32Array>;
  /** A copy; yours to keep. */
  exportState(): LearnerState;
  /** @throws shape-mismatch if the lengths are not those of `spec`; not-finite */
  restoreState(state: LearnerState): void;
  /** Frees what the backend holds; the learner must not be used afterwards. */
  dispose(): void;
}

/** Builds learners: a backend, or a backend with a choice already made. Initial weights come from `random` alone. */
export type CreateLearner = (spec: ModelSpec, random: Stream) => Learner;

/** P, the number of parameters of `spec`. */
export function parameterCount(spec: ModelSpec): number {
  let count = 0;
  for (const output of spec.outputs) {
    let inputs = spec.inputs;
    for (const width of [...spec.hidden, output]) {
      count += (inputs + 1) * width;
      inputs = width;
    }
  }
  return count;
}
