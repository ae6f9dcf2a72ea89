import { MagicMaskError } from "../error.ts";
import { type CreateLearner, type LearnerState, type ModelSpec, outputWidth, parameterCount } from "../learner.ts";
import { checkBatch, rowLoss } from "./reference-losses.ts";

/**
 * A small learner (perceptrons only) without a backend, for tests of what is built on the `Learner` seam and as a yardstick for backends. Row by
 * row in float64, with parameters and moments kept in float32 as in `LearnerState`, so that a restored one continues exactly.
 * Weights start normal with deviation √(2 / inputs), a twentieth of that in output layers; biases 0.
 */
export const referenceLearner: CreateLearner = (spec, random) => {
  if (spec.kind !== "mlp")
    throw new MagicMaskError("unsupported", SOURCE, `knows perceptrons only, got a ${spec.kind}`);
  const [D, O, P] = [spec.inputs, outputWidth(spec), parameterCount(spec)];
  const [x, out, dOut] = [new Float64Array(D), new Float64Array(O), new Float64Array(O)];
  const [parameters, firstMoment, secondMoment] = [new Float32Array(P), new Float32Array(P), new Float32Array(P)];
  const layers = layersOf(spec, x, out, dOut);
  const backwards = [...layers].reverse();
  let steps = 0;
  for (const { weight, bias, input, hidden } of layers) {
    const scale = Math.sqrt(2 / input.length) * (hidden ? 1 : 0.05);
    for (let i = weight; i < bias; i++) parameters[i] = scale * random.normal();
  }

  /** Fills `out` and every layer's values from one input row. */
  function forward(inputs: Float32Array, row: number) {
    for (let i = 0; i < D; i++) x[i] = finite("an input", inputs[row * D + i]);
    for (const { weight, bias, input, output, hidden } of layers) {
      const n = output.length;
      for (let k = 0; k < n; k++) {
        let sum = parameters[bias + k];
        for (let i = 0; i < input.length; i++) sum += input[i] * parameters[weight + i * n + k];
        output[k] = !hidden ? finite("an output", sum) : spec.activation === "relu" ? Math.max(0, sum) : Math.tanh(sum);
      }
    }
  }

  /** Adds to `gradient` what `dOut` says about the row that went `forward` last. */
  function backward(gradient: Float64Array) {
    for (const { weight, bias, input, dInput, output, dOutput, hidden } of backwards) {
      const n = output.length;
      for (let k = 0; k < n; k++) {
        if (hidden) dOutput[k] *= spec.activation === "tanh" ? 1 - output[k] * output[k] : output[k] > 0 ? 1 : 0;
        gradient[bias + k] += dOutput[k];
      }
      for (let i = 0; i < input.length; i++) {
        dInput[i] = 0;
        for (let k = 0; k < n; k++) {
          gradient[weight + i * n + k] += input[i] * dOutput[k];
          dInput[i] += parameters[weight + i * n + k] * dOutput[k];
        }
      }
    }
  }

  /** Gradient of the mean loss over `rows`, and the means that are reported. */
  function differentiate(objective: Parameters<typeof rowLoss>[0], rows: Int32Array) {
    checkBatch(D, O, objective, rows);
    const gradient = new Float64Array(P);
    const means: Record<string, number> = {};
    for (const row of rows) {
      forward(objective.batch.inputs, row);
      addMeans(means, rowLoss(objective, row, out, dOut), rows.length);
      for (let k = 0; k < O; k++) dOut[k] /= rows.length;
      backward(gradient);
    }
    addMeans(means, { grad_norm: Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0)) }, 1);
    return { gradient, means };
  }

  /** Adam with β₁ = .9, β₂ = .999, ε = 1e-5. */
  function step(gradient: Float64Array, scale: number, learningRate: number) {
    steps++;
    const [first, second] = [1 - Math.exp(steps * Math.log(0.9)), 1 - Math.exp(steps * Math.log(0.999))];
    for (let i = 0; i < P; i++) {
      const g = gradient[i] * scale;
      firstMoment[i] = 0.9 * firstMoment[i] + 0.1 * g;
      secondMoment[i] = 0.999 * secondMoment[i] + 0.001 * g * g;
      parameters[i] -= (learningRate * firstMoment[i]) / first / (Math.sqrt(secondMoment[i] / second) + 1e-5);
    }
  }

  return {
    spec,
    infer(inputs, count, to) {
      if (inputs.length < count * D || to.length < count * O) {
        const wanted = `${count * D} inputs and room for ${count * O} outputs`;
        throw new MagicMaskError("shape-mismatch", SOURCE, `needs ${wanted}, got ${inputs.length} and ${to.length}`);
      }
      for (let row = 0; row < count; row++) {
        forward(inputs, row);
        to.set(out, row * O);
      }
    },
    async update(objective, { rows, minibatch, learningRate, maxGradNorm }) {
      const statistics: Record<string, number> = {};
      for (let from = 0; from < rows.length; from += minibatch) {
        const { gradient, means } = differentiate(objective, rows.subarray(from, from + minibatch));
        step(gradient, Math.min(1, maxGradNorm / (means.grad_norm + 1e-12)), learningRate);
        addMeans(statistics, means, Math.ceil(rows.length / minibatch));
      }
      return statistics;
    },
    gradient: async (objective, rows) => Float32Array.from(differentiate(objective, rows).gradient),
    exportState: () => {
      const [m, v] = [firstMoment.slice(), secondMoment.slice()];
      return { parameters: parameters.slice(), firstMoment: m, secondMoment: v, steps };
    },
    restoreState(state: LearnerState) {
      const pairs = [
        [state.parameters, parameters],
        [state.firstMoment, firstMoment],
        [state.secondMoment, secondMoment],
      ];
      for (const [from] of pairs) {
        if (from.length !== P)
          throw new MagicMaskError("shape-mismatch", SOURCE, `needs ${P} numbers, got ${from.length}`);
        for (const value of from) finite("a restored number", value);
      }
      for (const [from, to] of pairs) to.set(from);
      steps = state.steps;
    },
    dispose() {},
  };
};

const SOURCE = "core/reference-learner";

/** All layers, tower by tower; buffers are shared where one layer's output is the next one's input. */
function layersOf(spec: ModelSpec, x: Float64Array, out: Float64Array, dOut: Float64Array) {
  let [weight, at] = [0, 0];
  return spec.outputs.flatMap((width) => {
    let [input, dInput]: Float64Array[] = [x, new Float64Array(x.length)];
    at += width;
    return [...spec.hidden, width].map((n, l) => {
      const hidden = l < spec.hidden.length;
      const [output, dOutput] = hidden
        ? [new Float64Array(n), new Float64Array(n)]
        : [out, dOut].map((o) => o.subarray(at - n, at));
      const layer = { weight, bias: weight + input.length * n, input, dInput, output, dOutput, hidden };
      [weight, input, dInput] = [layer.bias + n, output, dOutput];
      return layer;
    });
  });
}

/** Adds a `count`-th of each number to the mean of that name. */
function addMeans(means: Record<string, number>, numbers: Readonly<Record<string, number>>, count: number) {
  for (const [name, value] of Object.entries(numbers)) means[name] = (means[name] ?? 0) + finite(name, value) / count;
}

/** @throws not-finite for NaN and for what float32 cannot hold */
function finite(name: string, value: number): number {
  if (Number.isFinite(Math.fround(value))) return value;
  throw new MagicMaskError("not-finite", SOURCE, `${name} is ${value}: a damaged input, or too high a learning rate`);
}
