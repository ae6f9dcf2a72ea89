// Losses of one row by its output row, and their gradients; formulas in `src/losses.ts`, which is the oracle for these.

import { Job, DONE, ILLEGAL_ACTION, NO_LEGAL_ACTION } from "./job";
import { exp4, max4, sum4 } from "./math";

/** Marks illegal logits; far below any other. */
const ILLEGAL: f32 = -1e30;
/** Bounds of ln σ: outside, it is held and has no gradient. */
const LOWEST_LOG_STD: f64 = -5;
const HIGHEST_LOG_STD: f64 = 2;
const HALF_LOG_TWO_PI: f64 = 0.9189385332046727;

/** Σ w·(f − y)². @param share 1 / rows in the minibatch */
export function regression(job: Job, row: i32, y: usize, dy: usize, O: i32, share: f32): void {
  const at = (<usize>row * <usize>O) << 2;
  const targets = <usize>job.targets + at;
  const weights = <usize>job.weights + at;
  let loss: f64 = 0;
  for (let k: usize = 0; k < <usize>O << 2; k += 4) {
    const w = load<f32>(weights + k);
    const error = load<f32>(y + k) - load<f32>(targets + k);
    loss += <f64>w * <f64>error * <f64>error;
    store<f32>(dy + k, 2 * w * error * share);
  }
  job.sum0 += loss * <f64>share;
}

/**
 * The surrogate's slope by ln π(a), the value loss's by V, and the statistics that go with them.
 *
 * @returns ∂L/∂ln π(a), unscaled
 */
// @ts-ignore: decorator
@inline
function surrogate(job: Job, row: i32, logProb: f64, entropy: f64, value: usize, dValue: usize, share: f32): f32 {
  const at = <usize>row << 2;
  const advantage = <f64>load<f32>(<usize>job.advantages + at);
  const logRatio = logProb - <f64>load<f32>(<usize>job.logProbs + at);
  const ratio = Math.exp(logRatio);
  const bounded = Math.min(Math.max(ratio, 1 - job.clip), 1 + job.clip);
  const error = load<f32>(value) - load<f32>(<usize>job.returns + at);
  store<f32>(dValue, <f32>job.valueCoefficient * error * share);
  const s = <f64>share;
  job.sum0 -= Math.min(ratio * advantage, bounded * advantage) * s;
  job.sum1 += 0.5 * <f64>error * <f64>error * s;
  job.sum2 += entropy * s;
  job.sum3 += (ratio - 1 - logRatio) * s;
  job.sum4 += Math.abs(ratio - 1) > job.clip ? s : 0;
  return <f32>(ratio * advantage <= bounded * advantage ? -ratio * advantage : 0);
}

/**
 * PPO over one or several categorical parts of an action; the output row is their logits, then V.
 *
 * @param A width of the mask @param sizes [parts] i32, the choices of each part
 * @param scratch [2 × (A + 8·parts)] floats: for each part in turn ln p, then p, each padded to fours
 * @returns `DONE`, or why the row is refused
 */
