// A net with its losses and optimiser in one module: an update is one call, whatever its epochs and minibatches.

import { adam, norm } from "./adam";
import { BAD_GRADIENT, BAD_INPUT, BAD_LOSS, CATEGORICAL, DONE, GAUSSIAN, Job, REGRESSION } from "./job";
import { categorical, gaussian, regression } from "./losses";
import { BLOCK, Layer, layerOf, Net, Rows } from "./net";
import {
  accumulate, accumulateNarrow, accumulateRows, accumulateSparse, LINEAR, multiply, multiplyNarrow, multiplySparse,
  RELU, TANH, THROUGH_RELU, THROUGH_TANH, transpose,
} from "./products";

/** First byte that the kernel leaves to the host. */
export function base(): usize {
  return __heap_base;
}

/**
 * Forward pass of rows 0 … count − 1.
 *
 * @param inputs [count × D] @param out [count × O]
 * @param features [K × F], with `starts` and `counts` [count] i32, where candidates are scored
 * @returns DONE or BAD_INPUT
 */
export function infer(
  net: Net, inputs: usize, count: i32, out: usize, features: usize, starts: usize, counts: usize,
): i32 {
  const O = <usize>net.outputs << 2;
  let rows: i32 = 0;
  for (let from: i32 = 0; from < count; from += rows) {
    rows = blockOf(net, 0, from, count - from, counts);
    const filled = gather(net.states, 0, inputs, 0, from, rows);
    if (filled < 0 || gatherLists(net, 0, from, rows, features, starts, counts) >= 0) return BAD_INPUT;
    forward(net, rows, filled, 0, from, counts);
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
  const counts = <usize>job.counts;
  let rows: i32 = 0;
  for (let first: i32 = 0; first < count; first += rows) {
    const indices = <usize>job.rows + (<usize>(from + first) << 2);
    rows = blockOf(net, indices, 0, count - first, counts);
    const filled = gather(net.states, 0, <usize>job.inputs, indices, 0, rows);
    const bad = filled < 0
      ? -1 - filled
      : gatherLists(net, indices, 0, rows, <usize>job.features, <usize>job.starts, counts);
    if (bad >= 0) {
      job.row = <f64>bad;
      return BAD_INPUT;
    }
    forward(net, rows, filled, indices, 0, counts);
    for (let r: i32 = 0; r < rows; r++) {
      const row = load<i32>(indices + (<usize>r << 2));
      const y = net.y + <usize>r * stride;
      const dy = net.dy + <usize>r * stride;
      // A list is an action of one part, of as many choices as it is long.
      const sizes = net.candidates ? counts + (<usize>row << 2) : <usize>job.sizes;
      let code = DONE;
      if (kind == CATEGORICAL) code = categorical(job, row, y, dy, O - 1, sizes, net.scratch, share);
      else if (kind == GAUSSIAN) code = gaussian(job, row, y, dy, <i32>job.parts, share);
      else if (kind == REGRESSION) regression(job, row, y, dy, O, share);
      if (code != DONE) {
        job.row = <f64>row;
        return code;
      }
    }
    const total = job.sum0 + job.sum1 + job.sum2 + job.sum3;
    if (!isFinite(total)) return BAD_LOSS;
    backward(net, rows, filled, indices, counts);
  }
  return DONE;
}

/** The row of the batch that is row `r` of a block: `indices` [rows] i32 say so, or else they count from `from`. */
// @ts-ignore: decorator
@inline
function rowOf(indices: usize, from: i32, r: i32): i32 {
  return indices ? load<i32>(indices + (<usize>r << 2)) : from + r;
}

/** How many of the next `most` rows the next block takes. */
function blockOf(net: Net, indices: usize, from: i32, most: i32, counts: usize): i32 {
  if (!net.candidates) return min(BLOCK, most);
  let rows: i32 = 0;
  for (let listed: i32 = 0; rows < most && listed < BLOCK; rows++) {
    listed += load<i32>(counts + (<usize>rowOf(indices, from, rows) << 2));
  }
  return rows;
}

/**
 * Copies rows into a block from its row `first` on, padded.
 *
 * @param indices as in `rowOf`
 * @returns how many of their numbers are not zero; −1 − row if one is NaN or infinite
 */
function gather(to: Rows, first: i32, inputs: usize, indices: usize, from: i32, rows: i32): i32 {
  const D = <usize>to.inputs;
  const width = <usize>to.width << 2;
  const whole = (D & ~3) << 2;
  const end = D << 2;
  const zero = f32x4.splat(0);
  let bad = zero;
  let filled: i32 = 0;
  for (let r: i32 = 0; r < rows; r++) {
    const row = rowOf(indices, from, r);
    const source = inputs + <usize>row * end;
    const target = to.x + <usize>(first + r) * width;
    let at: usize = 0;
    for (; at < whole; at += 16) {
      const v = v128.load(source + at);
      v128.store(target + at, v);
      // x − x is 0 for finite x only.
      bad = v128.or(bad, f32x4.ne(f32x4.sub(v, v), zero));
      filled += popcnt(i32x4.bitmask(f32x4.ne(v, zero)));
    }
    for (; at < end; at += 4) {
      const v = load<f32>(source + at);
      store<f32>(target + at, v);
      if (v - v != 0) return -1 - row;
      if (v != 0) filled++;
    }
  }
  return v128.any_true(bad) ? -1 - badRow(D, inputs, indices, from, rows) : filled;
}

/** Notes where rows `first` … `first` + `rows` − 1 of a block are not zero. */
function locate(block: Rows, first: i32, rows: i32): void {
  const width = <usize>block.width << 2;
  const zero = f32x4.splat(0);
  for (let r = first; r < first + rows; r++) {
    const x = block.x + <usize>r * width;
    const places = block.places + <usize>r * width;
    let count: usize = 0;
    for (let at: usize = 0; at < width; at += 16) {
      let mask = i32x4.bitmask(f32x4.ne(v128.load(x + at), zero));
      for (; mask; mask &= mask - 1) {
        store<i32>(places + (count << 2), <i32>(at >> 2) + ctz(mask));
        count++;
      }
    }
    store<i32>(block.placed + (<usize>r << 2), <i32>count);
  }
}

/** Copies the lists of a block's rows into one of candidates, list behind list. @returns −1, or the row of a bad one */
function gatherLists(
  net: Net, indices: usize, from: i32, rows: i32, features: usize, starts: usize, counts: usize,
): i32 {
  const block = net.candidates;
  if (!block) return -1;
  let first: i32 = 0;
  for (let r: i32 = 0; r < rows; r++) {
    const row = rowOf(indices, from, r);
    const count = load<i32>(counts + (<usize>row << 2));
    if (gather(block, first, features, 0, load<i32>(starts + (<usize>row << 2)), count) < 0) return row;
    first += count;
  }
  locate(block, 0, first);
  return -1;
}

/** A block is taken for sparse where at most one in so many of its numbers is not zero: skipping then pays for looking. */
const SPARSE: i32 = 2;

function badRow(D: usize, inputs: usize, indices: usize, from: i32, rows: i32): i32 {
  for (let r: i32 = 0; r < rows; r++) {
    const row = rowOf(indices, from, r);
    for (let i: usize = 0; i < D; i++) {
      const v = load<f32>(inputs + ((<usize>row * D + i) << 2));
      if (v - v != 0) return row;
    }
  }
  return from;
}

/** An output layer that fills no more than half of its one panel: values, two actions, a mask's heads. */
// @ts-ignore: decorator
@inline
function isNarrow(net: Net, depth: i32, layer: Layer): bool {
  return depth == net.depth - 1 && layer.width <= 4;
}

/**
 * From the block's rows through all towers to `y`.
 *
 * @param filled numbers of the states that are not zero
 * @param indices as in `rowOf`, with `from` and `counts` for lists of candidates
 */
function forward(net: Net, rows: i32, filled: i32, indices: usize, from: i32, counts: usize): void {
  const O = <usize>net.outputs << 2;
  const mode = net.tanh ? TANH : RELU;
  const sparse = isSparse(net, rows, filled);
  if (sparse) locate(net.states, 0, rows);
  let column: usize = 0;
  for (let t: i32 = 0; t < net.towers; t++) {
    const first = layerOf(net, t, 0);
    const last = layerOf(net, t, net.depth - 1);
    const block = net.candidates;
    if (block && t == 0) {
      enter(net.states, first, rows, sparse, LINEAR);
      const listed = enterLists(block, net.scoring, first, rows, indices, from, counts, mode);
      climb(net, t, net.scoring, listed, mode);
      memory.fill(net.y, 0, <usize>rows * O);
      column = O - 4;
      let logit = last.h;
      for (let r: i32 = 0; r < rows; r++) {
        const count = countOf(indices, from, r, counts);
        copyColumns(logit, <usize>last.outputs << 2, net.y + <usize>r * O, 4, count, 4);
        logit += <usize>(count * last.outputs) << 2;
      }
    } else {
      enter(net.states, first, rows, sparse, mode);
      climb(net, t, first, rows, mode);
      copyColumns(last.h, <usize>last.outputs << 2, net.y + column, O, rows, <usize>last.width << 2);
      column += <usize>last.width << 2;
    }
  }
}

function isSparse(net: Net, rows: i32, filled: i32): bool {
  return filled * SPARSE <= rows * net.states.inputs;
}

// @ts-ignore: decorator
@inline
function countOf(indices: usize, from: i32, r: i32, counts: usize): i32 {
  return load<i32>(counts + (<usize>rowOf(indices, from, r) << 2));
}

/** A first layer, of states. */
function enter(states: Rows, layer: Layer, rows: i32, sparse: bool, mode: i32): void {
  const K = states.width;
  const C = layer.outputs;
  const w = layer.weights;
  const b = layer.biases;
  if (sparse) multiplySparse(states.x, K, states.places, states.placed, w, b, 0, rows, C, layer.h, mode);
  else multiply(states.x, K, states.inputs, w, b, rows, C, layer.h, mode, 0);
}

/** A first layer, of candidates, on top of the part of their states. @returns how many there are */
function enterLists(
  block: Rows, layer: Layer, states: Layer, rows: i32, indices: usize, from: i32, counts: usize, mode: i32,
): i32 {
  const C = layer.outputs;
  const bytes = <usize>C << 2;
  let listed: i32 = 0;
  for (let r: i32 = 0; r < rows; r++) {
    for (let end = listed + countOf(indices, from, r, counts); listed < end; listed++) {
      memory.copy(layer.h + <usize>listed * bytes, states.h + <usize>r * bytes, bytes);
    }
  }
  multiplySparse(
    block.x, block.width, block.places, block.placed, layer.weights, layer.h, C, listed, C, layer.h, mode,
  );
  return listed;
}

/** A tower's layers above the first, whose activations `bottom` holds. */
function climb(net: Net, t: i32, bottom: Layer, rows: i32, mode: i32): void {
  let below = bottom;
  for (let l: i32 = 1; l < net.depth; l++) {
    const layer = layerOf(net, t, l);
    const K = layer.inputs;
    const w = layer.weights;
    const b = layer.biases;
    if (isNarrow(net, l, layer)) multiplyNarrow(below.h, K, below.width, w, b, rows, layer.h);
    else multiply(below.h, K, below.width, w, b, rows, layer.outputs, layer.h, l < net.depth - 1 ? mode : LINEAR, 0);
    below = layer;
  }
}

/** From `dy` back through all towers into the gradient; the rest as for `forward`. */
function backward(net: Net, rows: i32, filled: i32, indices: usize, counts: usize): void {
  const O = <usize>net.outputs << 2;
  const sparse = isSparse(net, rows, filled);
  let column: usize = 0;
  for (let t: i32 = 0; t < net.towers; t++) {
    const first = layerOf(net, t, 0);
    const last = layerOf(net, t, net.depth - 1);
    const block = net.candidates;
    if (block && t == 0) {
      column = O - 4;
      let logit = last.dh;
      let listed: i32 = 0;
      for (let r: i32 = 0; r < rows; r++) {
        const count = countOf(indices, 0, r, counts);
        copyColumns(net.dy + <usize>r * O, 4, logit, <usize>last.outputs << 2, count, 4);
        logit += <usize>(count * last.outputs) << 2;
        listed += count;
      }
      descend(net, t, net.scoring, listed);
      leaveLists(block, net.scoring, first, rows, indices, counts, listed);
    } else {
      copyColumns(net.dy + column, O, last.dh, <usize>last.outputs << 2, rows, <usize>last.width << 2);
      column += <usize>last.width << 2;
      descend(net, t, first, rows);
    }
    leave(net.states, first, rows, sparse);
  }
}

/** Gradients of a tower's layers above the first, and that by the activations of `bottom`. */
function descend(net: Net, t: i32, bottom: Layer, rows: i32): void {
  const through = net.tanh ? THROUGH_TANH : THROUGH_RELU;
  for (let l: i32 = net.depth - 1; l > 0; l--) {
    const layer = layerOf(net, t, l);
    const below = l > 1 ? layerOf(net, t, l - 1) : bottom;
    const used = below.width;
    accumulateRows(layer.dh, rows, layer.outputs, layer.dBiases);
    if (isNarrow(net, l, layer)) accumulateNarrow(below.h, layer.inputs, used, layer.dh, rows, layer.dWeights);
    else accumulate(below.h, layer.inputs, used, layer.dh, rows, layer.outputs, layer.dWeights);
    multiply(layer.dh, layer.outputs, layer.width, layer.transposed, 0, rows, layer.inputs, below.dh, through, below.h);
  }
}

/** Gradient of a first layer, of states. */
function leave(states: Rows, layer: Layer, rows: i32, sparse: bool): void {
  const K = states.width;
  const C = layer.outputs;
  const d = layer.dh;
  accumulateRows(d, rows, C, layer.dBiases);
  if (sparse) accumulateSparse(states.x, K, states.places, states.placed, d, rows, C, layer.dWeights);
  else accumulate(states.x, K, states.inputs, d, rows, C, layer.dWeights);
}

/** Gradient of a first layer, of candidates; each list's sum is that by the part of its state. */
function leaveLists(
  block: Rows, layer: Layer, states: Layer, rows: i32, indices: usize, counts: usize, listed: i32,
): void {
  const C = layer.outputs;
  const bytes = <usize>C << 2;
  accumulateSparse(block.x, block.width, block.places, block.placed, layer.dh, listed, C, layer.dWeights);
  memory.fill(states.dh, 0, <usize>rows * bytes);
  let d = layer.dh;
  for (let r: i32 = 0; r < rows; r++) {
    const count = countOf(indices, 0, r, counts);
    accumulateRows(d, count, C, states.dh + <usize>r * bytes);
    d += <usize>count * bytes;
  }
}

function copyColumns(from: usize, fromStride: usize, to: usize, toStride: usize, rows: i32, bytes: usize): void {
  for (let r: i32 = 0; r < rows; r++) {
    for (let at: usize = 0; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
    from += fromStride;
    to += toStride;
  }
}
