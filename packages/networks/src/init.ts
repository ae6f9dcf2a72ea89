import { type ModelSpec, parameterCount, type Stream } from "@magic-mask/core";
import { layout } from "./layout.ts";

/** Keeps the scale of activations through a hidden layer of rectifiers. */
const HIDDEN_GAIN = Math.SQRT2;
/** Small outputs: a policy starts nearly uniform, a critic near zero. */
const OUTPUT_GAIN = 0.01;

/**
 * Initial parameters [P] in canonical order: orthogonal weights (Saxe et al. 2014, arXiv:1312.6120) with gain √2 in hidden
 * and 0.01 in output layers, biases 0, as in CleanRL; kernels count as matrices [size·size·in × out]. `random` is the only source of chance.
 */
export function initialParameters(spec: ModelSpec, random: Stream): Float32Array {
  const parameters = new Float32Array(parameterCount(spec));
  for (const tower of layout(spec)) {
    tower.forEach(({ inputs, outputs, weight }, layer) => {
      const gain = layer < tower.length - 1 ? HIDDEN_GAIN : OUTPUT_GAIN;
      const wide = outputs > inputs;
      orthonormal(Math.min(inputs, outputs), Math.max(inputs, outputs), random).forEach((vector, k) => {
        vector.forEach((x, i) => {
          parameters[weight + (wide ? k * outputs + i : i * outputs + k)] = gain * x;
        });
      });
    });
  }
  return parameters;
}

/** `count` ≤ `length` orthonormal vectors, uniformly distributed: normal ones made orthogonal (Gram & Schmidt, modified). */
function orthonormal(count: number, length: number, random: Stream): Float64Array[] {
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => random.normal());
    for (const other of vectors) {
      const along = dot(vector, other);
      for (let i = 0; i < length; i++) vector[i] -= along * other[i];
    }
    const norm = Math.sqrt(dot(vector, vector));
    for (let i = 0; i < length; i++) vector[i] /= norm;
    vectors.push(vector);
  }
  return vectors;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
