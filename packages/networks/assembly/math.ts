// Functions of four numbers at a time. They are made of IEEE operations alone, so they give the same bits everywhere.

// Bounds are taken by pmin and pmax: one instruction each, where min and max take eight to settle NaN and −0. A NaN in the first
// operand stays.

// Constants are loaded into all lanes from here: engines take several instructions to make a vector of a number in the code.

// @ts-ignore: decorator
@lazy const EXP: usize = memory.data<f32>([
  88, -87.3, 1.44269504, 0.693359375, -2.1219444e-4,
  1.9875691e-4, 1.3981999e-3, 8.333452e-3, 4.1665796e-2, 0.16666665, 0.5, 1,
]);

/** eˣ after Cody and Waite: x = n·ln 2 + r, a polynomial in r, then n goes into the exponent. Relative error below 2e-7. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, v128.load32_splat(EXP)), v128.load32_splat(EXP, 4));
  const n = f32x4.nearest(f32x4.mul(x, v128.load32_splat(EXP, 8)));
  let r = f32x4.sub(x, f32x4.mul(n, v128.load32_splat(EXP, 12)));
  r = f32x4.sub(r, f32x4.mul(n, v128.load32_splat(EXP, 16)));
  let p = v128.load32_splat(EXP, 20);
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 24));
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 28));
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 32));
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 36));
  p = f32x4.add(f32x4.mul(p, r), v128.load32_splat(EXP, 40));
  p = f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), f32x4.add(r, v128.load32_splat(EXP, 44)));
  const scale = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, scale);
}

// @ts-ignore: decorator
@lazy const TANH: usize = memory.data<f32>([
  7.90531110763549805, -7.90531110763549805,
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8,
  1.48572235717979e-5, 6.37261928875436e-4, 4.89352455891786e-3,
  1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3,
]);

/**
 * tanh of eight numbers, to `to`: a rational function of degree 13 over 6, exact to some 1e-7; ±1 beyond ±7.9. Two vectors go side by
 * side, for each step waits for the one before.
 */
// @ts-ignore: decorator
@inline
export function storeTanh8(to: usize, x: v128, y: v128): void {
  let c = v128.load32_splat(TANH);
  x = f32x4.pmin(x, c);
  y = f32x4.pmin(y, c);
  c = v128.load32_splat(TANH, 4);
  x = f32x4.pmax(x, c);
  y = f32x4.pmax(y, c);
  const s = f32x4.mul(x, x);
  const t = f32x4.mul(y, y);
  c = v128.load32_splat(TANH, 8);
  let p = f32x4.mul(c, s);
  let q = f32x4.mul(c, t);
  c = v128.load32_splat(TANH, 12);
  p = f32x4.mul(f32x4.add(p, c), s);
  q = f32x4.mul(f32x4.add(q, c), t);
  c = v128.load32_splat(TANH, 16);
  p = f32x4.mul(f32x4.add(p, c), s);
  q = f32x4.mul(f32x4.add(q, c), t);
  c = v128.load32_splat(TANH, 20);
  p = f32x4.mul(f32x4.add(p, c), s);
  q = f32x4.mul(f32x4.add(q, c), t);
  c = v128.load32_splat(TANH, 24);
  p = f32x4.mul(f32x4.add(p, c), s);
  q = f32x4.mul(f32x4.add(q, c), t);
  c = v128.load32_splat(TANH, 28);
  p = f32x4.mul(f32x4.add(p, c), s);
  q = f32x4.mul(f32x4.add(q, c), t);
  c = v128.load32_splat(TANH, 32);
  p = f32x4.mul(f32x4.add(p, c), x);
  q = f32x4.mul(f32x4.add(q, c), y);
  c = v128.load32_splat(TANH, 36);
  let u = f32x4.mul(c, s);
  let v = f32x4.mul(c, t);
  c = v128.load32_splat(TANH, 40);
  u = f32x4.mul(f32x4.add(u, c), s);
  v = f32x4.mul(f32x4.add(v, c), t);
  c = v128.load32_splat(TANH, 44);
  u = f32x4.mul(f32x4.add(u, c), s);
  v = f32x4.mul(f32x4.add(v, c), t);
  c = v128.load32_splat(TANH, 48);
  v128.store(to, f32x4.div(p, f32x4.add(u, c)));
  v128.store(to, f32x4.div(q, f32x4.add(v, c)), 16);
}

/** The sum of four lanes. */
// @ts-ignore: decorator
@inline
export function sum4(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

/** The largest of four lanes. */
// @ts-ignore: decorator
@inline
export function max4(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}
