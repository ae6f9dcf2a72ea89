import { type CandidatesSpec, type MlpSpec, outputWidth, parameterCount } from "@magic-mask/core";
import { layout } from "../layout.ts";

/** Rows that the kernel takes through all layers together (`assembly/net.ts`). */
const BLOCK = 64;
/** Fields of the kernel's structures, in its order, [4 bytes each]. */
const NET_FIELDS = 16;
const ROWS_FIELDS = 5;
const LAYER_FIELDS = 10;

/** Where a net lies in the kernel's memory. Offsets in bytes. */
export interface NetMemory {
  /** The kernel's `Net`. */
  readonly net: number;
  /** P, numbers of one array of parameters, padding included. */
  readonly count: number;
  readonly parameters: number;
  readonly gradient: number;
  readonly firstMoment: number;
  readonly secondMoment: number;
  /** First byte behind it all. */
  readonly end: number;
  /** [P] where each parameter in canonical order lies in an array of the kernel's. */
  readonly places: Int32Array;
  /** Writes the structures; the rest of the memory must be 0. */
  write(memory: ArrayBufferLike): void;
}

const padded = (width: number) => (width + 7) & ~7;

/**
 * Lays out a net as `assembly/net.ts` describes it.
 *
 * @param base first byte that is free
 */
export function netMemory(spec: MlpSpec | CandidatesSpec, base: number): NetMemory {
  let at = (base + 15) & ~15;
  const take = (bytes: number) => {
    const from = at;
    at = (at + bytes + 15) & ~15;
    return from;
  };
  const floats = (count: number) => take(4 * count);

  const towers = layout(spec);
  const O = outputWidth(spec);
  const scores = spec.kind === "candidates";
  /** Candidates that a block may hold: nearly BLOCK, and then the longest list. */
  const listed = scores ? (BLOCK + spec.max + 3) & ~3 : 0;

  /** Parts of a layer that have weights of their own, and biases where they are the first: all but one layer have one. */
  const shapes = towers.flatMap((tower, t) =>
    tower.flatMap((dense, l) => {
      const whole = { dense, from: 0, to: dense.inputs, rows: scores && t === 0 ? listed : BLOCK };
      if (!scores || t > 0 || l > 0) return [whole];
      return [
        { ...whole, to: spec.inputs, rows: BLOCK },
        { ...whole, from: spec.inputs },
      ];
    }),
  );
  const sizeOf = ({ dense, from, to }: (typeof shapes)[number]) =>
    (padded(to - from) + (from === 0 ? 1 : 0)) * padded(dense.outputs);
  const count = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);

  const net = take(4 * NET_FIELDS);
  const layers = take(4 * LAYER_FIELDS * shapes.length);
  const [parameters, gradient, firstMoment, secondMoment] = [0, 1, 2, 3].map(() => floats(count));
  const structures: (readonly [at: number, fields: readonly number[]])[] = [];
  /** Room for input rows. @returns the kernel's `Rows` */
  const block = (inputs: number, rows: number) => {
    const width = padded(inputs);
    const at = take(4 * ROWS_FIELDS);
    structures.push([at, [inputs, width, floats(rows * width), floats(rows * width), floats(rows)]]);
    return at;
  };
  const states = block(spec.inputs, BLOCK);
  const candidates = scores ? block(spec.features, listed) : 0;
  const [y, dy] = [floats(BLOCK * O), floats(BLOCK * O)];
  // Of every part of an action ln p and p, padded to fours, and its entropy; parts have one choice at least.
  const scratch = floats(2 * (O + 3 * O) + 4 * O);

  const places = new Int32Array(parameterCount(spec));
  const fields: number[][] = [];
  let offset = 0;
  for (const shape of shapes) {
    const { dense, from, to, rows } = shape;
    const [inputs, outputs] = [padded(to - from), padded(dense.outputs)];
    const biases = offset + inputs * outputs;
    const own = from === 0;
    for (let i = from; i < to; i++) {
      for (let o = 0; o < dense.outputs; o++) {
        places[dense.weight + i * dense.outputs + o] = offset + (o & ~7) * inputs + (i - from) * 8 + (o & 7);
      }
    }
    for (let o = 0; own && o < dense.outputs; o++) places[dense.bias + o] = biases + o;
    fields.push([
      inputs,
      outputs,
      dense.outputs,
      parameters + 4 * offset,
      own ? parameters + 4 * biases : 0,
      gradient + 4 * offset,
      own ? gradient + 4 * biases : 0,
      floats(inputs * outputs),
      floats(rows * outputs),
      floats(rows * outputs),
    ]);
    offset += sizeOf(shape);
  }
  // The part of the first layer that reads candidates goes last: the others are found by tower and depth.
  const scoring = scores ? layers + 4 * LAYER_FIELDS * (shapes.length - 1) : 0;
  if (scores) fields.push(...fields.splice(1, 1));

  const head = [
    states,
    towers.length,
    spec.hidden.length + 1,
    spec.activation === "tanh" ? 1 : 0,
    O,
    parameters,
    gradient,
    firstMoment,
    secondMoment,
    count,
    y,
    dy,
    scratch,
    layers,
    candidates,
    scoring,
  ];
  structures.push([net, head], [layers, fields.flat()]);
  return {
    net,
    count,
    parameters,
    gradient,
    firstMoment,
    secondMoment,
    end: at,
    places,
    write(memory) {
      for (const [at, values] of structures) new Int32Array(memory, at, values.length).set(values);
    },
  };
}
