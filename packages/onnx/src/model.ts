/** What a model takes or gives, a row per decision. */
export interface OnnxPort {
  readonly name: string;
  /** Numbers in one row: the product of all dimensions but the batch. */
  readonly width: number;
  /** Whether they are integers. */
  readonly integer: boolean;
}

/** A loaded ONNX model that answers at once: the seam between what runs a model and what reads a policy from it. */
export interface OnnxModel {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /**
   * One forward pass of all rows together.
   *
   * @param inputs one array [B × width] per input, in their order; they may be longer
   * @param rows B ≥ 1
   * @returns one array [B × width] per output, in their order; the caller's to keep
   */
  run(inputs: readonly Float32Array[], rows: number): readonly Float32Array[];
  /** Frees what it holds; it must not be run afterwards. */
  close(): void;
}
