import { categorical, ILLEGAL, maskedLogSoftmax } from "./distributions/categorical.ts";
import { gaussian } from "./distributions/gaussian.ts";
import { multiCategorical } from "./distributions/multi-categorical.ts";
import type { Stream } from "./random.ts";
import { type ActionSpace, boxSize } from "./space.ts";

/**
 * A distribution over one agent's actions, read from one row of distribution parameters. Learners and objectives see
 * actions only through this, so that discrete, candidate and continuous spaces are one case.
 *
 * A row is [P] numbers as a `Policy` writes them:
 *
 * | space | row | P |
 * | --- | --- | --- |
 * | `Discrete` | ln π of each choice | n |
 * | `Candidates` | ln π of each candidate, then `ILLEGAL` for each that the list could be longer | max |
 * | `MultiDiscrete` | ln π of each part's choices, part by part; parts are independent | Σ nvec |
 * | `Box` | the means of k independent normal entries, then their ln σ | 2k |
 */
export interface Distribution {
  /** P, the numbers in a row. */
  readonly width: number;
  /**
   * Turns the outputs of a network, a row of P numbers from `outputs[offset]`, into a row of parameters, in place: logits into
   * log-probabilities of what is legal, ln σ into its bounds.
   *
   * @param legal the action mask from `legal[legalOffset]`; not read where the space has none
   * @throws no-legal-action; not-finite
   */
  normalise(outputs: Float32Array, offset: number, legal: Uint8Array, legalOffset: number): void;
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

/** The distribution of a space's actions. */
export function distributionOf(space: ActionSpace): Distribution {
  if (space.kind === "discrete") return categorical(space.n);
  if (space.kind === "multi-discrete") return multiCategorical(space.nvec);
  if (space.kind === "candidates") return listed(space.max);
  return gaussian(boxSize(space));
}

/** Over a list of up to `max` candidates: what is legal comes first, so that nothing behind it need be looked at. */
function listed(max: number): Distribution {
  return {
    ...categorical(max),
    normalise(outputs, offset, legal, legalOffset) {
      let n = 0;
      while (n < max && legal[legalOffset + n]) n++;
      maskedLogSoftmax(outputs, offset, legal, legalOffset, n);
      outputs.fill(ILLEGAL, offset + n, offset + max);
    },
  };
}
