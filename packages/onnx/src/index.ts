export { type ExportOptions, exportOnnx, type OnnxOutput } from "./export.ts";
export type { OnnxModel, OnnxPort } from "./model.ts";
export { type OnnxKind, type OnnxPolicy, type OnnxPolicyOptions, onnxPolicy } from "./policy.ts";
