// The three products that a dense layer takes, in tiles of 4 rows by 8 columns that stay in registers. Strides are in floats.
//
// Inner loops take one step a turn: engines load all that a turn needs before they multiply, and two steps' loads do not fit the
// sixteen registers beside eight sums.

import { storeTanh8 } from "./math";

/** What becomes of a product before it is stored. */
export const LINEAR: i32 = 0;
export const RELU: i32 = 1;
export const TANH: i32 = 2;
/** Times the derivative of the activation, given the activations. */
export const THROUGH_RELU: i32 = 3;
export const THROUGH_TANH: i32 = 4;

/** Stores eight results, finished by `mode`. */
// @ts-ignore: decorator
@inline
function finish(to: usize, low: v128, high: v128, mode: i32, h: usize): void {
  if (mode == TANH) {
    storeTanh8(to, low, high);
    return;
  }
  if (mode == RELU) {
    const zero = f32x4.splat(0);
    low = f32x4.pmax(low, zero);
    high = f32x4.pmax(high, zero);
  } else if (mode == THROUGH_RELU) {
    const zero = f32x4.splat(0);
    low = v128.and(low, f32x4.gt(v128.load(h), zero));
    high = v128.and(high, f32x4.gt(v128.load(h, 16), zero));
  } else if (mode == THROUGH_TANH) {
    const a = v128.load(h);
    const b = v128.load(h, 16);
    low = f32x4.sub(low, f32x4.mul(low, f32x4.mul(a, a)));
    high = f32x4.sub(high, f32x4.mul(high, f32x4.mul(b, b)));
  }
  v128.store(to, low);
  v128.store(to, high, 16);
}

/**
 * y = mode(x·W + b).
 *
 * @param x [rows × K] @param w [K × C] panels @param b [C], or 0 for none @param y [rows × C] @param h [rows × C] for `THROUGH_…`
 * @param used columns of x that may not be zero: the rest is padding
 * @param rows taken as a multiple of 4
 */
export function multiply(
  x: usize, K: i32, used: i32, w: usize, b: usize, rows: i32, C: i32, y: usize, mode: i32, h: usize,
): void {
  // Each mode is compiled by itself, so that none is asked for tile by tile.
  if (mode == LINEAR) multiplyLinear(x, K, used, w, b, rows, C, y);
  else if (mode == RELU) multiplyRelu(x, K, used, w, b, rows, C, y);
  else if (mode == TANH) multiplyTanh(x, K, used, w, b, rows, C, y);
  else if (mode == THROUGH_RELU) multiplyThroughRelu(x, K, used, w, b, rows, C, y, h);
  else multiplyThroughTanh(x, K, used, w, b, rows, C, y, h);
}

function multiplyLinear(x: usize, K: i32, used: i32, w: usize, b: usize, rows: i32, C: i32, y: usize): void {
  tiles(x, K, used, w, b, rows, C, y, LINEAR, 0);
}

function multiplyRelu(x: usize, K: i32, used: i32, w: usize, b: usize, rows: i32, C: i32, y: usize): void {
  tiles(x, K, used, w, b, rows, C, y, RELU, 0);
}

function multiplyTanh(x: usize, K: i32, used: i32, w: usize, b: usize, rows: i32, C: i32, y: usize): void {
  tiles(x, K, used, w, b, rows, C, y, TANH, 0);
}

function multiplyThroughRelu(
  x: usize, K: i32, used: i32, w: usize, b: usize, rows: i32, C: i32, y: usize, h: usize,
): void {
  tiles(x, K, used, w, b, rows, C, y, THROUGH_RELU, h);
}

function multiplyThroughTanh(
  x: usize, K: i32, used: i32, w: usize, b: usize, rows: i32, C: i32, y: usize, h: usize,
): void {
  tiles(x, K, used, w, b, rows, C, y, THROUGH_TANH, h);
}

