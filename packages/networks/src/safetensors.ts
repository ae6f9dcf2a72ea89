import { MagicMaskError } from "@magic-mask/core";

/** The data types known here, by safetensors' names for them. */
const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
} as const;

type Dtype = keyof typeof ARRAYS;

export type TensorData = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** An n-dimensional array in C order. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface SafetensorsFile {
  readonly tensors: Readonly<Record<string, NamedTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const METADATA = "__metadata__";

/**
 * A file in the safetensors format (github.com/huggingface/safetensors): the header's length as u64, a JSON header, then
 * the tensors' bytes one behind the other, all little-endian. Nothing in it is ever evaluated.
 *
 * Equal tensors and metadata give equal bytes, whatever their order.
 *
 * @throws shape-mismatch if a tensor's data does not fill its shape; invalid-option for a tensor called `__metadata__`
 */
export function encodeSafetensors({ tensors, metadata }: SafetensorsFile): Uint8Array {
  const order = <T>(record: Readonly<Record<string, T>>) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  // Widest type first, as the reference implementation does, so that every tensor starts at a multiple of its width.
  const entries = order(tensors).sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  let end = 0;
  const described = entries.map(([name, { shape, data }]) => {
    if (name === METADATA) fail("invalid-option", `a tensor must not be called ${METADATA}`);
    if (data.length !== size(shape))
      fail("shape-mismatch", `${name} of shape [${shape}] cannot hold ${data.length} numbers`);
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: dtypeOf(data), shape, data_offsets: [begin, end] }];
  });
  const header = Object.fromEntries([[METADATA, Object.fromEntries(order(metadata))], ...described]);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(bytes.buffer).setUint32(0, start - 8, true);
  bytes.set(text, 8);
  let at = start;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Reads a safetensors file into arrays of its own. @throws corrupt-file, unless the file is valid to the last byte */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const corrupt = (message: string) => fail("corrupt-file", message);
  if (bytes.length < 8) corrupt(`${bytes.length} bytes are too few for a safetensors file`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getUint32(0, true) + view.getUint32(4, true) * 4294967296;
  const start = 8 + headerLength;
  if (start > bytes.length) {
    corrupt(`a header of ${headerLength} bytes does not fit into a file of ${bytes.length}`);
  }
  const header = parseHeader(bytes.subarray(8, start));
  const { [METADATA]: metadata = {}, ...described } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    corrupt(`${METADATA} must map names to strings`);
  }

  const tensors = Object.entries(described).map(([name, entry]) => ({ name, ...checkEntry(name, entry) }));
  let claimed = 0;
  for (const { name, begin, end } of [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== claimed) corrupt(`${name} starts at byte ${begin}, but the tensor before it ends at ${claimed}`);
    claimed = end;
  }
  if (start + claimed !== bytes.length) {
    corrupt(`the tensors end at byte ${start + claimed} of a file of ${bytes.length}`);
  }
  return {
    metadata: metadata as Record<string, string>,
    tensors: Object.fromEntries(
      tensors.map(({ name, dtype, shape, begin, end }) => {
        const own = new Uint8Array(end - begin);
        own.set(bytes.subarray(start + begin, start + end));
        return [name, { shape, data: new ARRAYS[dtype](own.buffer) }];
      }),
    ),
  };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = text.startsWith("{") ? JSON.parse(text) : undefined;
  } catch {
    header = undefined;
  }
  return isRecord(header) ? header : fail("corrupt-file", "the header is not a JSON object in UTF-8");
}

function checkEntry(name: string, entry: unknown) {
  const { dtype, shape, data_offsets, ...rest } = isRecord(entry) ? entry : {};
  const whole = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((x) => Number.isSafeInteger(x) && x >= 0);
  if (
    typeof dtype !== "string" ||
    !whole(shape) ||
    !whole(data_offsets) ||
    data_offsets.length !== 2 ||
    Object.keys(rest).length > 0
  ) {
    return fail(
      "corrupt-file",
      `${name} must have a dtype, a shape and two data_offsets, got ${JSON.stringify(entry)}`,
    );
  }
  if (!Object.hasOwn(ARRAYS, dtype)) {
    return fail("corrupt-file", `${name} has the type ${dtype}; known here: ${Object.keys(ARRAYS).join(", ")}`);
  }
  const [begin, end] = data_offsets;
  const wanted = size(shape) * ARRAYS[dtype as Dtype].BYTES_PER_ELEMENT;
  if (end - begin !== wanted) {
    return fail("corrupt-file", `${name}, ${dtype} of shape [${shape}], needs ${wanted} bytes, got ${begin} to ${end}`);
  }
  return { dtype: dtype as Dtype, shape, begin, end };
}

const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

const dtypeOf = (data: TensorData): Dtype =>
  (Object.keys(ARRAYS) as Dtype[]).find((dtype) => ARRAYS[dtype].name === data[Symbol.toStringTag]) as Dtype;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function fail(code: "corrupt-file" | "invalid-option" | "shape-mismatch", message: string): never {
  throw new MagicMaskError(code, "networks/safetensors", message);
}
