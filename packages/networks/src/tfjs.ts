import {
  type CandidateLists,
  type CreateLearner,
  MagicMaskError,
  type Objective,
  outputWidth,
  type PpoBatch,
  parameterCount,
} from "@magic-mask/core";
import type * as tfjs from "@tensorflow/tfjs";
import { adamStep, gradientNorm } from "./adam.ts";
import { checkInference, checkObjective, checkPlan, checkState, requireFinite } from "./checks.ts";
import { initialParameters } from "./init.ts";
import { isConvolution, layout } from "./layout.ts";
import { type LossStatistics, lossGradient } from "./losses.ts";
import { convolution, requireConvolutions } from "./tfjs-convolution.ts";

/** The tfjs library, its backend chosen and ready. */
export type Tfjs = typeof tfjs;

/** A batch of rows, or weights. */
export type Matrix = tfjs.Tensor2D;

/** One layer on the backend: [inputs × outputs] and [outputs]. */
interface LayerTensors {
  readonly weights: Matrix;
  readonly biases: tfjs.Tensor1D;
}

/**
 * Learners on the backend that `tf` uses now; `tf` may go on to another one afterwards.
 *
 * Products of matrices run there, forward and backward written out: tfjs's own gradient of a product passes transpose
 * flags, and its wasm kernels need several times longer for those than for a transposition and a plain product. Convolutions
 * are the one other kind of layer; a backend without their gradient refuses a net that has them (unsupported). Where
 * candidates are scored, a state is written out beside each of its candidates. Losses
 * and Adam run here on typed arrays, so the parameters' truth is here too, and the backend holds copies.
 */
