import { MagicMaskError } from "../error.ts";
import type { Objective, PpoBatch, PpoLoss, RegressionBatch } from "../learner.ts";

/**
 * The loss of one row by its definition, in float64.
 *
 * @param out [O] the row's output
 * @param dOut [O] written: the gradient of the loss by the output
 * @returns what `UpdateStatistics` reports the means of
 * @throws no-legal-action, illegal-action
 */
export function rowLoss(
  { loss, batch }: Objective,
  row: number,
  out: Float64Array,
  dOut: Float64Array,
): Record<string, number> {
  return loss.kind === "ppo"
    ? ppoLoss(loss, batch as PpoBatch, row, out, dOut)
    : squares(batch as RegressionBatch, row, out, dOut);
}

function ppoLoss(loss: PpoLoss, batch: PpoBatch, row: number, out: Float64Array, dOut: Float64Array) {
  const A = out.length - 1;
  const legal = batch.legal.subarray(row * A, (row + 1) * A);
  const action = batch.actions[(row * batch.actions.length) / batch.logProbs.length];
  if (!legal[action]) {
    const code = legal.includes(1) ? "illegal-action" : "no-legal-action";
    throw new MagicMaskError(
      code,
      "core/reference-losses",
      `row ${row} took action ${action}; its legal ones are [${legal}]`,
    );
  }
  let highest = Number.NEGATIVE_INFINITY;
  for (let a = 0; a < A; a++) if (legal[a]) highest = Math.max(highest, out[a]);
  let sum = 0;
  for (let a = 0; a < A; a++) if (legal[a]) sum += Math.exp(out[a] - highest);
  const logProb = (a: number) => out[a] - highest - Math.log(sum);
  let entropy = 0;
  for (let a = 0; a < A; a++) if (legal[a]) entropy -= Math.exp(logProb(a)) * logProb(a);

  const [advantage, error] = [batch.advantages[row], out[A] - batch.returns[row]];
  const logRatio = logProb(action) - batch.logProbs[row];
  const ratio = Math.exp(logRatio);
  const clipped = Math.min(Math.max(ratio, 1 - loss.clip), 1 + loss.clip);
  const slope = ratio * advantage <= clipped * advantage ? -ratio * advantage : 0;
  for (let a = 0; a < A; a++) {
    const p = legal[a] ? Math.exp(logProb(a)) : 0;
    const pull = loss.entropyCoefficient * p * (logProb(a) + entropy);
    dOut[a] = legal[a] ? slope * ((a === action ? 1 : 0) - p) + pull : 0;
  }
  dOut[A] = loss.valueCoefficient * error;
  return {
    policy_loss: -Math.min(ratio * advantage, clipped * advantage),
    value_loss: 0.5 * error * error,
    entropy,
    approx_kl: ratio - 1 - logRatio,
    clipfrac: clipped === ratio ? 0 : 1,
  };
}

function squares({ targets, weights }: RegressionBatch, row: number, out: Float64Array, dOut: Float64Array) {
  let loss = 0;
  for (let k = 0, at = row * out.length; k < out.length; k++, at++) {
    const error = out[k] - targets[at];
    loss += weights[at] * error * error;
    dOut[k] = 2 * weights[at] * error;
  }
  return { loss };
}

/** @throws shape-mismatch unless the batch has the shapes of its docstring, D and O wide, and holds every one of `rows` */
export function checkBatch(D: number, O: number, { loss, batch }: Objective, rows: Int32Array): void {
  const ppo = { inputs: D, legal: O - 1, logProbs: 1, advantages: 1, returns: 1 };
  const widths: Record<string, number> = loss.kind === "ppo" ? ppo : { inputs: D, targets: O, weights: O };
  const R = batch.inputs.length / D;
  for (const [name, array] of Object.entries(batch)) {
    // An action's slot may be of any width.
    const width = widths[name] ?? Math.round(array.length / R);
    if (array.length !== R * width) refuse(`${name} must hold ${R * width} numbers for ${R} rows, got ${array.length}`);
  }
  if (rows.length === 0) refuse("there are no rows to learn from");
  for (const row of rows) if (!(row >= 0 && row < R)) refuse(`row ${row} is not one of ${R}`);
}

function refuse(message: string): never {
  throw new MagicMaskError("shape-mismatch", "core/reference-losses", message);
}