// @ts-ignore: decorator
@inline
function tiles(
  x: usize, K: i32, used: i32, w: usize, b: usize, rows: i32, C: i32, y: usize, mode: i32, h: usize,
): void {
  const xs = <usize>K << 2;
  const ys = <usize>C << 2;
  for (let j = 0; j < C; j += 8) {
    const panel = w + ((<usize>j * <usize>K) << 2);
    const end = panel + (<usize>used << 5);
    const at = <usize>j << 2;
    const b0 = b ? v128.load(b + at) : f32x4.splat(0);
    const b1 = b ? v128.load(b + at, 16) : f32x4.splat(0);
    for (let r = 0; r < rows; r += 4) {
      let x0 = x + <usize>r * xs;
      let x1 = x0 + xs;
      let x2 = x1 + xs;
      let x3 = x2 + xs;
      let c00 = b0, c01 = b1, c10 = b0, c11 = b1, c20 = b0, c21 = b1, c30 = b0, c31 = b1;
      for (let p = panel; p < end; p += 32) {
        const w0 = v128.load(p);
        const w1 = v128.load(p, 16);
        let a = v128.load32_splat(x0);
        c00 = f32x4.add(c00, f32x4.mul(a, w0));
        c01 = f32x4.add(c01, f32x4.mul(a, w1));
        a = v128.load32_splat(x1);
        c10 = f32x4.add(c10, f32x4.mul(a, w0));
        c11 = f32x4.add(c11, f32x4.mul(a, w1));
        a = v128.load32_splat(x2);
        c20 = f32x4.add(c20, f32x4.mul(a, w0));
        c21 = f32x4.add(c21, f32x4.mul(a, w1));
        a = v128.load32_splat(x3);
        c30 = f32x4.add(c30, f32x4.mul(a, w0));
        c31 = f32x4.add(c31, f32x4.mul(a, w1));
        x0 += 4;
        x1 += 4;
        x2 += 4;
        x3 += 4;
      }
      let to = y + <usize>r * ys + at;
      let from = h + <usize>r * ys + at;
      finish(to, c00, c01, mode, from);
      to += ys;
      from += ys;
      finish(to, c10, c11, mode, from);
      to += ys;
      from += ys;
      finish(to, c20, c21, mode, from);
      to += ys;
      from += ys;
      finish(to, c30, c31, mode, from);
    }
  }
}

/** As `multiply` in mode `LINEAR`, of a single panel of which only the first four columns count: the others are not written. */
export function multiplyNarrow(x: usize, K: i32, used: i32, w: usize, b: usize, rows: i32, y: usize): void {
  const xs = <usize>K << 2;
  const end = w + (<usize>used << 5);
  const bias = v128.load(b);
  for (let r = 0; r < rows; r += 4) {
    let x0 = x + <usize>r * xs;
    let x1 = x0 + xs;
    let x2 = x1 + xs;
    let x3 = x2 + xs;
    let c0 = bias, c1 = bias, c2 = bias, c3 = bias;
    for (let p = w; p < end; p += 32) {
      const w0 = v128.load(p);
      c0 = f32x4.add(c0, f32x4.mul(v128.load32_splat(x0), w0));
      c1 = f32x4.add(c1, f32x4.mul(v128.load32_splat(x1), w0));
      c2 = f32x4.add(c2, f32x4.mul(v128.load32_splat(x2), w0));
      c3 = f32x4.add(c3, f32x4.mul(v128.load32_splat(x3), w0));
      x0 += 4;
      x1 += 4;
      x2 += 4;
      x3 += 4;
    }
    const to = y + (<usize>r << 5);
    v128.store(to, c0);
    v128.store(to, c1, 32);
    v128.store(to, c2, 64);
    v128.store(to, c3, 96);
  }
}

/**
 * As `multiply`, skipping zeros of x: the same bits, as 0·w adds nothing.
 *
 * @param places [rows × K] i32, `placed` [rows] of them a row: where x is not zero, in order
 * @param b [C], or with `stride` C [rows × C], one for each row; these may be y itself
 */
