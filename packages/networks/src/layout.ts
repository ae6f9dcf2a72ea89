import { MagicMaskError, type ModelSpec } from "@magic-mask/core";

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

/**
 * The dense layers of each tower, in canonical order.
 *
 * @throws invalid-option if `spec` is not one that a backend could build
 */
export function layout(spec: ModelSpec): readonly (readonly DenseLayer[])[] {
  checkSpec(spec);
  let offset = 0;
  return spec.outputs.map((output, tower) => {
    let inputs = spec.inputs;
    return [...spec.hidden, output].map((outputs, layer) => {
      const weight = offset;
      const bias = weight + inputs * outputs;
      const dense = { name: `tower${tower}.layer${layer}`, inputs, outputs, weight, bias };
      offset = bias + outputs;
      inputs = outputs;
      return dense;
    });
  });
}

/** One line for messages: `126-64-64-(7+1) relu`. */
export const describeSpec = (spec: ModelSpec): string =>
  `${[spec.inputs, ...spec.hidden].join("-")}-(${spec.outputs.join("+")}) ${spec.activation}`;

function checkSpec({ kind, inputs, hidden, activation, outputs }: ModelSpec): void {
  const width = (x: unknown) => Number.isInteger(x) && (x as number) >= 1;
  const fail = (message: string): never => {
    throw new MagicMaskError("invalid-option", "networks/layout", message);
  };
  if (kind !== "mlp") fail(`the kind of a model must be "mlp", got ${JSON.stringify(kind)}`);
  if (!width(inputs)) fail(`inputs must be an integer ≥ 1, got ${inputs}`);
  if (!(Array.isArray(hidden) && hidden.length >= 1 && hidden.length <= 3 && hidden.every(width))) {
    fail(`hidden must be 1 to 3 widths ≥ 1, got ${JSON.stringify(hidden)}`);
  }
  if (activation !== "relu" && activation !== "tanh") fail(`activation must be "relu" or "tanh", got "${activation}"`);
  if (!(Array.isArray(outputs) && outputs.length >= 1 && outputs.every(width))) {
    fail(`outputs must be 1 or more widths ≥ 1, got ${JSON.stringify(outputs)}`);
  }
}
