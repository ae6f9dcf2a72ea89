import { requireCandidates } from "../candidate-lists.ts";
import { LOG_STD_BOUNDS } from "../distributions/gaussian.ts";
import { MagicMaskError } from "../error.ts";
import {
  type ModelSpec,
  type Objective,
  outputWidth,
  type PpoBatch,
  type PpoLoss,
  type RegressionBatch,
} from "../learner.ts";
import { maskWidth } from "../space.ts";

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
  const V = out.length - 1;
  const head = loss.space.kind === "box" ? normal(batch, row, out) : choices(loss, batch, row, out);
  const [advantage, error] = [batch.advantages[row], out[V] - batch.returns[row]];
  const logRatio = head.logProb - batch.logProbs[row];
  const ratio = Math.exp(logRatio);
  const clipped = Math.min(Math.max(ratio, 1 - loss.clip), 1 + loss.clip);
  const slope = ratio * advantage <= clipped * advantage ? -ratio * advantage : 0;
  for (let k = 0; k < V; k++) dOut[k] = slope * head.dLogProb[k] - loss.entropyCoefficient * head.dEntropy[k];
  dOut[V] = loss.valueCoefficient * error;
  return {
    policy_loss: -Math.min(ratio * advantage, clipped * advantage),
    value_loss: 0.5 * error * error,
    entropy: head.entropy,
    approx_kl: ratio - 1 - logRatio,
    clipfrac: clipped === ratio ? 0 : 1,
  };
}

/** ln π(a) and H of one row's action, and their gradients by the outputs before V. */
interface Head {
  readonly logProb: number;
  readonly entropy: number;
  readonly dLogProb: readonly number[];
  readonly dEntropy: readonly number[];
}

function choices({ space }: PpoLoss, { actions, legal, logProbs }: PpoBatch, row: number, out: Float64Array): Head {
  const sizes = space.kind === "multi-discrete" ? space.nvec : [out.length - 1];
  const A = out.length - 1;
  const W = actions.length / logProbs.length;
  const head = { logProb: 0, entropy: 0, dLogProb: [] as number[], dEntropy: [] as number[] };
  let start = 0;
  sizes.forEach((n, part) => {
    const open = Array.from({ length: n }, (_, a) => legal[row * A + start + a] === 1);
    const action = actions[row * W + part];
    if (!open[action]) {
      const code = open.includes(true) ? "illegal-action" : "no-legal-action";
      throw new MagicMaskError(
        code,
        "core/reference-losses",
        `row ${row} took action ${action}; its legal ones are [${open}]`,
      );
    }
    const highest = Math.max(...open.map((legal, a) => (legal ? out[start + a] : Number.NEGATIVE_INFINITY)));
    const weights = open.map((legal, a) => (legal ? Math.exp(out[start + a] - highest) : 0));
    const sum = weights.reduce((total, w) => total + w, 0);
    const logs = open.map((_, a) => out[start + a] - highest - Math.log(sum));
    const entropy = weights.reduce((total, w, a) => (w > 0 ? total - (w / sum) * logs[a] : total), 0);
    head.logProb += logs[action];
    head.entropy += entropy;
    weights.forEach((w, a) => {
      head.dLogProb.push(open[a] ? (a === action ? 1 : 0) - w / sum : 0);
      head.dEntropy.push(w > 0 ? (-w / sum) * (logs[a] + entropy) : 0);
    });
    start += n;
  });
  return head;
}

function normal({ actions, logProbs }: PpoBatch, row: number, out: Float64Array): Head {
  const k = (out.length - 1) / 2;
  const W = actions.length / logProbs.length;
  const head = { logProb: 0, entropy: 0, dLogProb: zeros(2 * k), dEntropy: zeros(2 * k) };
  for (let i = 0; i < k; i++) {
    const raw = out[k + i];
    const [low, high] = LOG_STD_BOUNDS;
    const inside = raw >= low && raw <= high ? 1 : 0;
    const logStd = Math.min(Math.max(raw, low), high);
    const z = (actions[row * W + i] - out[i]) / Math.exp(logStd);
    head.logProb -= 0.5 * z * z + logStd + 0.5 * Math.log(2 * Math.PI);
    head.entropy += logStd + 0.5 + 0.5 * Math.log(2 * Math.PI);
    head.dLogProb[i] = z / Math.exp(logStd);
    head.dLogProb[k + i] = inside * (z * z - 1);
    head.dEntropy[k + i] = inside;
  }
  return head;
}

const zeros = (length: number) => new Array<number>(length).fill(0);

function squares({ targets, weights }: RegressionBatch, row: number, out: Float64Array, dOut: Float64Array) {
  let loss = 0;
  for (let k = 0, at = row * out.length; k < out.length; k++, at++) {
    const error = out[k] - targets[at];
    loss += weights[at] * error * error;
    dOut[k] = 2 * weights[at] * error;
  }
  return { loss };
}

/**
 * @throws shape-mismatch unless the batch has the shapes of its docstring and holds every one of `rows`; unsupported if the
 *   network does not learn by such a loss
 */
export function checkBatch(spec: ModelSpec, { loss, batch }: Objective, rows: Int32Array): void {
  const [D, O] = [spec.inputs, outputWidth(spec)];
  const widths: Record<string, number> =
    loss.kind === "ppo"
      ? { inputs: D, legal: maskWidth(loss.space), logProbs: 1, advantages: 1, returns: 1 }
      : { inputs: D, targets: O, weights: O };
  const R = batch.inputs.length / D;
  const { candidates, ...columns } = batch as PpoBatch;
  for (const [name, array] of Object.entries(columns)) {
    // An action's slot may be of any width.
    const width = widths[name] ?? Math.round(array.length / R);
    if (array.length !== R * width) refuse(`${name} must hold ${R * width} numbers for ${R} rows, got ${array.length}`);
  }
  if (rows.length === 0) refuse("there are no rows to learn from");
  for (const row of rows) if (!(row >= 0 && row < R)) refuse(`row ${row} is not one of ${R}`);
  if (spec.kind !== "candidates") return;
  if (loss.kind !== "ppo")
    throw new MagicMaskError("unsupported", SOURCE, `scores candidates, which ${loss.kind} does not`);
  requireCandidates(SOURCE, spec, candidates, rows);
}

function refuse(message: string): never {
  throw new MagicMaskError("shape-mismatch", SOURCE, message);
}

const SOURCE = "core/reference-losses";