export function tfjsBackend(tf: Tfjs): CreateLearner {
  const backend = tf.getBackend();

  return (spec, random) => {
    const towers = layout(spec);
    if (spec.kind === "cnn") requireConvolutions(tf);
    const convolutions = towers.map((tower) => tower.map((layer) => isConvolution(layer) && convolution(tf, layer)));
    const D = spec.inputs;
    const O = outputWidth(spec);
    const P = parameterCount(spec);
    const gradient = new Float32Array(P);
    const state = {
      parameters: initialParameters(spec, random),
      firstMoment: new Float32Array(P),
      secondMoment: new Float32Array(P),
    };
    let steps = 0;
    let inputs = new Float32Array(0);
    let dOutputs = new Float32Array(0);
    let layers: LayerTensors[][] = [];

    /** The engine is shared by all who import tfjs. Going back to a backend that is ready takes effect at once. */
    const activate = () => {
      if (tf.getBackend() !== backend) void tf.setBackend(backend);
    };

    const release = () => tf.dispose(layers.flat().flatMap(({ weights, biases }) => [weights, biases]));

    /** Copies the parameters to the backend, in new tensors: wasm keeps what it has packed of the old ones. */
    const upload = () => {
      release();
      layers = towers.map((tower) =>
        tower.map(({ inputs, outputs, weight, bias }) => ({
          weights: tf.tensor2d(state.parameters.subarray(weight, bias), [inputs, outputs]),
          biases: tf.tensor1d(state.parameters.subarray(bias, bias + outputs)),
        })),
      );
    };

    /** tanh z = 2σ(2z) − 1: the wasm backend's σ is vectorised, its tanh is not and takes ten times as long. */
    const tanh = (z: Matrix): Matrix => tf.sub(tf.mul(tf.sigmoid(tf.mul(z, 2)), 2), 1);

    /** ∂L/∂z, given `dh` = ∂L/∂h and h = activation(z). */
    const throughActivation = (dh: Matrix, h: Matrix): Matrix =>
      spec.activation === "relu" ? tf.mul(dh, tf.step(h)) : tf.sub(dh, tf.mul(dh, tf.square(h)));

    /** @returns [x, h₁, …, y]: the input and what each layer of tower `t` makes of it */
    const forward = (x: Matrix, t: number): Matrix[] => {
      const values = [x];
      layers[t].forEach(({ weights, biases }, l) => {
        const activation = l === layers[t].length - 1 ? "linear" : spec.activation;
        const fused = activation === "tanh" ? "linear" : activation;
        const convolve = convolutions[t][l];
        const z = convolve
          ? convolve.forward(values[l], weights, biases, fused)
          : (tf.fused.matMul({ a: values[l], b: weights, bias: biases, activation: fused }) as Matrix);
        values.push(activation === "tanh" ? tanh(z) : z);
      });
      return values;
    };

    /** Writes the gradient of tower `t`, given `dy` = ∂L/∂y and, where its first layer is dense, its input transposed. */
    const backward = (t: number, values: Matrix[], xT: Matrix | undefined, dy: Matrix) => {
      const ones: Matrix = tf.ones([1, dy.shape[0]]);
      for (let l = towers[t].length - 1; l >= 0; l--) {
        const { weights } = layers[t][l];
        const convolve = convolutions[t][l];
        const dWeights = convolve
          ? convolve.weightGradient(values[l], dy)
          : tf.matMul((l === 0 && xT) || tf.transpose(values[l]), dy);
        gradient.set(dWeights.dataSync(), towers[t][l].weight);
        gradient.set((convolve ? convolve.biasGradient(dy) : tf.matMul(ones, dy)).dataSync(), towers[t][l].bias);
        if (l === 0) break;
        const dh: Matrix = convolve ? convolve.inputGradient(dy, weights) : tf.matMul(dy, tf.transpose(weights));
        dy = throughActivation(dh, values[l]);
      }
    };

    /** What each tower reads: [B × D] inputs, or beside it [K × (D + F)], each state with each of its candidates. @param rows whose lists they are */
    const inputsOf = (from: Float32Array, B: number, lists?: CandidateLists, rows?: Int32Array): Matrix[] => {
      const x = tf.tensor2d(from.subarray(0, B * D), [B, D]);
      if (spec.kind !== "candidates" || !lists) return towers.map(() => x);
      const F = spec.features;
      const pairs: number[] = [];
      for (let b = 0; b < B; b++) {
        const row = rows ? rows[b] : b;
        for (let k = 0; k < lists.counts[row]; k++) {
          for (let i = 0; i < D; i++) pairs.push(from[b * D + i]);
          for (let i = 0; i < F; i++) pairs.push(lists.features[(lists.starts[row] + k) * F + i]);
        }
      }
      requireFinite("candidates", pairs, pairs.length);
      return [tf.tensor2d(pairs, [pairs.length / (D + F), D + F]), x];
    };

    /** The output rows [B × O]. */
    const read = (outputs: Matrix[], B: number, lists?: CandidateLists, rows?: Int32Array): Float32Array => {
      if (spec.kind !== "candidates" || !lists) {
        const all = tf.concat(outputs, 1).dataSync() as Float32Array;
        requireFinite("outputs", all, all.length);
        return all;
      }
      const [logits, values] = outputs.map((output) => output.dataSync() as Float32Array);
      const all = new Float32Array(B * O);
      for (let b = 0, at = 0; b < B; b++) {
        const n = lists.counts[rows ? rows[b] : b];
        all.set(logits.subarray(at, at + n), b * O);
        all[b * O + O - 1] = values[b];
        at += n;
      }
      requireFinite("outputs", all, all.length);
      return all;
    };

    /** ∂L/∂y of each tower, from ∂L by the output rows. */
    const splitGradient = (B: number, lists?: CandidateLists, rows?: Int32Array): Matrix[] => {
      const all = dOutputs.subarray(0, B * O);
      if (spec.kind === "candidates" && lists && rows) {
        const logits = Array.from(rows, (row, b) => Array.from(all.subarray(b * O, b * O + lists.counts[row]))).flat();
        const values = Array.from(rows, (_, b) => all[b * O + O - 1]);
        return [logits, values].map((column) => tf.tensor2d(column, [column.length, 1]));
      }
      const widths = towers.map((tower) => tower[tower.length - 1].outputs);
      return tf.split<Matrix>(tf.tensor2d(all, [B, O]), widths, 1);
    };

    /** Writes the gradient of the mean loss over `rows`. @returns the loss's statistics */
    const differentiate = (objective: Objective, rows: Int32Array): LossStatistics => {
      const B = rows.length;
      if (inputs.length < B * D) {
        inputs = new Float32Array(B * D);
        dOutputs = new Float32Array(B * O);
      }
      for (let b = 0, to = 0; b < B; b++) {
        for (let i = 0, from = rows[b] * D; i < D; i++) {
          const x = objective.batch.inputs[from++];
          // NaN must not get far: a rectifier may make 0 of it. x − x is 0 for finite x only.
          if (x - x !== 0) fail(`input ${i} of row ${rows[b]} is ${x}`);
          inputs[to++] = x;
        }
      }
      const lists = objective.loss.kind === "ppo" ? (objective.batch as PpoBatch).candidates : undefined;
      let statistics: LossStatistics = {};
      tf.tidy(() => {
        const xs = inputsOf(inputs, B, lists, rows);
        const values = layers.map((_, t) => forward(xs[t], t));
        const outputs = read(
          values.map((tower) => tower[tower.length - 1]),
          B,
          lists,
          rows,
        );
        statistics = lossGradient(objective, rows, outputs, dOutputs);
        const dY = splitGradient(B, lists, rows);
        const xT = spec.kind === "mlp" ? tf.transpose(xs[0]) : undefined;
        for (let t = 0; t < dY.length; t++) backward(t, values[t], xT, dY[t]);
      });
      return statistics;
    };

    activate();
    upload();

    return {
      spec,

      infer(from, count, out, candidates) {
        checkInference(spec, from, count, out, candidates);
        requireFinite("inputs", from, count * D);
        activate();
        tf.tidy(() => {
          const xs = inputsOf(from, count, candidates);
          const outputs = layers.map((tower, t) => forward(xs[t], t)[tower.length]);
          out.set(read(outputs, count, candidates));
        });
      },

      async update(objective, plan) {
        checkObjective(spec, objective, plan.rows);
        checkPlan(plan);
        activate();
        const totals: Record<string, number> = {};
        const count = Math.ceil(plan.rows.length / plan.minibatch);
        for (let k = 0; k < count; k++) {
          const rows = plan.rows.subarray(k * plan.minibatch, (k + 1) * plan.minibatch);
          const statistics = differentiate(objective, rows);
          const norm = gradientNorm(gradient);
          if (!Number.isFinite(norm)) fail(`the gradient's norm is ${norm}; lower the learning rate`);
          adamStep(state, gradient, Math.min(1, plan.maxGradNorm / norm), plan.learningRate, ++steps);
          upload();
          statistics.grad_norm = norm;
          for (const [name, value] of Object.entries(statistics)) totals[name] = (totals[name] ?? 0) + value / count;
        }
        return totals;
      },

      async gradient(objective, rows) {
        checkObjective(spec, objective, rows);
        activate();
        differentiate(objective, rows);
        requireFinite("gradient", gradient, P);
        return gradient.slice();
      },

      exportState: () => ({
        parameters: state.parameters.slice(),
        firstMoment: state.firstMoment.slice(),
        secondMoment: state.secondMoment.slice(),
        steps,
      }),

      restoreState(from) {
        checkState(spec, from);
        state.parameters.set(from.parameters);
        state.firstMoment.set(from.firstMoment);
        state.secondMoment.set(from.secondMoment);
        steps = from.steps;
        activate();
        upload();
      },

      dispose: release,
    };
  };
}

function fail(message: string): never {
  throw new MagicMaskError("not-finite", "networks/tfjs", message);
}
