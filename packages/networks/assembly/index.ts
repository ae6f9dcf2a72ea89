// A net with its losses and optimiser in one module: an update is one call, whatever its epochs and minibatches.

import { adam, norm } from "./adam";
import { BAD_GRADIENT, BAD_INPUT, BAD_LOSS, CATEGORICAL, DONE, GAUSSIAN, Job, REGRESSION } from "./job";
import { categorical, gaussian, regression } from "./losses";
import { BLOCK, Layer, layerOf, Net } from "./net";
import {
  accumulate, accumulateNarrow, accumulateRows, accumulateSparse, LINEAR, multiply, multiplyNarrow, multiplySparse,
  RELU, TANH, THROUGH_RELU, THROUGH_TANH, transpose,
} from "./products";

/** First byte that the kernel leaves to the host. */
export function base(): usize {
  return __heap_base;
}

/** Forward pass of rows 0 … count − 1. @param inputs [count × D] @param out [count × O] @returns DONE or BAD_INPUT */
export function infer(net: Net, inputs: usize, count: i32, out: usize): i32 {
  const O = <usize>net.outputs << 2;
  for (let from: i32 = 0; from < count; from += BLOCK) {
    const rows = min(BLOCK, count - from);
    const sparse = gather(net, inputs, 0, from, rows);
    if (sparse < 0) return BAD_INPUT;
    forward(net, rows, sparse != 0);
    memory.copy(out + <usize>from * O, net.y, <usize>rows * O);
  }
  return DONE;
}

/** Gradient of the mean loss over all rows of the job; the sums are the means. */
export function gradient(net: Net, job: Job): i32 {
  prepare(net);
  return differentiate(net, job, 0, <i32>job.count);
}

/** One Adam step per minibatch. Where it fails, the parameters are those before the failing step. */
export function update(net: Net, job: Job): i32 {
  const count = <i32>job.count;
  const minibatch = <i32>job.minibatch;
  for (let from: i32 = 0; from < count; from += minibatch) {
    prepare(net);
    const code = differentiate(net, job, from, min(minibatch, count - from));
    if (code != DONE) return code;
    const length = norm(net.gradient, net.count);
    job.norm += length;
    if (!isFinite(length)) return BAD_GRADIENT;
    job.steps += 1;
    adam(
      net.parameters, net.gradient, net.firstMoment, net.secondMoment, net.count,
      Math.min(1, job.maxGradNorm / length), job.learningRate, <i32>job.steps,
    );
  }
  return DONE;
}

/** Clears the gradient and transposes the weights that gradients pass through. */
function prepare(net: Net): void {
  memory.fill(net.gradient, 0, <usize>net.count << 2);
  for (let t: i32 = 0; t < net.towers; t++) {
    for (let l: i32 = 1; l < net.depth; l++) {
      const layer = layerOf(net, t, l);
      transpose(layer.weights, layer.inputs, layer.outputs, layer.transposed);
    }
  }
}

function differentiate(net: Net, job: Job, from: i32, count: i32): i32 {
  const share = <f32>(1 / <f64>count);
  const O = net.outputs;
  const stride = <usize>O << 2;
  const kind = <i32>job.loss;
  for (let first: i32 = 0; first < count; first += BLOCK) {
    const rows = min(BLOCK, count - first);
    const indices = <usize>job.rows + (<usize>(from + first) << 2);
    const sparse = gather(net, <usize>job.inputs, indices, 0, rows);
    if (sparse < 0) {
      job.row = <f64>(-1 - sparse);
      return BAD_INPUT;
    }
    forward(net, rows, sparse != 0);
    for (let r: i32 = 0; r < rows; r++) {
      const row = load<i32>(indices + (<usize>r << 2));
      const y = net.y + <usize>r * stride;
      const dy = net.dy + <usize>r * stride;
      let code = DONE;
      if (kind == CATEGORICAL) code = categorical(job, row, y, dy, O - 1, net.scratch, share);
      else if (kind == GAUSSIAN) code = gaussian(job, row, y, dy, <i32>job.parts, share);
      else if (kind == REGRESSION) regression(job, row, y, dy, O, share);
      if (code != DONE) {
        job.row = <f64>row;
        return code;
      }
    }
    const total = job.sum0 + job.sum1 + job.sum2 + job.sum3;
    if (!isFinite(total)) return BAD_LOSS;
    backward(net, rows, sparse != 0);
  }
  return DONE;
}

/**
 * Copies rows into the block, padded.
 *
 * @param indices [rows] i32, or 0 for rows `from`, `from` + 1, …
 * @returns 1 where most of it is zero (then `places` tells what is not), else 0; −1 − row if one is NaN or infinite
 */
