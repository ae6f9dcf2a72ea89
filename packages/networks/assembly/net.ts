/**
 * What a net consists of, in memory. The host lays it out (`src/fused/memory.ts` holds the same fields in the same order):
 * nothing here allocates, and no state lives outside of what the pointers name, so that several instances of this module
 * can work in one shared memory.
 *
 * Matrices [R × C] lie in panels of 8 columns, [C / 8][R][8]; C, and every other width below, is padded with zeros to a
 * multiple of 8.
 */
@unmanaged
export class Net {
  /** What all towers read. */
  states: Rows;
  towers: i32;
  /** Layers of each tower, the output layer included. */
  depth: i32;
  tanh: i32;
  /** O, unpadded. */
  outputs: i32;
  /** [P] floats: parameters in panels, their gradient, Adam's moments. */
  parameters: usize;
  gradient: usize;
  firstMoment: usize;
  secondMoment: usize;
  /** P, padded. */
  count: i32;
  /** [BLOCK × O] outputs, and the loss's gradient by them. */
  y: usize;
  dy: usize;
  /** [2 × widest action part + 8] floats. */
  scratch: usize;
  /** [towers × depth] */
  layers: usize;
  /**
   * Where candidates are scored, what tower 0 reads beside a state; else 0. That tower's first layer is in two parts then, whose
   * sums are added: `scoring`, of candidates, and the first of `layers`, of states, which has the biases.
   */
  candidates: Rows | null;
  scoring: Layer;
}

/** Input rows of a block. */
@unmanaged
export class Rows {
  /** Numbers in a row as they come. */
  inputs: i32;
  /** Those padded. */
  width: i32;
  /** [rows × width] */
  x: usize;
  /** [rows × width] i32: where each row of `x` is not zero; [rows] i32: at how many places. */
  places: usize;
  placed: usize;
}

@unmanaged
export class Layer {
  /** Padded. */
  inputs: i32;
  /** Padded. */
  outputs: i32;
  /** Unpadded. */
  width: i32;
  weights: usize;
  biases: usize;
  dWeights: usize;
  dBiases: usize;
  /** The transpose of `weights`, in panels too; 0 in first layers, which need none. */
  transposed: usize;
  /** [rows × outputs] activations, and the loss's gradient by them. */
  h: usize;
  dh: usize;
}

/**
 * Rows that go through all layers together, while they are in the processor's cache. A multiple of 4. Where candidates are
 * scored: whole lists until there are so many candidates.
 */
export const BLOCK: i32 = 64;

// @ts-ignore: decorator
@inline
export function layerOf(net: Net, tower: i32, depth: i32): Layer {
  return changetype<Layer>(net.layers + <usize>(tower * net.depth + depth) * offsetof<Layer>());
}
