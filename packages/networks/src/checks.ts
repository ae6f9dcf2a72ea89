import {
  actionWidth,
  type CandidateLists,
  checkCount,
  checkRange,
  distributionOf,
  type LearnerState,
  MagicMaskError,
  type ModelSpec,
  maskWidth,
  type Objective,
  outputWidth,
  type PpoBatch,
  parameterCount,
  type RegressionBatch,
  requireCandidates,
  type UpdatePlan,
} from "@magic-mask/core";

const SOURCE = "networks/learner";

/** What every backend refuses before it computes anything. @throws shape-mismatch, invalid-option, unsupported */
export function checkObjective(spec: ModelSpec, objective: Objective, rows: Int32Array): void {
  const D = spec.inputs;
  const O = outputWidth(spec);
  const { kind } = objective.loss;
  if (kind === "regression" && spec.kind === "candidates") {
    throw new MagicMaskError("unsupported", SOURCE, "a network that scores candidates learns by the loss ppo alone");
  }
  if (kind === "ppo") {
    const { space } = objective.loss;
    const { width } = distributionOf(space);
    if (O !== width + 1)
      shape(`a ppo loss over this space needs an output row of ${width} + 1 for V, this one has ${O}`);
    requirePositive("clip", objective.loss.clip);
    checkRange(SOURCE, "valueCoefficient", objective.loss.valueCoefficient, 0, Number.MAX_VALUE);
    checkRange(SOURCE, "entropyCoefficient", objective.loss.entropyCoefficient, 0, Number.MAX_VALUE);
    const batch = objective.batch as PpoBatch;
    const R = batch.logProbs.length;
    checkRows(rows, R);
    requireLength("inputs", batch.inputs, R, D);
    requireLength("legal", batch.legal, R, maskWidth(space));
    requireLength("advantages", batch.advantages, R, 1);
    requireLength("returns", batch.returns, R, 1);
    const slot = Math.max(actionWidth(space), Math.round(batch.actions.length / R));
    requireLength("actions", batch.actions, R, slot);
    if (spec.kind === "candidates") requireCandidates(SOURCE, spec, batch.candidates, rows);
  } else if (kind === "regression") {
    const batch = objective.batch as RegressionBatch;
    const R = Math.floor(batch.inputs.length / D);
    checkRows(rows, R);
    requireLength("inputs", batch.inputs, R, D);
    requireLength("targets", batch.targets, R, O);
    requireLength("weights", batch.weights, R, O);
  } else {
    throw new MagicMaskError("unsupported", SOURCE, `knows the losses ppo and regression, got "${kind}"`);
  }
}

/** What every backend refuses to infer. @throws shape-mismatch */
export function checkInference(
  spec: ModelSpec,
  inputs: Float32Array,
  count: number,
  out: Float32Array,
  candidates: CandidateLists | undefined,
): void {
  const [D, O] = [spec.inputs, outputWidth(spec)];
  if (inputs.length < count * D) requireLength("inputs", inputs, count, D);
  if (out.length < count * O) requireLength("out", out, count, O);
  if (spec.kind === "candidates") requireCandidates(SOURCE, spec, candidates, count);
}

/** @throws invalid-option */
export function checkPlan({ minibatch, learningRate, maxGradNorm }: UpdatePlan): void {
  checkCount(SOURCE, "minibatch", minibatch);
  checkRange(SOURCE, "learningRate", learningRate, 0, Number.MAX_VALUE);
  requirePositive("maxGradNorm", maxGradNorm);
}

/** @throws shape-mismatch, not-finite, invalid-option */
export function checkState(spec: ModelSpec, { parameters, firstMoment, secondMoment, steps }: LearnerState): void {
  const P = parameterCount(spec);
  for (const [name, array] of Object.entries({ parameters, firstMoment, secondMoment })) {
    requireLength(name, array, 1, P);
    requireFinite(name, array, P);
  }
  if (!(Number.isSafeInteger(steps) && steps >= 0)) {
    throw new MagicMaskError("invalid-option", SOURCE, `steps must be an integer ≥ 0, got ${steps}`);
  }
}

/** @throws not-finite if one of the first `length` values is NaN or infinite */
export function requireFinite(name: string, values: ArrayLike<number>, length: number): void {
  for (let i = 0; i < length; i++) {
    // x − x is 0 for finite x only.
    if (values[i] - values[i] !== 0) {
      const advice = "a damaged input, or training has diverged (lower the learning rate)";
      throw new MagicMaskError("not-finite", SOURCE, `${name}[${i}] must be finite, got ${values[i]}: ${advice}`);
    }
  }
}

/** @throws shape-mismatch unless `array` is [rows × width] */
function requireLength(name: string, array: ArrayLike<number>, rows: number, width: number): void {
  if (array.length !== rows * width) {
    shape(`${name} must hold ${rows} × ${width} = ${rows * width} numbers, got ${array.length}`);
  }
}

function requirePositive(option: string, value: number): void {
  if (!(value > 0)) throw new MagicMaskError("invalid-option", SOURCE, `${option} must be > 0, got ${value}`);
}

function checkRows(rows: Int32Array, R: number): void {
  if (rows.length === 0) shape("no rows to learn from: rows is empty");
  for (let b = 0; b < rows.length; b++) {
    if (!(rows[b] >= 0 && rows[b] < R)) shape(`rows[${b}] is ${rows[b]}, but the batch has ${R} rows`);
  }
}

function shape(message: string): never {
  throw new MagicMaskError("shape-mismatch", SOURCE, message);
}
