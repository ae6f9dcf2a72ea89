import { type CandidateLists, requireCandidates } from "../candidate-lists.ts";
import { MagicMaskError } from "../error.ts";
import {
  type CandidatesSpec,
  type CreateLearner,
  type LearnerState,
  type MlpSpec,
  outputWidth,
  type PpoBatch,
  parameterCount,
  towersOf,
} from "../learner.ts";
import { checkBatch, rowLoss } from "./reference-losses.ts";

/**
 * A small learner (no convolutions) without a backend, for tests of what is built on the `Learner` seam and as a yardstick for backends. Row by
 * row in float64, with parameters and moments kept in float32 as in `LearnerState`, so that a restored one continues exactly.
 * Weights start normal with deviation √(2 / inputs), a twentieth of that in output layers; biases 0.
 */
export const referenceLearner: CreateLearner = (spec, random) => {
  if (spec.kind === "cnn") throw new MagicMaskError("unsupported", SOURCE, `knows no convolutions, got a ${spec.kind}`);
  const [D, O, P] = [spec.inputs, outputWidth(spec), parameterCount(spec)];
  const [x, out, dOut] = [new Float64Array(D), new Float64Array(O), new Float64Array(O)];
  const [parameters, firstMoment, secondMoment] = [new Float32Array(P), new Float32Array(P), new Float32Array(P)];
  const layers = layersOf(spec, x, out, dOut);
  // The tower that scores a candidate goes first and is run for each.
  const own = spec.kind === "candidates" ? spec.hidden.length + 1 : 0;
  const [scoring, towers] = [layers.slice(0, own), layers.slice(own)];
  let steps = 0;
  for (const { weight, bias, input, hidden } of layers) {
    const scale = Math.sqrt(2 / input.length) * (hidden ? 1 : 0.05);
    for (let i = weight; i < bias; i++) parameters[i] = scale * random.normal();
  }

  /** Fills `out` and every layer's values from one input row. */
  function forward(inputs: Float32Array, row: number, lists?: CandidateLists) {
    for (let i = 0; i < D; i++) x[i] = finite("an input", inputs[row * D + i]);
    run(towers);
    if (!lists) return;
    out.fill(0, 0, O - 1);
    for (let k = 0; k < lists.counts[row]; k++) out[k] = score(lists, row, k);
  }

  /** The logit of candidate k of a row's list, whose state is in `x`. */
  function score({ features, starts }: CandidateLists, row: number, k: number): number {
    const { input } = scoring[0];
    const F = input.length - D;
    input.set(x);
    for (let i = 0; i < F; i++) input[D + i] = finite("a candidate", features[(starts[row] + k) * F + i]);
    run(scoring);
    return scoring[scoring.length - 1].output[0];
  }

  function run(chain: typeof layers) {
    for (const { weight, bias, input, output, hidden } of chain) {
      const n = output.length;
      for (let k = 0; k < n; k++) {
        let sum = parameters[bias + k];
        for (let i = 0; i < input.length; i++) sum += input[i] * parameters[weight + i * n + k];
        output[k] = !hidden ? finite("an output", sum) : spec.activation === "relu" ? Math.max(0, sum) : Math.tanh(sum);
      }
    }
  }

  /** Adds to `gradient` what `dOut` says about the row that went `forward` last. */
  function backward(gradient: Float64Array, row: number, lists?: CandidateLists) {
    back(towers, gradient);
    if (!lists) return;
    for (let k = 0; k < lists.counts[row]; k++) {
      score(lists, row, k);
      scoring[scoring.length - 1].dOutput[0] = dOut[k];
      back(scoring, gradient);
    }
  }

  function back(chain: typeof layers, gradient: Float64Array) {
    for (let l = chain.length - 1; l >= 0; l--) {
      const { weight, bias, input, dInput, output, dOutput, hidden } = chain[l];
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
    checkBatch(spec, objective, rows);
    const gradient = new Float64Array(P);
    const means: Record<string, number> = {};
    for (const row of rows) {
      const lists = objective.loss.kind === "ppo" ? (objective.batch as PpoBatch).candidates : undefined;
      forward(objective.batch.inputs, row, lists);
      addMeans(means, rowLoss(objective, row, out, dOut), rows.length);
      for (let k = 0; k < O; k++) dOut[k] /= rows.length;
      backward(gradient, row, lists);
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
    infer(inputs, count, to, lists) {
      if (inputs.length < count * D || to.length < count * O) {
        const wanted = `${count * D} inputs and room for ${count * O} outputs`;
        throw new MagicMaskError("shape-mismatch", SOURCE, `needs ${wanted}, got ${inputs.length} and ${to.length}`);
      }
      if (spec.kind === "candidates") requireCandidates(SOURCE, spec, lists, count);
      for (let row = 0; row < count; row++) {
        forward(inputs, row, lists);
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
function layersOf(spec: MlpSpec | CandidatesSpec, x: Float64Array, out: Float64Array, dOut: Float64Array) {
  let weight = 0;
  let at = 0;
  return towersOf(spec).flatMap(({ inputs, output: width }, tower) => {
    const own = spec.kind === "candidates" && tower === 0;
    let [input, dInput]: Float64Array[] = [own ? new Float64Array(inputs) : x, new Float64Array(inputs)];
    at = spec.kind === "candidates" ? out.length : at + width;
    return [...spec.hidden, width].map((n, l) => {
      const hidden = l < spec.hidden.length;
      const [output, dOutput] =
        hidden || own ? [new Float64Array(n), new Float64Array(n)] : [out, dOut].map((o) => o.subarray(at - n, at));
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
