import type { Distribution } from "../distribution.ts";
import { MagicMaskError } from "../error.ts";

const { exp, log, PI } = Math;

/** Bounds of ln σ (as in Haarnoja et al. 2018's code, the lower one narrower): σ from 0.0067 to 7.4. */
export const LOG_STD_BOUNDS = [-5, 2] as const;

/** Draws that an expectation is the mean of. */
const DRAWS = 16;

/**
 * Over k independent real entries, each normal; a row is k means, then k ln σ. Draws are not cut to a space's bounds: whoever
 * acts does that, so that densities stay those of what was drawn.
 */
export function gaussian(k: number): Distribution {
  let row: Float32Array = new Float32Array(2 * k);
  let start = 0;
  const slot = new Float32Array(k);
  const self: Distribution = {
    width: 2 * k,
    normalise(outputs, offset) {
      for (let i = 0; i < 2 * k; i++) {
        const x = outputs[offset + i];
        // x − x is 0 for finite x only.
        if (x - x !== 0) {
          const what = i < k ? `the mean of entry ${i}` : `ln σ of entry ${i - k}`;
          throw new MagicMaskError("not-finite", "core/distribution", `${what} is ${x}; lower the learning rate`);
        }
        if (i >= k) outputs[offset + i] = Math.min(Math.max(x, LOG_STD_BOUNDS[0]), LOG_STD_BOUNDS[1]);
      }
    },
    at(parameters, offset) {
      row = parameters;
      start = offset;
      return self;
    },
    sample(random, out, offset) {
      for (let i = 0; i < k; i++) {
        out[offset + i] = row[start + i] + exp(row[start + k + i]) * random.normal();
        if (Number.isNaN(out[offset + i])) {
          const parameters = row.subarray(start, start + 2 * k);
          throw new MagicMaskError("not-finite", "core/distribution", `a parameter is NaN: [${parameters}]`);
        }
      }
    },
    mode(out, offset) {
      for (let i = 0; i < k; i++) out[offset + i] = row[start + i];
    },
    logProb(action, offset) {
      let sum = 0;
      for (let i = 0; i < k; i++) {
        const z = (action[offset + i] - row[start + i]) / exp(row[start + k + i]);
        sum -= 0.5 * z * z + row[start + k + i] + 0.5 * log(2 * PI);
      }
      return sum;
    },
    entropy() {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += row[start + k + i] + 0.5 * (1 + log(2 * PI));
      return sum;
    },
    expect(f, random) {
      let sum = 0;
      for (let draw = 0; draw < DRAWS; draw++) {
        self.sample(random, slot, 0);
        sum += f(slot);
      }
      return sum / DRAWS;
    },
  };
  return self;
}
