import type { Distribution } from "../distribution.ts";
import { MagicMaskError } from "../error.ts";

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { exp, log } = Math;

/** ln of the probability of an illegal action: far below any legal one's, finite so that 0 · ln 0 is 0. */
export const ILLEGAL = -1e9;

/** Over the integers 0 … n − 1, given normalised log-probabilities; `ILLEGAL` marks what cannot be drawn. */
export function categorical(n: number): Distribution {
  let row: Float32Array = new Float32Array(n);
  let start = 0;
  const slot = new Float32Array(1);
  const self: Distribution = {
    width: n,
    normalise: (outputs, offset, legal, legalOffset) => maskedLogSoftmax(outputs, offset, legal, legalOffset, n),
    at(parameters, offset) {
      row = parameters;
      start = offset;
      return self;
    },
    sample(random, out, offset) {
      let left = random.uniform();
      let last = 0;
      for (let a = 0; a < n; a++) {
        const logProb = row[start + a];
        if (logProb <= ILLEGAL) continue;
        last = a;
        left -= exp(logProb);
        if (left < 0) break;
      }
      if (Number.isNaN(left)) {
        throw new MagicMaskError(
          "not-finite",
          "core/distribution",
          `a log-probability is NaN: [${row.subarray(start, start + n)}]`,
        );
      }
      out[offset] = last;
    },
    mode(out, offset) {
      let best = 0;
      for (let a = 1; a < n; a++) if (row[start + a] > row[start + best]) best = a;
      out[offset] = best;
    },
    logProb: (action, offset) => row[start + action[offset]],
    entropy() {
      let sum = 0;
      for (let a = 0; a < n; a++) {
        const logProb = row[start + a];
        if (logProb > ILLEGAL) sum -= exp(logProb) * logProb;
      }
      return sum;
    },
    expect(f) {
      let sum = 0;
      for (let a = 0; a < n; a++) {
        const logProb = row[start + a];
        if (logProb <= ILLEGAL) continue;
        slot[0] = a;
        sum += exp(logProb) * f(slot);
      }
      return sum;
    },
  };
  return self;
}

/**
 * Turns a row of logits into log-probabilities over the legal actions, in place.
 *
 * @param logits one row starts at `offset`, n entries
 * @param legal [n] from `legalOffset`, 1 = legal
 * @throws no-legal-action if the mask is all zero; not-finite if a legal logit is not
 */
export function maskedLogSoftmax(
  logits: Float32Array,
  offset: number,
  legal: Uint8Array,
  legalOffset: number,
  n: number,
) {
  let highest = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (let a = 0; a < n; a++) {
    if (!legal[legalOffset + a]) continue;
    const logit = logits[offset + a];
    // x − x is 0 for finite x only.
    if (logit - logit !== 0) {
      throw new MagicMaskError(
        "not-finite",
        "core/distribution",
        `the logit of action ${a} is ${logit}; lower the learning rate`,
      );
    }
    if (logit > highest) highest = logit;
    count++;
  }
  if (count === 0) {
    throw new MagicMaskError(
      "no-legal-action",
      "core/distribution",
      "the legal-action mask is all zero, so no action can be drawn",
    );
  }
  let sum = 0;
  for (let a = 0; a < n; a++) if (legal[legalOffset + a]) sum += exp(logits[offset + a] - highest);
  const normaliser = highest + log(sum);
  for (let a = 0; a < n; a++) logits[offset + a] = legal[legalOffset + a] ? logits[offset + a] - normaliser : ILLEGAL;
}
