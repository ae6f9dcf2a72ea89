/** One piece of work on a net, as the host writes it: float64 throughout, so that it is one typed array there. */
@unmanaged
export class Job {
  /** [count] i32, indices into the batch. */
  rows: f64;
  count: f64;
  /** Rows per Adam step. */
  minibatch: f64;
  learningRate: f64;
  maxGradNorm: f64;
  /** Adam steps taken so far; counted on. */
  steps: f64;
  /** One of the losses below. */
  loss: f64;
  /** [R × D] floats. */
  inputs: f64;

  /** Regression: [R × O] floats each. */
  targets: f64;
  weights: f64;

  /** PPO: [R × A] bytes. */
  legal: f64;
  /** Where candidates are scored: [K × F] floats; [R] i32 each, where a row's list begins and how long it is. */
  features: f64;
  starts: f64;
  counts: f64;
  /** [R × slot] floats. */
  actions: f64;
  slot: f64;
  /** [R] floats each. */
  logProbs: f64;
  advantages: f64;
  returns: f64;
  clip: f64;
  valueCoefficient: f64;
  entropyCoefficient: f64;
  /** Categorical: [parts] i32, the choices of each part. Gaussian: `parts` is the number of entries. */
  sizes: f64;
  parts: f64;

  /** Written: the row of the batch that a refusal is about. */
  row: f64;
  /** Written: sums over minibatches of the means that are reported, the gradient's norm last. */
  sum0: f64;
  sum1: f64;
  sum2: f64;
  sum3: f64;
  sum4: f64;
  norm: f64;
}

export const REGRESSION: i32 = 0;
export const CATEGORICAL: i32 = 1;
export const GAUSSIAN: i32 = 2;

/** What a piece of work comes to. */
export const DONE: i32 = 0;
/** An input of row `job.row`, or of one of its candidates, is NaN or infinite. */
export const BAD_INPUT: i32 = 1;
/** Row `job.row` has no legal action. */
export const NO_LEGAL_ACTION: i32 = 2;
/** Row `job.row` took an action that is not legal. */
export const ILLEGAL_ACTION: i32 = 3;
/** A mean loss or an output is not finite: the sums hold it. */
export const BAD_LOSS: i32 = 4;
/** The gradient's norm is not finite. */
export const BAD_GRADIENT: i32 = 5;
