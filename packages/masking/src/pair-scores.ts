import type { Decisions } from "@magic-mask/core";
import type { Ensemble } from "./ensemble.ts";
import type { PairFeatures } from "./features.ts";

/**
 * Asks an ensemble about every legal action of decisions, in forward passes of bounded size.
 *
 * @param n actions at most
 * @returns a function that tells `read` of each decision where the estimates of its legal actions are: those of the first, K
 *   numbers, from `at`
 */
export function pairScores(
  features: PairFeatures,
  n: number,
  ensemble: Ensemble,
): (decisions: Decisions, read: Read) => void {
  const X = features.width;
  const K = ensemble.width;
  let inputs = new Float32Array(0);
  let estimates = new Float32Array(0);

  /** Legal actions of decision `row`. */
  const choicesOf = ({ legal }: Decisions, row: number) => {
    let choices = 0;
    for (let a = 0; a < n; a++) choices += legal[row * n + a];
    return choices;
  };

  /** As many decisions from `from` as go into one forward pass. @returns how many */
  const chunk = (decisions: Decisions, from: number, read: Read): number => {
    let count = 0;
    let pairs = 0;
    for (; count < CHUNK && from + count < decisions.count && pairs < MOST_PAIRS; count++) {
      pairs += choicesOf(decisions, from + count);
    }
    if (inputs.length < pairs * X) inputs = new Float32Array(pairs * X);
    if (estimates.length < pairs * K) estimates = new Float32Array(pairs * K);
    pairs = 0;
    for (let row = from; row < from + count; row++) {
      for (let a = 0; a < n; a++) {
        if (!decisions.legal[row * n + a]) continue;
        features.write(decisions, row, a, inputs, pairs++ * X);
      }
    }
    ensemble.infer(inputs, pairs, estimates);
    pairs = 0;
    for (let row = from; row < from + count; row++) {
      read(row, estimates, pairs * K);
      pairs += choicesOf(decisions, row);
    }
    return count;
  };

  return (decisions, read) => {
    for (let from = 0; from < decisions.count; ) from += chunk(decisions, from, read);
  };
}

type Read = (row: number, estimates: Float32Array, at: number) => void;

/** The most decisions per forward pass, and the most of their actions but for the last one's. */
const CHUNK = 256;
const MOST_PAIRS = 8192;
