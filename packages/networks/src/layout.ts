import {
  type CnnSpec,
  type Convolution,
  type ImageShape,
  imagesIn,
  MagicMaskError,
  type ModelSpec,
  towersOf,
} from "@magic-mask/core";

/** Where one dense layer lies in the canonical parameters. */
export interface DenseLayer {
  /** `tower0.layer1`; layers count from 0, the output layer is the last. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Offset of the weights [inputs × outputs]. */
  readonly weight: number;
  /** Offset of the biases [outputs], right behind the weights. */
  readonly bias: number;
}

/** Where a convolution lies: it is a dense layer from each place of its kernels, size × size × channels, to a pixel. */
export interface ConvolutionLayer extends DenseLayer {
  readonly size: number;
  readonly stride: number;
  /** What it reads, an image as a row. */
  readonly from: ImageShape;
  /** What it makes of that. */
  readonly to: ImageShape;
}

export const isConvolution = (layer: DenseLayer): layer is ConvolutionLayer => "stride" in layer;

/**
 * The layers of each tower, in canonical order: convolutions (`tower0.convolution0`, …), then dense ones.
 *
 * @throws invalid-option if `spec` is not one that a backend could build
 */
export function layout(spec: ModelSpec): readonly (readonly (DenseLayer | ConvolutionLayer)[])[] {
  checkSpec(spec);
  const images = spec.kind === "cnn" ? imagesIn(spec) : [];
  let offset = 0;
  /** The next `inputs × outputs` weights and `outputs` biases. */
  const take = (name: string, inputs: number, outputs: number): DenseLayer => {
    const weight = offset;
    const bias = weight + inputs * outputs;
    offset = bias + outputs;
    return { name, inputs, outputs, weight, bias };
  };
  return towersOf(spec).map(({ inputs: first, output }, tower) => {
    const convolutions = images.slice(1).map((to, l): ConvolutionLayer => {
      const { size, stride, channels } = (spec as CnnSpec).filters[l];
      const from = images[l];
      return { ...take(`tower${tower}.convolution${l}`, size * size * from[2], channels), size, stride, from, to };
    });
    let inputs = convolutions.length > 0 ? pixels(images[images.length - 1]) : first;
    const dense = [...spec.hidden, output].map((outputs, l) => {
      const layer = take(`tower${tower}.layer${l}`, inputs, outputs);
      inputs = outputs;
      return layer;
    });
    return [...convolutions, ...dense];
  });
}

/**
 * One line for messages: `126-64-64-(7+1) relu`; for images `84×84×4-32@8/4-512-(7) relu`, convolutions as channels@size/stride;
 * where candidates are scored `790&54-64-64-(≤300+1) relu`.
 */
export function describeSpec(spec: ModelSpec): string {
  const convolution = ({ size, stride, channels }: Convolution) => `${channels}@${size}/${stride}`;
  const start =
    spec.kind === "cnn"
      ? [spec.image.join("×"), ...spec.filters.map(convolution)]
      : [spec.kind === "candidates" ? `${spec.inputs}&${spec.features}` : spec.inputs];
  const end = spec.kind === "candidates" ? `≤${spec.max}+1` : spec.outputs.join("+");
  return `${[...start, ...spec.hidden].join("-")}-(${end}) ${spec.activation}`;
}

const pixels = ([height, width, channels]: ImageShape): number => height * width * channels;

function checkSpec(spec: ModelSpec): void {
  const { kind, inputs, hidden, activation } = spec;
  if (kind !== "mlp" && kind !== "cnn" && kind !== "candidates")
    fail(`the kind of a model must be "mlp", "cnn" or "candidates", got ${JSON.stringify(kind)}`);
  if (!isWidth(inputs)) fail(`inputs must be an integer ≥ 1, got ${inputs}`);
  if (!(Array.isArray(hidden) && hidden.length >= 1 && hidden.length <= 3 && hidden.every(isWidth))) {
    fail(`hidden must be 1 to 3 widths ≥ 1, got ${JSON.stringify(hidden)}`);
  }
  if (activation !== "relu" && activation !== "tanh") fail(`activation must be "relu" or "tanh", got "${activation}"`);
  if (kind === "candidates") {
    for (const name of ["features", "max"] as const)
      if (!isWidth(spec[name])) fail(`${name} must be an integer ≥ 1, got ${spec[name]}`);
    return;
  }
  const { outputs } = spec;
  if (!(Array.isArray(outputs) && outputs.length >= 1 && outputs.every(isWidth))) {
    fail(`outputs must be 1 or more widths ≥ 1, got ${JSON.stringify(outputs)}`);
  }
  if (kind === "cnn") checkConvolutions(spec);
}

function checkConvolutions(spec: CnnSpec): void {
  const { image, filters, inputs } = spec;
  if (!(Array.isArray(image) && image.length === 3 && image.every(isWidth))) {
    fail(`image must be [height, width, channels], integers ≥ 1, got ${JSON.stringify(image)}`);
  }
  if (inputs !== pixels(image))
    fail(`inputs must be ${image.join("·")} = ${pixels(image)} as image says, got ${inputs}`);
  const isFilter = (f?: Convolution) => isWidth(f?.size) && isWidth(f?.stride) && isWidth(f?.channels);
  if (!(Array.isArray(filters) && filters.length >= 1 && filters.every(isFilter))) {
    fail(`filters must be 1 or more of { size, stride, channels }, integers ≥ 1, got ${JSON.stringify(filters)}`);
  }
  const images = imagesIn(spec);
  filters.forEach(({ size }, l) => {
    const [height, width] = images[l];
    if (size > height || size > width) fail(`filter ${l} is ${size}×${size}, but its image is only ${height}×${width}`);
  });
}

const isWidth = (x: unknown) => Number.isInteger(x) && (x as number) >= 1;

function fail(message: string): never {
  throw new MagicMaskError("invalid-option", "networks/layout", message);
}
