import type { Policy } from "@magic-mask/core";
import type { Critic } from "@magic-mask/masking";

/** A policy with a critic's V in place of its own. */
export const valuedBy = (policy: Policy, critic: Pick<Critic, "values">): Policy => ({
  evaluate(batch, parameters, values) {
    policy.evaluate(batch, parameters, values);
    critic.values(batch.observations, batch.count, values);
  },
});
