import { type KeyObject, sign, verify } from "node:crypto";

/** A message with the names of those it is for. */
export interface Letter {
  readonly to: readonly number[];
  readonly bytes: Uint8Array;
}

/** Where a letter stands: its sender's k-th in a run. */
export interface Place {
  readonly run: string;
  readonly from: number;
  /** k ≥ 1 */
  readonly sequence: number;
}

/**
 * The fields of a stream's entry: `to`, numbers with commas between; `bytes`; and with a key `signature`, Ed25519 (RFC 8032) over all of
 * it and over the place. A copy of it anywhere else therefore does not fit.
 *
 * @param key the sender's private one
 */
export function sealLetter({ to, bytes }: Letter, place: Place, key: KeyObject | undefined): (string | Buffer)[] {
  const names = to.join(",");
  const fields = ["to", names, "bytes", Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)];
  return key === undefined ? fields : [...fields, "signature", sign(null, signedBytes(names, bytes, place), key)];
}

/**
 * What `sealLetter` sealed; undefined for anything else, and with a key for what its owner has not sealed at this place.
 *
 * @param key the sender's public one
 */
export function openLetter(fields: readonly Buffer[], place: Place, key: KeyObject | undefined): Letter | undefined {
  const field = (name: string) => {
    for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i].toString("latin1") === name) return fields[i + 1];
    return undefined;
  };
  const [names, bytes, signature] = [field("to")?.toString("latin1"), field("bytes"), field("signature")];
  if (names === undefined || bytes === undefined || !/^\d{1,3}(,\d{1,3})*$/.test(names)) return undefined;
  if (key !== undefined && !(signature && verify(null, signedBytes(names, bytes, place), key, signature)))
    return undefined;
  return { to: names.split(",").map(Number), bytes: new Uint8Array(bytes) };
}

/** No part but the last can hold a line's end. */
const signedBytes = (names: string, bytes: Uint8Array, { run, from, sequence }: Place): Buffer =>
  Buffer.concat([Buffer.from(`magic-mask\n${run}\n${from}\n${sequence}\n${names}\n`), bytes]);
