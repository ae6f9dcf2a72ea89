import { MagicMaskError } from "@magic-mask/core";

/**
 * Refuses arrays that are empty, of unlike lengths, or hold a NaN or an infinity.
 *
 * @throws shape-mismatch, not-finite
 */
export function checkPaired(source: string, a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length === 0 || a.length !== b.length) {
    throw new MagicMaskError(
      "shape-mismatch",
      source,
      `needs two arrays of one length ≥ 1, got ${a.length} and ${b.length}`,
    );
  }
  checkFinite(source, a);
  checkFinite(source, b);
}

/** @throws not-finite, naming the entry */
export function checkFinite(source: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new MagicMaskError("not-finite", source, `entry ${i} is ${values[i]}; leave out what has no value`);
    }
  }
}

/** @throws invalid-option unless `value` lies in (0, 1) */
export function checkShare(source: string, option: string, value: number): void {
  if (value > 0 && value < 1) return;
  throw new MagicMaskError("invalid-option", source, `${option} must be in (0, 1), got ${value}`);
}
