import { decodeSafetensors, encodeSafetensors, type NamedTensor, type TensorData } from "@magic-mask/networks";
import type { TypedArray } from "./state-tree.ts";

/** Types that our safetensors files do not know: their bytes go as U8, and the file's metadata names the type. */
const NARROW = { Int8Array, Int16Array, Uint16Array } as const;

/** Typed arrays by name, as a safetensors file of one-dimensional tensors. */
export function encodeTensors(arrays: ReadonlyMap<string, TypedArray>): Uint8Array {
  const tensors: Record<string, NamedTensor> = {};
  const metadata: Record<string, string> = {};
  for (const [name, array] of arrays) {
    const type = array.constructor.name;
    const narrow = Object.hasOwn(NARROW, type);
    if (narrow) metadata[name] = type;
    const data = narrow ? new Uint8Array(array.buffer, array.byteOffset, array.byteLength) : (array as TensorData);
    tensors[name] = { shape: [data.length], data };
  }
  return encodeSafetensors({ tensors, metadata });
}

/** The arrays that `encodeTensors` wrote. @throws corrupt-file */
export function decodeTensors(bytes: Uint8Array): Map<string, TypedArray> {
  const { tensors, metadata } = decodeSafetensors(bytes);
  return new Map(
    Object.entries(tensors).map(([name, { data }]): [string, TypedArray] => {
      if (!Object.hasOwn(metadata, name)) return [name, data];
      const Narrow: new (buffer: ArrayBufferLike) => TypedArray = NARROW[metadata[name] as keyof typeof NARROW];
      return [name, new Narrow(data.buffer)];
    }),
  );
}
