import { createHmac, timingSafeEqual } from "node:crypto";

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
 * The fields of a stream's entry: `to`, numbers with commas between; `bytes`; and with a secret `mac`, an HMAC-SHA256 (RFC 2104)
 * of all of it and of the place. A copy of it anywhere else therefore does not fit.
 */
export function sealLetter({ to, bytes }: Letter, place: Place, secret: string | undefined): (string | Buffer)[] {
  const names = to.join(",");
  const fields = ["to", names, "bytes", Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)];
  return secret === undefined ? fields : [...fields, "mac", macOf(names, bytes, place, secret)];
}

/** What `sealLetter` sealed; undefined for anything else, and with a secret for what was not sealed with it at this place. */
export function openLetter(fields: readonly Buffer[], place: Place, secret: string | undefined): Letter | undefined {
  const field = (name: string) => {
    for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i].toString("latin1") === name) return fields[i + 1];
    return undefined;
  };
  const [names, bytes, mac] = [field("to")?.toString("latin1"), field("bytes"), field("mac")];
  if (names === undefined || bytes === undefined || !/^\d{1,3}(,\d{1,3})*$/.test(names)) return undefined;
  if (secret !== undefined) {
    const wanted = macOf(names, bytes, place, secret);
    if (mac?.length !== wanted.length || !timingSafeEqual(mac, wanted)) return undefined;
  }
  return { to: names.split(",").map(Number), bytes: new Uint8Array(bytes) };
}

function macOf(names: string, bytes: Uint8Array, { run, from, sequence }: Place, secret: string): Buffer {
  // No part but the last can hold a line's end.
  return createHmac("sha256", secret).update(`${run}\n${from}\n${sequence}\n${names}\n`).update(bytes).digest();
}
