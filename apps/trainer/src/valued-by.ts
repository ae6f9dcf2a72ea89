import type { Policy } from "@magic-mask/core";
import type { Critic } from "@magic-mask/masking";

/** [N] a team, with a critic's V in place of one agent's own, where there is a critic. */
export const teamValuedBy = (
  policies: readonly Policy[],
  agent: number,
  critic: Pick<Critic, "values"> | undefined,
): readonly Policy[] => (critic ? policies.with(agent, valuedBy(policies[agent], critic)) : policies);

/** A policy with a critic's V in place of its own. */
export const valuedBy = (policy: Policy, critic: Pick<Critic, "values">): Policy => ({
  evaluate(batch, parameters, values) {
    policy.evaluate(batch, parameters, values);
    critic.values(batch.observations, batch.count, values);
  },
});
