/** What a piece remembers, for checkpoints: typed arrays by name, each a copy of the caller's own. */
export type StateArrays = Readonly<
  Record<string, Int8Array | Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array>
>;