export function multiplySparse(
  x: usize, K: i32, places: usize, placed: usize, w: usize, b: usize, stride: i32, rows: i32, C: i32, y: usize, mode: i32,
): void {
  const bs = <usize>stride << 2;
  const xs = <usize>K << 2;
  const panelBytes = <usize>K << 5;
  let j = 0;
  // Two panels at a time, then the last one where their number is odd.
  for (; j + 8 < C; j += 16) {
    const p0 = w + ((<usize>j * <usize>K) << 2);
    const at = <usize>j << 2;
    for (let r = 0; r < rows; r++) {
      const row = x + <usize>r * xs;
      let place = places + <usize>r * xs;
      const last = place + (<usize>load<i32>(placed + (<usize>r << 2)) << 2);
      const bias = b + <usize>r * bs + at;
      let c0 = v128.load(bias), c1 = v128.load(bias, 16), c2 = v128.load(bias, 32), c3 = v128.load(bias, 48);
      for (; place < last; place += 4) {
        const k = <usize>load<i32>(place);
        const a = v128.load32_splat(row + (k << 2));
        const p = p0 + (k << 5);
        c0 = f32x4.add(c0, f32x4.mul(a, v128.load(p)));
        c1 = f32x4.add(c1, f32x4.mul(a, v128.load(p, 16)));
        c2 = f32x4.add(c2, f32x4.mul(a, v128.load(p + panelBytes)));
        c3 = f32x4.add(c3, f32x4.mul(a, v128.load(p + panelBytes, 16)));
      }
      const to = y + ((<usize>r * <usize>C) << 2) + at;
      finish(to, c0, c1, mode, 0);
      finish(to + 32, c2, c3, mode, 0);
    }
  }
  if (j < C) {
    const p0 = w + ((<usize>j * <usize>K) << 2);
    const at = <usize>j << 2;
    for (let r = 0; r < rows; r++) {
      const row = x + <usize>r * xs;
      let place = places + <usize>r * xs;
      const last = place + (<usize>load<i32>(placed + (<usize>r << 2)) << 2);
      const bias = b + <usize>r * bs + at;
      let c0 = v128.load(bias), c1 = v128.load(bias, 16);
      for (; place < last; place += 4) {
        const k = <usize>load<i32>(place);
        const a = v128.load32_splat(row + (k << 2));
        c0 = f32x4.add(c0, f32x4.mul(a, v128.load(p0 + (k << 5))));
        c1 = f32x4.add(c1, f32x4.mul(a, v128.load(p0 + (k << 5), 16)));
      }
      const to = y + ((<usize>r * <usize>C) << 2) + at;
      finish(to, c0, c1, mode, 0);
    }
  }
}

/**
 * G += xᵀ·d, row after row.
 *
 * @param x [rows × K] @param d [rows × C] @param g [K × C] panels
 * @param used columns of x that may not be zero, taken as a multiple of 4
 */
export function accumulate(x: usize, K: i32, used: i32, d: usize, rows: i32, C: i32, g: usize): void {
  const xs = <usize>K << 2;
  const ds = <usize>C << 2;
  for (let j = 0; j < C; j += 8) {
    const panel = g + ((<usize>j * <usize>K) << 2);
    const dj = d + (<usize>j << 2);
    for (let k = 0; k < used; k += 4) {
      const to = panel + (<usize>k << 5);
      let c00 = v128.load(to), c01 = v128.load(to, 16), c10 = v128.load(to, 32), c11 = v128.load(to, 48);
      let c20 = v128.load(to, 64), c21 = v128.load(to, 80), c30 = v128.load(to, 96), c31 = v128.load(to, 112);
      let from = x + (<usize>k << 2);
      let dr = dj;
      for (let r = 0; r < rows; r++) {
        const d0 = v128.load(dr);
        const d1 = v128.load(dr, 16);
        let a = v128.load32_splat(from);
        c00 = f32x4.add(c00, f32x4.mul(a, d0));
        c01 = f32x4.add(c01, f32x4.mul(a, d1));
        a = v128.load32_splat(from, 4);
        c10 = f32x4.add(c10, f32x4.mul(a, d0));
        c11 = f32x4.add(c11, f32x4.mul(a, d1));
        a = v128.load32_splat(from, 8);
        c20 = f32x4.add(c20, f32x4.mul(a, d0));
        c21 = f32x4.add(c21, f32x4.mul(a, d1));
        a = v128.load32_splat(from, 12);
        c30 = f32x4.add(c30, f32x4.mul(a, d0));
        c31 = f32x4.add(c31, f32x4.mul(a, d1));
        from += xs;
        dr += ds;
      }
      v128.store(to, c00);
      v128.store(to, c01, 16);
      v128.store(to, c10, 32);
      v128.store(to, c11, 48);
      v128.store(to, c20, 64);
      v128.store(to, c21, 80);
      v128.store(to, c30, 96);
      v128.store(to, c31, 112);
    }
  }
}

