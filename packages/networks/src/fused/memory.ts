import { type MlpSpec, outputWidth } from "@magic-mask/core";
import { layout } from "../layout.ts";

/** Rows that the kernel takes through all layers together (`assembly/net.ts`). */
const BLOCK = 64;
/** Fields of the kernel's structures, in its order, [4 bytes each]. */
const NET_FIELDS = 18;
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
export function netMemory(spec: MlpSpec, base: number): NetMemory {
  let at = (base + 15) & ~15;
  const take = (bytes: number) => {
    const from = at;
    at = (at + bytes + 15) & ~15;
    return from;
  };
  const floats = (count: number) => take(4 * count);

  const towers = layout(spec);
  const width = padded(spec.inputs);
  const O = outputWidth(spec);
  const shapes = towers.map((tower) =>
    tower.map((dense, l) => ({
      dense,
      inputs: l === 0 ? width : padded(dense.inputs),
      outputs: padded(dense.outputs),
    })),
  );
  const count = shapes.flat().reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);

  const net = take(4 * NET_FIELDS);
  const layers = take(4 * LAYER_FIELDS * shapes.flat().length);
  const [parameters, gradient, firstMoment, secondMoment] = [0, 1, 2, 3].map(() => floats(count));
  const x = floats(BLOCK * width);
  const nonzero = floats(BLOCK * width);
  const placed = floats(BLOCK);
  const [y, dy] = [floats(BLOCK * O), floats(BLOCK * O)];
  // Of every part of an action ln p and p, padded to fours, and its entropy; parts have one choice at least.
  const scratch = floats(2 * (O + 3 * O) + 4 * O);

  const places = new Int32Array(towers.flat().reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0));
  const fields: number[][] = [];
  let offset = 0;
  for (const { dense, inputs, outputs } of shapes.flat()) {
    const biases = offset + inputs * outputs;
    for (let i = 0; i < dense.inputs; i++) {
      for (let o = 0; o < dense.outputs; o++) {
        places[dense.weight + i * dense.outputs + o] = offset + (o & ~7) * inputs + i * 8 + (o & 7);
      }
    }
    for (let o = 0; o < dense.outputs; o++) places[dense.bias + o] = biases + o;
    fields.push([
      inputs,
      outputs,
      dense.outputs,
      parameters + 4 * offset,
      parameters + 4 * biases,
      gradient + 4 * offset,
      gradient + 4 * biases,
      floats(inputs * outputs),
      floats(BLOCK * outputs),
      floats(BLOCK * outputs),
    ]);
    offset = biases + outputs;
  }

  const head = [
    spec.inputs,
    width,
    towers.length,
    spec.hidden.length + 1,
    spec.activation === "tanh" ? 1 : 0,
    O,
    parameters,
    gradient,
    firstMoment,
    secondMoment,
    count,
    x,
    nonzero,
    placed,
    y,
    dy,
    scratch,
    layers,
  ];
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
      new Int32Array(memory, net, head.length).set(head);
      new Int32Array(memory, layers, LAYER_FIELDS * fields.length).set(fields.flat());
    },
  };
}
