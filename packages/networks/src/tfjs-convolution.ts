import { MagicMaskError } from "@magic-mask/core";
import type * as tfjs from "@tensorflow/tfjs";
import type { ConvolutionLayer } from "./layout.ts";
import type { Matrix, Tfjs } from "./tfjs.ts";

/**
 * A convolution as a layer from rows to rows, like a dense one: [B × H·W·C] to [B × h·w·c]. Its weights are those of the
 * layout, [size·size·C × c]; reshaping copies nothing.
 */
export function convolution(tf: Tfjs, { size, stride, from, to }: ConvolutionLayer) {
  const [H, W, C] = from;
  const [h, w, c] = to;
  const pad = "valid";
  const filterShape: [number, number, number, number] = [size, size, C, c];
  const images = (rows: Matrix) => tf.reshape<tfjs.Rank.R4>(rows, [rows.shape[0], H, W, C]);
  const results = (rows: Matrix) => tf.reshape<tfjs.Rank.R4>(rows, [rows.shape[0], h, w, c]);
  const kernels = (weights: Matrix) => tf.reshape<tfjs.Rank.R4>(weights, filterShape);

  return {
    /** activation(x ⋆ weights + biases) */
    forward(x: Matrix, weights: Matrix, biases: tfjs.Tensor1D, activation: "linear" | "relu"): Matrix {
      const filter = kernels(weights);
      const z = tf.fused.conv2d({ x: images(x), filter, strides: stride, pad, bias: biases, activation });
      return tf.reshape(z, [x.shape[0], h * w * c]);
    },

    /** ∂L/∂weights, given `dz` = ∂L/∂z. */
    weightGradient(x: Matrix, dz: Matrix): tfjs.Tensor {
      // tfjs offers this one by its kernel's name only.
      const attributes = { strides: stride, pad, dataFormat: "NHWC", filterShape };
      return tf
        .engine()
        .runKernel(tf.Conv2DBackpropFilter, { x: images(x), dy: results(dz) }, attributes) as tfjs.Tensor;
    },

    /** ∂L/∂biases [1 × c]: the sum over all pixels. */
    biasGradient(dz: Matrix): Matrix {
      const pixels = dz.shape[0] * h * w;
      return tf.matMul(tf.ones<tfjs.Rank.R2>([1, pixels]), tf.reshape<tfjs.Rank.R2>(dz, [pixels, c]));
    },

    /** ∂L/∂x; 0 at pixels that the stride does not reach. */
    inputGradient(dz: Matrix, weights: Matrix): Matrix {
      const B = dz.shape[0];
      const dx = tf.conv2dTranspose(results(dz), kernels(weights), [B, H, W, C], stride, pad);
      return tf.reshape(dx, [B, H * W * C]);
    },
  };
}

/** @throws unsupported if the backend that `tf` uses now has no gradient of a convolution: tfjs's wasm has none */
export function requireConvolutions(tf: Tfjs): void {
  const backend = tf.getBackend();
  if (tf.getKernel(tf.Conv2DBackpropFilter, backend)) return;
  const advice = "run npm run setup:native for the backend tfjs-node, or take the slow --backend tfjs-cpu";
  const message = `tfjs's backend "${backend}" cannot train a convolutional net, for it lacks Conv2DBackpropFilter: ${advice}`;
  throw new MagicMaskError("unsupported", "networks/tfjs", message);
}
