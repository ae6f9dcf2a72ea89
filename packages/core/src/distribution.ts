import { MagicMaskError } from "./error.ts";
import type { Stream } from "./random.ts";
import type { ActionSpace } from "./space.ts";

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { exp, log } = Math;

/**
 * A distribution over one agent's actions, read from one row of distribution parameters. Learners and objectives see
 * actions only through this, so that discrete, candidate and continuous spaces are one case.
 *
 * A row is [P] numbers as a `Policy` writes them; for `Discrete` spaces log-probabilities, P = n.
 */
export interface Distribution {
  /** P, the numbers in a row. */
  readonly width: number;
  /** Reads the row that starts at `parameters[offset]` from now on. @returns itself */
  at(parameters: Float32Array, offset: number): Distribution;
  /** Draws an action into the slot at `out[offset]`. @throws not-finite if the row holds NaN */
  sample(random: Stream, out: Float32Array, offset: number): void;
  /** Writes the most probable action to the slot at `out[offset]`; the lowest such where several are. */
  mode(out: Float32Array, offset: number): void;
  /** ln of the probability (or density) of the action in the slot at `action[offset]`. */
  logProb(action: Float32Array, offset: number): number;
  /** Entropy in nats. */
  entropy(): number;
  /** E[f(a)]: the exact sum where actions are finitely many, otherwise the mean over draws from `random`. `f` is given a slot. */
  expect(f: (action: Float32Array) => number, random: Stream): number;
}

/** ln of the probability of an illegal action: far below any legal one's, finite so that 0 · ln 0 is 0. */
export const ILLEGAL = -1e9;

/**
 * The distribution of a space's actions.
 *
 * @throws unsupported for a space that has none yet
 */
export function distributionOf(space: ActionSpace): Distribution {
  if (space.kind === "discrete") return categorical(space.n);
  throw new MagicMaskError("unsupported", "core/distribution", `no distribution over ${space.kind} actions`);
}

/** Over the integers 0 … n − 1, given normalised log-probabilities; `ILLEGAL` marks what cannot be drawn. */
export function categorical(n: number): Distribution {
  let row: Float32Array = new Float32Array(n);
  let start = 0;
  const slot = new Float32Array(1);
  const self: Distribution = {
    width: n,
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
