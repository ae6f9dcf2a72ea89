import type { ActionList } from "./action-lists.ts";
import type { Ensemble } from "./ensemble.ts";
import type { FeatureSource, PairFeatures } from "./features.ts";

/**
 * Asks an ensemble about listed actions of decisions, in forward passes of bounded size.
 *
 * @returns a function that tells `read` of each decision where the estimates of its `size` actions are: those of the first, K
 *   numbers, from `at`; the list is then at that decision
 */
export function pairScores(
  features: PairFeatures,
  ensemble: Pick<Ensemble, "width" | "infer">,
): <T extends FeatureSource>(source: T, asked: ActionList<T>, read: Read) => void {
  const X = features.width;
  const K = ensemble.width;
  let inputs = new Float32Array(0);
  let estimates = new Float32Array(0);

  /** As many decisions from `from` as go into one forward pass. @returns how many */
  const chunk = <T extends FeatureSource>(source: T, from: number, asked: ActionList<T>, read: Read): number => {
    let count = 0;
    let pairs = 0;
    for (; count < CHUNK && from + count < source.count && pairs < MOST_PAIRS; count++) {
      const size = asked.list(source, from + count);
      if (inputs.length < (pairs + size) * X) inputs = longer(inputs, (pairs + size) * X);
      for (let i = 0; i < size; i++) features.write(source, from + count, asked.actions[i], inputs, pairs++ * X);
    }
    if (estimates.length < pairs * K) estimates = new Float32Array(pairs * K);
    ensemble.infer(inputs, pairs, estimates);
    pairs = 0;
    for (let row = from; row < from + count; row++) {
      const size = asked.list(source, row);
      read(row, estimates, pairs * K, size);
      pairs += size;
    }
    return count;
  };

  return (source, asked, read) => {
    for (let from = 0; from < source.count; ) from += chunk(source, from, asked, read);
  };
}

type Read = (row: number, estimates: Float32Array, at: number, size: number) => void;

/** With room to grow, so that it is not often copied. */
function longer(numbers: Float32Array, needed: number) {
  const larger = new Float32Array(2 * needed);
  larger.set(numbers);
  return larger;
}

/** The most decisions per forward pass, and the most of their actions but for the last one's. */
const CHUNK = 256;
const MOST_PAIRS = 8192;