function gather(net: Net, inputs: usize, indices: usize, from: i32, rows: i32): i32 {
  const D = <usize>net.inputs;
  const width = <usize>net.width << 2;
  const whole = (D & ~3) << 2;
  const end = D << 2;
  const zero = f32x4.splat(0);
  let bad = zero;
  let filled: i32 = 0;
  for (let r: i32 = 0; r < rows; r++) {
    const row = indices ? load<i32>(indices + (<usize>r << 2)) : from + r;
    const source = inputs + <usize>row * end;
    const to = net.x + <usize>r * width;
    let at: usize = 0;
    for (; at < whole; at += 16) {
      const v = v128.load(source + at);
      v128.store(to + at, v);
      // x − x is 0 for finite x only.
      bad = v128.or(bad, f32x4.ne(f32x4.sub(v, v), zero));
      filled += popcnt(i32x4.bitmask(f32x4.ne(v, zero)));
    }
    for (; at < end; at += 4) {
      const v = load<f32>(source + at);
      store<f32>(to + at, v);
      if (v - v != 0) return -1 - row;
      if (v != 0) filled++;
    }
  }
  if (v128.any_true(bad)) return -1 - badRow(net, inputs, indices, from, rows);
  if (filled * SPARSE > rows * net.inputs) return 0;
  for (let r: i32 = 0; r < rows; r++) {
    const x = net.x + <usize>r * width;
    const places = net.places + <usize>r * width;
    let count: usize = 0;
    for (let at: usize = 0; at < width; at += 16) {
      let mask = i32x4.bitmask(f32x4.ne(v128.load(x + at), zero));
      for (; mask; mask &= mask - 1) {
        store<i32>(places + (count << 2), <i32>(at >> 2) + ctz(mask));
        count++;
      }
    }
    store<i32>(net.placed + (<usize>r << 2), <i32>count);
  }
  return 1;
}

/** A block is taken for sparse where at most one in so many of its numbers is not zero: skipping then pays for looking. */
const SPARSE: i32 = 2;

function badRow(net: Net, inputs: usize, indices: usize, from: i32, rows: i32): i32 {
  const D = <usize>net.inputs;
  for (let r: i32 = 0; r < rows; r++) {
    const row = indices ? load<i32>(indices + (<usize>r << 2)) : from + r;
    for (let i: usize = 0; i < D; i++) {
      const v = load<f32>(inputs + ((<usize>row * D + i) << 2));
      if (v - v != 0) return row;
    }
  }
  return from;
}

/** Inputs of a layer that are not padding. */
// @ts-ignore: decorator
@inline
function usedInputs(net: Net, tower: i32, depth: i32): i32 {
  return depth == 0 ? net.inputs : layerOf(net, tower, depth - 1).width;
}

/** An output layer that fills no more than half of its one panel: values, two actions, a mask's heads. */
// @ts-ignore: decorator
@inline
function isNarrow(net: Net, depth: i32, layer: Layer): bool {
  return depth == net.depth - 1 && layer.width <= 4;
}

/** From `x` through all towers to `y`. */
function forward(net: Net, rows: i32, sparse: bool): void {
  const O = <usize>net.outputs << 2;
  const hidden = net.tanh ? TANH : RELU;
  let column: usize = 0;
  for (let t: i32 = 0; t < net.towers; t++) {
    let input = net.x;
    for (let l: i32 = 0; l < net.depth; l++) {
      const layer = layerOf(net, t, l);
      const mode = l < net.depth - 1 ? hidden : LINEAR;
      const K = layer.inputs;
      const C = layer.outputs;
      const w = layer.weights;
      const b = layer.biases;
      const used = usedInputs(net, t, l);
      if (l == 0 && sparse) multiplySparse(input, K, net.places, net.placed, w, b, rows, C, layer.h, mode);
      else if (isNarrow(net, l, layer)) multiplyNarrow(input, K, used, w, b, rows, layer.h);
      else multiply(input, K, used, w, b, rows, C, layer.h, mode, 0);
      input = layer.h;
    }
    const last = layerOf(net, t, net.depth - 1);
    copyColumns(last.h, <usize>last.outputs << 2, net.y + column, O, rows, <usize>last.width << 2);
    column += <usize>last.width << 2;
  }
}

/** From `dy` back through all towers into the gradient. */
function backward(net: Net, rows: i32, sparse: bool): void {
  const O = <usize>net.outputs << 2;
  const through = net.tanh ? THROUGH_TANH : THROUGH_RELU;
  let column: usize = 0;
  for (let t: i32 = 0; t < net.towers; t++) {
    const last = layerOf(net, t, net.depth - 1);
    copyColumns(net.dy + column, O, last.dh, <usize>last.outputs << 2, rows, <usize>last.width << 2);
    column += <usize>last.width << 2;
    for (let l: i32 = net.depth - 1; l >= 0; l--) {
      const layer = layerOf(net, t, l);
      const used = usedInputs(net, t, l);
      accumulateRows(layer.dh, rows, layer.outputs, layer.dBiases);
      if (l > 0) {
        const below = layerOf(net, t, l - 1);
        if (isNarrow(net, l, layer)) accumulateNarrow(below.h, layer.inputs, used, layer.dh, rows, layer.dWeights);
        else accumulate(below.h, layer.inputs, used, layer.dh, rows, layer.outputs, layer.dWeights);
        multiply(
          layer.dh, layer.outputs, layer.width, layer.transposed, 0, rows, layer.inputs, below.dh, through, below.h,
        );
      } else if (sparse) {
        accumulateSparse(net.x, layer.inputs, net.places, net.placed, layer.dh, rows, layer.outputs, layer.dWeights);
      } else {
        accumulate(net.x, layer.inputs, used, layer.dh, rows, layer.outputs, layer.dWeights);
      }
    }
  }
}

function copyColumns(from: usize, fromStride: usize, to: usize, toStride: usize, rows: i32, bytes: usize): void {
  for (let r: i32 = 0; r < rows; r++) {
    for (let at: usize = 0; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
    from += fromStride;
    to += toStride;
  }
}
