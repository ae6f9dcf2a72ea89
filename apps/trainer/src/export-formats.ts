/** What a network can be written as. */
export const FORMATS = ["onnx", "safetensors"] as const;

export type Format = (typeof FORMATS)[number];
