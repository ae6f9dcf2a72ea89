import type { CandidateLists } from "./candidate-lists.ts";
import type { Stream } from "./random.ts";
import type { ActionSpace } from "./space.ts";

/** A network. Perceptrons and convolutional ones have one tower per entry of `outputs`; all towers read the same inputs. */
export type ModelSpec = MlpSpec | CnnSpec | CandidatesSpec;

/** A multilayer perceptron. */
export interface MlpSpec {
  readonly kind: "mlp";
  /** D, length of one input row. */
  readonly inputs: number;
  /** Widths of the hidden layers of each tower, 1 to 3 of them. */
  readonly hidden: readonly number[];
  readonly activation: "relu" | "tanh";
  /** Output width of each tower; their concatenation is the output row. [8] shares a trunk, [7, 1] separates the critic. */
  readonly outputs: readonly number[];
}

/**
 * Scores a list of candidates, each by itself: tower 0 reads [o, c], a state and the features of one candidate, and gives its
 * logit; tower 1 reads o alone and gives V. The output row is [max + 1]: the logits of the list, zeros, V. It learns by the
 * loss `ppo` alone.
 *
 * As W·[o, c] = W_o·o + W_c·c, the state's part of the first layer need be computed once a decision only.
 */
export interface CandidatesSpec {
  readonly kind: "candidates";
  /** D, length of o. */
  readonly inputs: number;
  /** F, length of c. */
  readonly features: number;
  /** The longest that a list can be. */
  readonly max: number;
  /** As in `MlpSpec`, of both towers. */
  readonly hidden: readonly number[];
  readonly activation: "relu" | "tanh";
}

/** Height, width, channels. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/**
 * A convolutional net for images: each tower has convolutions of its own, then the layers of a perceptron. Images are taken
 * as they are given; whoever gives them scales them.
 */
export interface CnnSpec {
  readonly kind: "cnn";
  /** D = H·W·C; an input row is an image [H × W × C], the channels of a pixel side by side. */
  readonly inputs: number;
  /** [H, W, C] */
  readonly image: ImageShape;
  /** The convolutions of each tower, 1 or more, each followed by the activation. */
  readonly filters: readonly Convolution[];
  /** As in `MlpSpec`; so are the others below. */
  readonly hidden: readonly number[];
  readonly activation: "relu" | "tanh";
  readonly outputs: readonly number[];
}

/** Square kernels that stay within the image ("valid" padding): a side of n pixels becomes ⌊(n − size) / stride⌋ + 1. */
export interface Convolution {
  /** Side of a kernel, pixels. */
  readonly size: number;
  /** Pixels from one place of a kernel to the next. */
  readonly stride: number;
  /** Number of kernels, the channels of what comes out. */
  readonly channels: number;
}

/** What each convolution of a tower reads, and last, what the first dense layer reads as a row. */
export function imagesIn({ image, filters }: CnnSpec): ImageShape[] {
  const images = [image];
  for (const { size, stride, channels } of filters) {
    const [height, width] = images[images.length - 1];
    const places = (side: number) => Math.floor((side - size) / stride) + 1;
    images.push([places(height), places(width), channels]);
  }
  return images;
}

/** O, the length of an output row. */
export const outputWidth = (spec: ModelSpec): number =>
  spec.kind === "candidates" ? spec.max + 1 : spec.outputs.reduce((sum, width) => sum + width, 0);

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
  /** For networks that score candidates: lists of the R rows. */
  readonly candidates?: CandidateLists;
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
  /**
   * [P] canonical order: per tower (its first layer reads [o, c] where it scores candidates): per convolution: kernels [size × size × in × out], then biases [out]; per dense layer:
   * weights [in × out], then biases [out]. The last index runs fastest.
   */
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
  /**
   * Forward pass.
   *
   * @param inputs [B × D] @param out [B × O] written
   * @param candidates lists of the B rows, for networks that score them
   */
  infer(inputs: Float32Array, count: number, out: Float32Array, candidates?: CandidateLists): void;
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

/** What each tower reads and how much it writes. */
export const towersOf = (spec: ModelSpec): { readonly inputs: number; readonly output: number }[] =>
  spec.kind === "candidates"
    ? [
        { inputs: spec.inputs + spec.features, output: 1 },
        { inputs: spec.inputs, output: 1 },
      ]
    : spec.outputs.map((output) => ({ inputs: spec.inputs, output }));

/** P, the number of parameters of `spec`. */
export function parameterCount(spec: ModelSpec): number {
  const images = spec.kind === "cnn" ? imagesIn(spec) : [];
  let count = 0;
  for (const { inputs: first, output } of towersOf(spec)) {
    let inputs = first;
    if (spec.kind === "cnn") {
      spec.filters.forEach(({ size, channels }, l) => {
        count += (size * size * images[l][2] + 1) * channels;
        inputs = images[l + 1].reduce((product, n) => product * n);
      });
    }
    for (const width of [...spec.hidden, output]) {
      count += (inputs + 1) * width;
      inputs = width;
    }
  }
  return count;
}
