import {
  type CnnSpec,
  imagesIn,
  LOG_STD_BOUNDS,
  MagicMaskError,
  type MlpSpec,
  type ModelSpec,
  outputWidth,
  parameterCount,
} from "@magic-mask/core";
import onnxProto from "onnx-proto";

const { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } = onnxProto.onnx;
const SOURCE = "onnx/export";

/** Versions of the operators and of the file format, one that goes with the other. */
const OPSET = 17;
const IR_VERSION = 8;

/** Logits of illegal actions: as low as core's `ILLEGAL`. */
const ILLEGAL = -1e9;

/** Part of an output row that becomes an output of its own. */
export interface OnnxOutput {
  readonly name: string;
  /** Numbers; the outputs follow each other in the row, and fill it. */
  readonly width: number;
  /** What is done to it: illegal actions get −1e9, ln σ is kept in its bounds. Nothing, where left out. */
  readonly as?: "masked" | "log_std";
}

export interface ExportOptions {
  /** Name of the input [batch, D], float32. */
  readonly input: string;
  readonly outputs: readonly OnnxOutput[];
  /** What the file says of itself: plain text by name. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A network as an ONNX file, opset 17, with a dynamic batch. Where an output is masked, there is a second input `action_mask`
 * [batch, width], bool, true = legal.
 *
 * Dense layers become `Gemm`, convolutions `Conv` between transpositions, as ours keep the channels of a pixel side by side.
 *
 * @param parameters [P] in canonical order, see `LearnerState`
 * @throws unsupported for networks that score candidates; shape-mismatch if parameters or outputs do not fit the network
 */
export function exportOnnx(spec: ModelSpec, parameters: Float32Array, options: ExportOptions): Uint8Array {
  if (spec.kind === "candidates") {
    throw new MagicMaskError("unsupported", SOURCE, "a network that scores lists of candidates has no ONNX form here");
  }
  const { input, outputs, metadata = {} } = options;
  const [P, O] = [parameterCount(spec), outputWidth(spec)];
  if (parameters.length !== P) {
    throw new MagicMaskError("shape-mismatch", SOURCE, `the network has ${P} parameters, got ${parameters.length}`);
  }
  const wanted = outputs.reduce((sum, { width }) => sum + width, 0);
  if (outputs.length === 0 || wanted !== O) {
    throw new MagicMaskError("shape-mismatch", SOURCE, `the outputs must have ${O} numbers together, got ${wanted}`);
  }
  const masked = outputs.find(({ as }) => as === "masked");
  const graph = createGraph();
  let at = 0;
  const take = (count: number) => {
    at += count;
    return parameters.subarray(at - count, at);
  };
  const towers = spec.outputs.map((_, tower) => graph.tower(spec, tower, input, take));
  const [row] = towers.length > 1 ? graph.node("Concat", towers, { axis: 1 }) : towers;
  const sizes = outputs.map(({ width }) => width);
  const parts =
    outputs.length > 1 ? graph.node("Split", [row, graph.integers(sizes)], { axis: 1 }, sizes.length) : [row];
  outputs.forEach(({ name, as }, i) => {
    if (as === "masked") graph.node("Where", [MASK, parts[i], graph.floats([], [ILLEGAL])], {}, [name]);
    else if (as === "log_std")
      graph.node("Clip", [parts[i], ...LOG_STD_BOUNDS.map((x) => graph.floats([], [x]))], {}, [name]);
    else graph.node("Identity", [parts[i]], {}, [name]);
  });
  const { FLOAT, BOOL } = TensorProto.DataType;
  const model = ModelProto.create({
    irVersion: IR_VERSION,
    opsetImport: [{ domain: "", version: OPSET }],
    producerName: "magic-mask",
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: GraphProto.create({
      name: "network",
      node: graph.nodes,
      initializer: graph.tensors,
      input: [port(input, FLOAT, spec.inputs), ...(masked ? [port(MASK, BOOL, masked.width)] : [])],
      output: outputs.map(({ name, width }) => port(name, FLOAT, width)),
    }),
  });
  return ModelProto.encode(model).finish();
}

const MASK = "action_mask";

const port = (name: string, elemType: number, width: number) =>
  ValueInfoProto.create({
    name,
    type: { tensorType: { elemType, shape: { dim: [{ dimParam: "batch" }, { dimValue: width }] } } },
  });

/** Nodes and constants as they come, each value under a name of its own. */
function createGraph() {
  const nodes: InstanceType<typeof NodeProto>[] = [];
  const tensors: InstanceType<typeof TensorProto>[] = [];
  const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array) =>
    new Uint8Array(buffer, byteOffset, byteLength).slice();

