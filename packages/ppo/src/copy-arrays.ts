/**
 * A deep copy of a plain value whose typed arrays get memory of their own.
 *
 * @param allocate gives memory for so many bytes; shared memory, say
 */
export function copyArrays<T>(
  value: T,
  allocate: (bytes: number) => ArrayBufferLike = (bytes) => new ArrayBuffer(bytes),
): T {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(allocate(value.byteLength));
    bytes.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    const View = value.constructor as new (buffer: ArrayBufferLike) => typeof value;
    return new View(bytes.buffer);
  }
  if (Array.isArray(value)) return value.map((entry) => copyArrays(entry, allocate)) as T;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copyArrays(entry, allocate)])) as T;
}