export function categorical(
  job: Job, row: i32, y: usize, dy: usize, A: i32, sizes: usize, scratch: usize, share: f32,
): i32 {
  const parts = <i32>job.parts;
  const legal = <usize>job.legal + <usize>row * <usize>A;
  const actions = <usize>job.actions + ((<usize>row * <usize>job.slot) << 2);
  let logProb: f64 = 0;
  let entropy: f64 = 0;
  let logs = scratch;
  let offset: i32 = 0;
  for (let part: i32 = 0; part < parts; part++) {
    const n = load<i32>(sizes + (<usize>part << 2));
    const bytes = <usize>((n + 3) & ~3) << 2;
    const probabilities = logs + bytes;
    let any = false;
    for (let k: i32 = 0; k < n; k++) {
      const allowed = load<u8>(legal + <usize>(offset + k)) != 0;
      any = any || allowed;
      store<f32>(logs + (<usize>k << 2), allowed ? load<f32>(y + (<usize>(offset + k) << 2)) : ILLEGAL);
    }
    for (let k = <usize>n << 2; k < bytes; k += 4) store<f32>(logs + k, ILLEGAL);
    const action = load<f32>(actions + (<usize>part << 2));
    const a = <i32>action;
    if (!any) return NO_LEGAL_ACTION;
    if (!(action >= 0 && action < <f32>n && <f32>a == action && load<u8>(legal + <usize>(offset + a)) != 0)) {
      return ILLEGAL_ACTION;
    }
    let top = v128.load(logs);
    for (let k: usize = 16; k < bytes; k += 16) top = f32x4.max(top, v128.load(logs + k));
    const highest = f32x4.splat(max4(top));
    let total = f32x4.splat(0);
    for (let k: usize = 0; k < bytes; k += 16) {
      const z = v128.load(logs + k);
      const l = f32x4.sub(z, highest);
      // What is not legal, or too improbable for a float, has probability 0.
      const p = v128.and(exp4(l), f32x4.gt(l, f32x4.splat(-87)));
      v128.store(logs + k, v128.and(l, f32x4.gt(z, f32x4.splat(ILLEGAL))));
      v128.store(probabilities + k, p);
      total = f32x4.add(total, p);
    }
    const sum = sum4(total);
    const normaliser = f32x4.splat(<f32>Math.log(<f64>sum));
    const inverse = f32x4.splat(1 / sum);
    let doubt = f32x4.splat(0);
    for (let k: usize = 0; k < bytes; k += 16) {
      const p = f32x4.mul(v128.load(probabilities + k), inverse);
      const l = f32x4.sub(v128.load(logs + k), normaliser);
      v128.store(probabilities + k, p);
      v128.store(logs + k, l);
      doubt = f32x4.sub(doubt, f32x4.mul(p, l));
    }
    const own = sum4(doubt);
    // The entropy's gradient is by part; it stays behind the part's probabilities.
    store<f32>(probabilities + bytes, own);
    entropy += <f64>own;
    logProb += <f64>load<f32>(logs + (<usize>a << 2));
    logs = probabilities + bytes + 16;
    offset += n;
  }

  const end = <usize>A << 2;
  const slope = surrogate(job, row, logProb, entropy, y + end, dy + end, share);
  const bonus = <f32>job.entropyCoefficient;
  logs = scratch;
  offset = 0;
  for (let part: i32 = 0; part < parts; part++) {
    const n = load<i32>(sizes + (<usize>part << 2));
    const bytes = <usize>((n + 3) & ~3) << 2;
    const probabilities = logs + bytes;
    const own = load<f32>(probabilities + bytes);
    const a = <i32>load<f32>(actions + (<usize>part << 2));
    for (let k: i32 = 0; k < n; k++) {
      const at = <usize>k << 2;
      const p = load<f32>(probabilities + at);
      const pull = bonus * p * (load<f32>(logs + at) + own);
      const d = (slope * ((k == a ? <f32>1 : <f32>0) - p) + pull) * share;
      const allowed = load<u8>(legal + <usize>(offset + k)) != 0;
      store<f32>(dy + (<usize>(offset + k) << 2), allowed ? d : 0);
    }
    logs = probabilities + bytes + 16;
    offset += n;
  }
  return DONE;
}

/** PPO over independent normal entries of an action; the output row is their means, their ln σ, then V. @param n entries */
export function gaussian(job: Job, row: i32, y: usize, dy: usize, n: i32, share: f32): i32 {
  const actions = <usize>job.actions + ((<usize>row * <usize>job.slot) << 2);
  const bytes = <usize>n << 2;
  let logProb: f64 = 0;
  let entropy: f64 = 0;
  for (let k: usize = 0; k < bytes; k += 4) {
    const raw = <f64>load<f32>(y + bytes + k);
    const logStd = Math.min(Math.max(raw, LOWEST_LOG_STD), HIGHEST_LOG_STD);
    const z = <f64>(load<f32>(actions + k) - load<f32>(y + k)) * Math.exp(-logStd);
    logProb -= 0.5 * z * z + logStd + HALF_LOG_TWO_PI;
    entropy += logStd + 0.5 + HALF_LOG_TWO_PI;
  }
  const slope = <f64>surrogate(job, row, logProb, entropy, y + 2 * bytes, dy + 2 * bytes, share);
  for (let k: usize = 0; k < bytes; k += 4) {
    const raw = <f64>load<f32>(y + bytes + k);
    const held = raw < LOWEST_LOG_STD || raw > HIGHEST_LOG_STD;
    const inverse = Math.exp(-Math.min(Math.max(raw, LOWEST_LOG_STD), HIGHEST_LOG_STD));
    const z = <f64>(load<f32>(actions + k) - load<f32>(y + k)) * inverse;
    store<f32>(dy + k, <f32>(slope * z * inverse) * share);
    store<f32>(dy + bytes + k, held ? 0 : <f32>(slope * (z * z - 1) - job.entropyCoefficient) * share);
  }
  return DONE;
}
