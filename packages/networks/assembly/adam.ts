const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f32 = 1e-5;

/** Euclidean norm of [count] floats. */
export function norm(values: usize, count: i32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const end = values + (<usize>count << 2);
  for (let at = values; at < end; at += 16) {
    const x = v128.load(at);
    const a = f64x2.promote_low_f32x4(x);
    const b = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const sum = f64x2.add(low, high);
  return Math.sqrt(f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
}

/** xⁿ by squaring, in the order of `src/adam.ts`. */
function power(x: f64, n: i32): f64 {
  let result: f64 = 1;
  for (; n > 0; n >>= 1) {
    if (n & 1) result *= x;
    x *= x;
  }
  return result;
}

/** One step of Adam (see `src/adam.ts`) with the gradient multiplied by `scale`; padding stays 0. @param step t ≥ 1 */
export function adam(
  parameters: usize, gradient: usize, firstMoment: usize, secondMoment: usize, count: i32,
  scale: f64, learningRate: f64, step: i32,
): void {
  const rate = f32x4.splat(<f32>(learningRate / (1 - power(BETA1, step))));
  const correction = f32x4.splat(<f32>(1 / (1 - power(BETA2, step))));
  const s = f32x4.splat(<f32>scale);
  const b1 = f32x4.splat(<f32>BETA1), c1 = f32x4.splat(<f32>(1 - BETA1));
  const b2 = f32x4.splat(<f32>BETA2), c2 = f32x4.splat(<f32>(1 - BETA2));
  const epsilon = f32x4.splat(EPSILON);
  const end = <usize>count << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const g = f32x4.mul(v128.load(gradient + at), s);
    const m = f32x4.add(f32x4.mul(b1, v128.load(firstMoment + at)), f32x4.mul(c1, g));
    const v = f32x4.add(f32x4.mul(b2, v128.load(secondMoment + at)), f32x4.mul(c2, f32x4.mul(g, g)));
    v128.store(firstMoment + at, m);
    v128.store(secondMoment + at, v);
    const change = f32x4.div(f32x4.mul(rate, m), f32x4.add(f32x4.sqrt(f32x4.mul(v, correction)), epsilon));
    v128.store(parameters + at, f32x4.sub(v128.load(parameters + at), change));
  }
}
