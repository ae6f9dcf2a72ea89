import type { StateArrays } from "../state.ts";

/** A message under way. */
export interface Parcel {
  readonly from: number;
  readonly to: number;
  /** When it may go on. */
  readonly tick: number;
  readonly bytes: Uint8Array;
}

/** What one costs in memory beside its bytes, about. */
const ENVELOPE_BYTES = 64;

/** Bytes of memory that a parcel takes. */
export const sizeOf = ({ bytes }: Parcel): number => bytes.length + ENVELOPE_BYTES;

/** Parcels in their order, as arrays. */
export function packParcels(parcels: readonly Parcel[]): { envelopes: Float64Array; contents: Uint8Array } {
  const contents = new Uint8Array(parcels.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const envelopes = new Float64Array(4 * parcels.length);
  let end = 0;
  parcels.forEach(({ from, to, tick, bytes }, i) => {
    envelopes.set([from, to, tick, bytes.length], 4 * i);
    contents.set(bytes, end);
    end += bytes.length;
  });
  return { envelopes, contents };
}

/** What `packParcels` wrote; undefined if these arrays are not parcels between so many agents. */
export function unpackParcels(
  agents: number,
  envelopes: StateArrays[string] | undefined,
  contents: StateArrays[string] | undefined,
): Parcel[] | undefined {
  if (!envelopes || !contents || envelopes.length % 4 !== 0) return undefined;
  const parcels: Parcel[] = [];
  let end = 0;
  for (let i = 0; i < envelopes.length; i += 4) {
    const [from, to, tick, length] = envelopes.subarray(i, i + 4);
    if (![from, to].every((agent) => Number.isInteger(agent) && agent >= 0 && agent < agents)) return undefined;
    if (!(Number.isInteger(length) && length >= 0) || Number.isNaN(tick)) return undefined;
    parcels.push({ from, to, tick, bytes: Uint8Array.from(contents.subarray(end, end + length)) });
    end += length;
  }
  return end === contents.length ? parcels : undefined;
}
