import type { Distribution } from "../distribution.ts";
import { MagicMaskError } from "../error.ts";
import { categorical } from "./categorical.ts";

/** Joint actions beyond which an expectation over all of them is refused. */
const MOST = 65_536;

/** Over independent parts, part k being one of the integers 0 … nvec[k] − 1; a row is the parts' rows one after the other. */
export function multiCategorical(nvec: readonly number[]): Distribution {
  const parts = nvec.map((n) => categorical(n));
  const starts = nvec.map((_, k) => nvec.slice(0, k).reduce((sum, n) => sum + n, 0));
  const joint = nvec.reduce((product, n) => product * n, 1);
  const slot = new Float32Array(nvec.length);
  const self: Distribution = {
    width: nvec.reduce((sum, n) => sum + n, 0),
    normalise(outputs, offset, legal, legalOffset) {
      parts.forEach((part, k) => {
        part.normalise(outputs, offset + starts[k], legal, legalOffset + starts[k]);
      });
    },
    at(parameters, offset) {
      parts.forEach((part, k) => {
        part.at(parameters, offset + starts[k]);
      });
      return self;
    },
    sample(random, out, offset) {
      parts.forEach((part, k) => {
        part.sample(random, out, offset + k);
      });
    },
    mode(out, offset) {
      parts.forEach((part, k) => {
        part.mode(out, offset + k);
      });
    },
    logProb: (action, offset) => parts.reduce((sum, part, k) => sum + part.logProb(action, offset + k), 0),
    entropy: () => parts.reduce((sum, part) => sum + part.entropy(), 0),
    expect(f, random) {
      if (joint > MOST) {
        throw new MagicMaskError(
          "unsupported",
          "core/distribution",
          `an exact expectation over ${joint} joint actions takes too long; at most ${MOST} are summed`,
        );
      }
      const over = (k: number): number =>
        k === parts.length
          ? f(slot)
          : parts[k].expect((choice) => {
              slot[k] = choice[0];
              return over(k + 1);
            }, random);
      return over(0);
    },
  };
  return self;
}
