import { type LearnerState, MagicMaskError, type ModelSpec, parameterCount } from "@magic-mask/core";
import { checkState } from "./checks.ts";
import { describeSpec, isConvolution, layout } from "./layout.ts";
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from "./safetensors.ts";

const FORMAT = "magic-mask/learner-1";

/** The parts of a state and what their tensors' names begin with. */
const PARTS = [
  ["parameters", ""],
  ["firstMoment", "optimizer.first_moment."],
  ["secondMoment", "optimizer.second_moment."],
] as const;

/**
 * A learner's state as a safetensors file: `tower0.layer0.weight` [in, out], `tower0.layer0.bias` [out], …, convolutions
 * as `tower0.convolution0.weight` [size, size, in, out] and `tower0.convolution0.bias` [out], …, the moments likewise under `optimizer.first_moment.` and `optimizer.second_moment.`; specification and steps in the metadata.
 */
export function encodeWeights(spec: ModelSpec, state: LearnerState): Uint8Array {
  checkState(spec, state);
  const tensors: Record<string, NamedTensor> = {};
  for (const [part, prefix] of PARTS) {
    for (const { name, shape, begin, end } of pieces(spec)) {
      tensors[prefix + name] = { shape, data: state[part].subarray(begin, end) };
    }
  }
  const { kind, inputs, hidden, activation } = spec;
  const images = spec.kind === "cnn" ? { image: spec.image, filters: spec.filters } : {};
  const end = spec.kind === "candidates" ? { features: spec.features, max: spec.max } : { outputs: spec.outputs };
  const metadata = {
    format: FORMAT,
    spec: JSON.stringify({ kind, inputs, ...images, hidden, activation, ...end }),
    steps: String(state.steps),
  };
  return encodeSafetensors({ tensors, metadata });
}

/**
 * Reads what `encodeWeights` wrote.
 *
 * @param expected the specification that the file must have; any, where left out
 * @throws corrupt-file if it is damaged, not such a file, or of another specification
 */
export function decodeWeights(bytes: Uint8Array, expected?: ModelSpec): { spec: ModelSpec; state: LearnerState } {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.format !== FORMAT) corrupt(`the file's format is ${metadata.format ?? "not given"}, wanted ${FORMAT}`);
  let found: { spec: ModelSpec; state: LearnerState };
  try {
    const spec: ModelSpec = JSON.parse(metadata.spec);
    const state = assemble(spec, tensors, metadata.steps);
    checkState(spec, state);
    found = { spec, state };
  } catch (error) {
    return corrupt(`the file contradicts itself: ${(error as Error).message}`, error);
  }
  if (expected && describeSpec(found.spec) !== describeSpec(expected)) {
    corrupt(`the file holds a network ${describeSpec(found.spec)}, wanted ${describeSpec(expected)}`);
  }
  return found;
}

function assemble(spec: ModelSpec, tensors: Readonly<Record<string, NamedTensor>>, steps: string): LearnerState {
  const wanted = PARTS.flatMap(([part, prefix]) =>
    pieces(spec).map((piece) => ({ ...piece, part, name: prefix + piece.name })),
  );
  for (const { name, shape } of wanted) {
    const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (tensor?.data[Symbol.toStringTag] !== "Float32Array" || String(tensor.shape) !== String(shape)) {
      corrupt(`${name} must be F32 of shape [${shape}]`);
    }
  }
  if (Object.keys(tensors).length > wanted.length) corrupt("there are tensors that do not belong to its network");
  if (!/^\d+$/.test(steps)) corrupt(`steps must be a whole number, got "${steps}"`);

  const P = parameterCount(spec);
  const state = {
    parameters: new Float32Array(P),
    firstMoment: new Float32Array(P),
    secondMoment: new Float32Array(P),
    steps: Number(steps),
  };
  for (const { name, part, begin } of wanted) state[part].set(tensors[name].data, begin);
  return state;
}

/** The tensors of one part of a state, in canonical order. */
const pieces = (spec: ModelSpec) =>
  layout(spec)
    .flat()
    .flatMap((layer) => {
      const { name, inputs, outputs, weight, bias } = layer;
      const shape = isConvolution(layer) ? [layer.size, layer.size, layer.from[2], outputs] : [inputs, outputs];
      return [
        { name: `${name}.weight`, shape, begin: weight, end: bias },
        { name: `${name}.bias`, shape: [outputs], begin: bias, end: bias + outputs },
      ];
    });

function corrupt(message: string, cause?: unknown): never {
  throw new MagicMaskError("corrupt-file", "networks/weights", message, { cause });
}
