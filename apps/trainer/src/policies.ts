import { type ActionSpace, distributionOf, ILLEGAL, type Policy } from "@magic-mask/core";
import { uniform } from "@magic-mask/masking";

/** Plays uniformly at random over the legal actions. */
export function randomPlayer(space: ActionSpace): Policy {
  const even = uniform(space);
  return {
    evaluate(batch, parameters, values) {
      even.evaluate(batch, parameters, parameters);
      values.fill(0, 0, batch.count);
    },
  };
}

/** A policy that always takes its most probable action, of equals the lowest; over a box, the means. */
export function greedy(policy: Policy, space: ActionSpace): Policy {
  const { width } = distributionOf(space);
  const parts = space.kind === "multi-discrete" ? space.nvec : [width];
  return {
    evaluate(batch, parameters, values) {
      policy.evaluate(batch, parameters, values);
      for (let row = 0; row < batch.count; row++) {
        let at = row * width;
        if (space.kind === "box") {
          // No deviation from the means, which are the row's first half.
          parameters.fill(Number.NEGATIVE_INFINITY, at + width / 2, at + width);
          continue;
        }
        for (const n of parts) {
          let best = at;
          for (let a = at + 1; a < at + n; a++) if (parameters[a] > parameters[best]) best = a;
          parameters.fill(ILLEGAL, at, at + n);
          parameters[best] = 0;
          at += n;
        }
      }
    },
  };
}