/** As `accumulate`, of a single panel of which only the first four columns count. */
export function accumulateNarrow(x: usize, K: i32, used: i32, d: usize, rows: i32, g: usize): void {
  const xs = <usize>K << 2;
  for (let k = 0; k < used; k += 4) {
    const to = g + (<usize>k << 5);
    let c0 = v128.load(to), c1 = v128.load(to, 32), c2 = v128.load(to, 64), c3 = v128.load(to, 96);
    let from = x + (<usize>k << 2);
    const end = d + (<usize>rows << 5);
    for (let dr = d; dr < end; dr += 32) {
      const d0 = v128.load(dr);
      c0 = f32x4.add(c0, f32x4.mul(v128.load32_splat(from), d0));
      c1 = f32x4.add(c1, f32x4.mul(v128.load32_splat(from, 4), d0));
      c2 = f32x4.add(c2, f32x4.mul(v128.load32_splat(from, 8), d0));
      c3 = f32x4.add(c3, f32x4.mul(v128.load32_splat(from, 12), d0));
      from += xs;
    }
    v128.store(to, c0);
    v128.store(to, c1, 32);
    v128.store(to, c2, 64);
    v128.store(to, c3, 96);
  }
}

/** As `accumulate`, skipping zeros of x: the same bits. */
export function accumulateSparse(
  x: usize, K: i32, places: usize, placed: usize, d: usize, rows: i32, C: i32, g: usize,
): void {
  const xs = <usize>K << 2;
  const panelBytes = <usize>K << 5;
  let j = 0;
  for (; j + 8 < C; j += 16) {
    const g0 = g + ((<usize>j * <usize>K) << 2);
    for (let r = 0; r < rows; r++) {
      const row = x + <usize>r * xs;
      let place = places + <usize>r * xs;
      const last = place + (<usize>load<i32>(placed + (<usize>r << 2)) << 2);
      const from = d + ((<usize>r * <usize>C + <usize>j) << 2);
      const d0 = v128.load(from), d1 = v128.load(from, 16), d2 = v128.load(from, 32), d3 = v128.load(from, 48);
      for (; place < last; place += 4) {
        const k = <usize>load<i32>(place);
        const a = v128.load32_splat(row + (k << 2));
        const to = g0 + (k << 5);
        v128.store(to, f32x4.add(v128.load(to), f32x4.mul(a, d0)));
        v128.store(to, f32x4.add(v128.load(to, 16), f32x4.mul(a, d1)), 16);
        const next = to + panelBytes;
        v128.store(next, f32x4.add(v128.load(next), f32x4.mul(a, d2)));
        v128.store(next, f32x4.add(v128.load(next, 16), f32x4.mul(a, d3)), 16);
      }
    }
  }
  if (j < C) {
    const g0 = g + ((<usize>j * <usize>K) << 2);
    for (let r = 0; r < rows; r++) {
      const row = x + <usize>r * xs;
      let place = places + <usize>r * xs;
      const last = place + (<usize>load<i32>(placed + (<usize>r << 2)) << 2);
      const from = d + ((<usize>r * <usize>C + <usize>j) << 2);
      const d0 = v128.load(from), d1 = v128.load(from, 16);
      for (; place < last; place += 4) {
        const k = <usize>load<i32>(place);
        const a = v128.load32_splat(row + (k << 2));
        const to = g0 + (k << 5);
        v128.store(to, f32x4.add(v128.load(to), f32x4.mul(a, d0)));
        v128.store(to, f32x4.add(v128.load(to, 16), f32x4.mul(a, d1)), 16);
      }
    }
  }
}

/** g += the sum of d's rows. @param d [rows × C] @param g [C] */
export function accumulateRows(d: usize, rows: i32, C: i32, g: usize): void {
  for (let j = 0; j < C; j += 4) {
    const at = <usize>j << 2;
    let sum = v128.load(g + at);
    let from = d + at;
    for (let r = 0; r < rows; r++) {
      sum = f32x4.add(sum, v128.load(from));
      from += <usize>C << 2;
    }
    v128.store(g + at, sum);
  }
}

/** The transpose of w [K × C] as panels [C × K]. */
export function transpose(w: usize, K: i32, C: i32, to: usize): void {
  for (let k = 0; k < K; k += 4) {
    for (let c = 0; c < C; c += 4) {
      const from = w + ((<usize>(c & ~7) * <usize>K + (<usize>k << 3) + <usize>(c & 7)) << 2);
      const r0 = v128.load(from), r1 = v128.load(from, 32), r2 = v128.load(from, 64), r3 = v128.load(from, 96);
      const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const t1 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const t2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      const out = to + ((<usize>(k & ~7) * <usize>C + (<usize>c << 3) + <usize>(k & 7)) << 2);
      v128.store(out, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5));
      v128.store(out, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7), 32);
      v128.store(out, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5), 64);
      v128.store(out, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7), 96);
    }
  }
}
