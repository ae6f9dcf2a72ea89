import type { PpoBatch } from "@magic-mask/core";
import type { Tfjs } from "@magic-mask/networks";
import { CLIP, ENTROPY_COEFFICIENT, LEARNING_RATE, MAX_NORM, type Net, VALUE_COEFFICIENT } from "./batch.ts";
import type { Stepper } from "./ours.ts";

/**
 * tfjs as its documentation would have it used: its own gradients, `tf.train.adam`.
 *
 * @param backend of `tf`, by name; others may be in use in between
 * @param parameters canonical, to start from
 */
export function plainTfjs(tf: Tfjs, backend: string, net: Net, batch: PpoBatch, parameters: Float32Array): Stepper {
  const B = batch.returns.length;
  const D = net.inputs;
  const A = net.outputs[0] - 1;
  const use = async () => {
    if (tf.getBackend() !== backend) await tf.setBackend(backend);
  };
  let layers: ReturnType<typeof variables> | undefined;
  const optimizer = tf.train.adam(LEARNING_RATE, 0.9, 0.999, 1e-5);

  function variables() {
    let [at, inputs] = [0, D];
    return [...net.hidden, A + 1].map((outputs) => {
      const bias = at + inputs * outputs;
      const layer = {
        weights: tf.variable(tf.tensor2d(parameters.slice(at, bias), [inputs, outputs])),
        biases: tf.variable(tf.tensor1d(parameters.slice(bias, bias + outputs))),
      };
      [at, inputs] = [bias + outputs, outputs];
      return layer;
    });
  }

  const forward = () => {
    layers ??= variables();
    let h: ReturnType<Tfjs["matMul"]> = tf.tensor2d(batch.inputs, [B, D]);
    layers.forEach(({ weights, biases }, l) => {
      h = tf.add(tf.matMul(h, weights), biases);
      if (l < net.hidden.length) h = tf.tanh(h);
    });
    return h;
  };

  const loss = () => {
    const y = forward();
    const legal = tf.tensor2d(Float32Array.from(batch.legal), [B, A]);
    const logits = tf.add(tf.slice(y, [0, 0], [B, A]), tf.mul(tf.sub(legal, 1), 1e9));
    const logs = tf.logSoftmax(logits);
    const taken = tf.oneHot(tf.tensor1d(Int32Array.from(batch.actions), "int32"), A);
    const ratio = tf.exp(tf.sub(tf.sum(tf.mul(taken, logs), 1), tf.tensor1d(batch.logProbs)));
    const advantages = tf.tensor1d(batch.advantages);
    const clipped = tf.mul(tf.clipByValue(ratio, 1 - CLIP, 1 + CLIP), advantages);
    const surrogate = tf.minimum(tf.mul(ratio, advantages), clipped);
    const entropy = tf.neg(tf.sum(tf.mul(tf.mul(tf.exp(logs), logs), legal), 1));
    const error = tf.sub(tf.reshape(tf.slice(y, [0, A], [B, 1]), [B]), tf.tensor1d(batch.returns));
    const value = tf.mul(tf.square(error), 0.5 * VALUE_COEFFICIENT);
    return tf.mean(tf.sub(tf.sub(value, surrogate), tf.mul(entropy, ENTROPY_COEFFICIENT))).asScalar();
  };

  return {
    async step() {
      await use();
      layers ??= variables();
      tf.tidy(() => {
        const { grads } = tf.variableGrads(loss);
        const squares = Object.values(grads).map((grad) => tf.sum(tf.square(grad)));
        const scale = tf.minimum(1, tf.div(MAX_NORM, tf.sqrt(tf.addN(squares))));
        const scaled = Object.entries(grads).map(([name, grad]) => [name, tf.mul(grad, scale)]);
        optimizer.applyGradients(Object.fromEntries(scaled));
      });
    },
    async forward() {
      await use();
      layers ??= variables();
      return tf.tidy(() => forward().dataSync() as Float32Array);
    },
  };
}