  const tensor = (
    dims: readonly number[],
    dataType: number,
    rawData: Uint8Array,
    name = `constant${tensors.length}`,
  ) => {
    tensors.push(TensorProto.create({ name, dims: [...dims], dataType, rawData }));
    return name;
  };
  const floats = (dims: readonly number[], values: ArrayLike<number>, name?: string) =>
    tensor(dims, TensorProto.DataType.FLOAT, bytesOf(Float32Array.from(values)), name);
  const integers = (values: readonly number[]) =>
    tensor([values.length], TensorProto.DataType.INT64, bytesOf(BigInt64Array.from(values, BigInt)));

  /** @param outputs their names, or how many there are. @returns their names */
  const node = (
    opType: string,
    input: readonly string[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
    outputs: readonly string[] | number = 1,
  ): readonly string[] => {
    const id = `${opType.toLowerCase()}${nodes.length}`;
    const output = typeof outputs === "number" ? Array.from({ length: outputs }, (_, i) => `${id}_${i}`) : outputs;
    const { INT, INTS } = AttributeProto.AttributeType;
    const attribute = Object.entries(attributes).map(([name, value]) =>
      AttributeProto.create(
        typeof value === "number" ? { name, type: INT, i: value } : { name, type: INTS, ints: [...value] },
      ),
    );
    nodes.push(NodeProto.create({ opType, name: id, input: [...input], output: [...output], attribute }));
    return output;
  };

  /** The layers of one tower, which takes its parameters in turn. @returns the name of its output */
  const tower = (
    spec: MlpSpec | CnnSpec,
    index: number,
    input: string,
    take: (count: number) => Float32Array,
  ): string => {
    const activate = (value: string) => node(spec.activation === "relu" ? "Relu" : "Tanh", [value])[0];
    let value = input;
    let width = spec.inputs;
    if (spec.kind === "cnn") {
      const images = imagesIn(spec);
      [value] = node("Reshape", [value, integers([-1, ...spec.image])]);
      [value] = node("Transpose", [value], { perm: [0, 3, 1, 2] });
      spec.filters.forEach(({ size, stride, channels }, l) => {
        const from = images[l][2];
        const name = `tower${index}.convolution${l}`;
        const kernels = channelsFirst(take(size * size * from * channels), size, from, channels);
        const weight = floats([channels, from, size, size], kernels, `${name}.weight`);
        const bias = floats([channels], take(channels), `${name}.bias`);
        [value] = node("Conv", [value, weight, bias], { kernel_shape: [size, size], strides: [stride, stride] });
        value = activate(value);
      });
      [value] = node("Transpose", [value], { perm: [0, 2, 3, 1] });
      [value] = node("Flatten", [value], { axis: 1 });
      width = images[images.length - 1].reduce((product, n) => product * n, 1);
    }
    [...spec.hidden, spec.outputs[index]].forEach((outputs, l) => {
      const weight = floats([width, outputs], take(width * outputs), `tower${index}.layer${l}.weight`);
      const bias = floats([outputs], take(outputs), `tower${index}.layer${l}.bias`);
      [value] = node("Gemm", [value, weight, bias]);
      if (l < spec.hidden.length) value = activate(value);
      width = outputs;
    });
    return value;
  };

  return { nodes, tensors, floats, integers, node, tower };
}

/** [size × size × in × out] → [out × in × size × size] */
function channelsFirst(kernels: Float32Array, size: number, from: number, to: number): Float32Array {
  const out = new Float32Array(kernels.length);
  for (let place = 0, i = 0; place < size * size; place++) {
    for (let c = 0; c < from; c++)
      for (let k = 0; k < to; k++, i++) out[(k * from + c) * size * size + place] = kernels[i];
  }
  return out;
}
