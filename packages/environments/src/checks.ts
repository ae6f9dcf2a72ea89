import { MagicMaskError } from "@magic-mask/core";

/** Lets a step pass where an episode runs. @throws out-of-order */
export function requireEpisode(source: string, runs: boolean): void {
  if (runs) return;
  const message = "there is no episode to go on with: call reset() before step()";
  throw new MagicMaskError("out-of-order", source, message);
}

/**
 * Copies a snapshot, from `from[offset]` on, into the bytes of a world's state, part after part.
 *
 * @throws shape-mismatch if it is too short; nothing is copied then
 */
export function readSnapshot(source: string, from: Uint8Array, offset: number, ...parts: readonly Uint8Array[]): void {
  let size = 0;
  for (const part of parts) size += part.length;
  if (from.length < offset + size) {
    const got = from.length - offset;
    throw new MagicMaskError("shape-mismatch", source, `a snapshot has ${size} bytes, got ${got}`);
  }
  let at = offset;
  for (const part of parts) for (let i = 0; i < part.length; i++) part[i] = from[at++];
}
