export { type AdamArrays, adamStep, gradientNorm } from "./adam.ts";
export {
  type Backend,
  backends,
  type SelectBackendOptions,
  type SelectedBackend,
  selectBackend,
  type Work,
} from "./backends.ts";
export { initialParameters } from "./init.ts";
export { type ConvolutionLayer, type DenseLayer, describeSpec, isConvolution, layout } from "./layout.ts";
export { loadTfjsCpu, loadTfjsWasm } from "./load-tfjs.ts";
export { type LossStatistics, lossGradient, ppoLossGradient, regressionLossGradient } from "./losses.ts";
export { natureCnn } from "./nature-cnn.ts";
export { learnerPolicy } from "./policy.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
  type SafetensorsFile,
  type TensorData,
} from "./safetensors.ts";
export { type Tfjs, tfjsBackend } from "./tfjs.ts";
export { decodeWeights, encodeWeights } from "./weights.ts";
