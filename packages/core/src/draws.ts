import type { Stream } from "./random.ts";

/** Draws that sums over continuous actions are made of. */
export const DRAWS = 16;

/**
 * Standard normal draws that stand for the whole distribution: in pairs of opposite sign, and scaled to variance 1, so that means of
 * linear functions and of squares are exact. One set for all decisions and distributions: their differences share what is left to chance.
 *
 * @param k entries of an action
 * @returns [16 × k]
 */
export function standardDraws(k: number, random: Stream): Float64Array {
  const z = new Float64Array(DRAWS * k);
  for (let i = 0; i < k; i++) {
    let squares = 0;
    for (let draw = 0; draw < DRAWS; draw += 2) {
      const x = random.normal();
      z[draw * k + i] = x;
      z[(draw + 1) * k + i] = -x;
      squares += 2 * x * x;
    }
    for (let draw = 0; draw < DRAWS; draw++) z[draw * k + i] /= Math.sqrt(squares / DRAWS);
  }
  return z;
}

/** The draws of the normal distribution in row `row` of `parameters`, k means and then k ln σ, to `out[at …]`: 16 × k numbers. */
export function drawActions(
  z: Float64Array,
  parameters: Float32Array,
  row: number,
  out: Float32Array,
  at: number,
): void {
  const k = z.length / DRAWS;
  for (let i = 0; i < k; i++) {
    const mean = parameters[row * 2 * k + i];
    const deviation = Math.exp(parameters[row * 2 * k + k + i]);
    for (let draw = 0; draw < DRAWS; draw++) out[at + draw * k + i] = mean + deviation * z[draw * k + i];
  }
}
