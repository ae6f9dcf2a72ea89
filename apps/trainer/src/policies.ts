import { type ActionSpace, ILLEGAL, type Policy, requireChoices } from "@magic-mask/core";
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

/** A policy that always takes its most probable action; of equals the lowest. */
export function greedy(policy: Policy, space: ActionSpace): Policy {
  const n = requireChoices("trainer/policies", space);
  return {
    evaluate(batch, parameters, values) {
      policy.evaluate(batch, parameters, values);
      for (let at = 0; at < batch.count * n; at += n) {
        let best = at;
        for (let a = at + 1; a < at + n; a++) if (parameters[a] > parameters[best]) best = a;
        parameters.fill(ILLEGAL, at, at + n);
        parameters[best] = 0;
      }
    },
  };
}
