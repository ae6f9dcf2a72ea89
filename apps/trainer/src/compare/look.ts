import { stream } from "@magic-mask/core";
import type { Critic } from "@magic-mask/masking";
import { type Lookahead, lookahead, type States } from "@magic-mask/metrics";
import { type Told, toldBy } from "../figures/scores.ts";
import { postHocSeed } from "../posthoc.ts";
import { teamValuedBy } from "../valued-by.ts";
import type { FrozenTeam } from "./policies.ts";

/** What looking ahead says of all agents' decisions, and what that took. */
export interface Looked {
  /** [N] of each agent's states; `spread` is NaN where an agent had one continuation alone. */
  readonly told: readonly Told[];
  /** [N] how far and how often each agent was followed. */
  readonly depths: readonly Pick<Lookahead, "rollouts" | "horizon">[];
  /** Environment steps that were simulated. */
  readonly steps: number;
  readonly wallSeconds: number;
}

/**
 * Looks ahead from decisions, by chance of its own.
 *
 * @param states [N] each agent's
 * @param budget environment steps, of which each agent has its part
 * @param critics [N] whose V counts, where the policies give none
 */
export function look(
  { config, world, policies }: FrozenTeam,
  states: readonly States[],
  budget: number,
  critics?: readonly Pick<Critic, "values">[],
): Looked {
  const begun = performance.now();
  const { discount } = config.training;
  const looked = states.map((own, agent) =>
    lookahead({
      make: world.make,
      policies: teamValuedBy(policies, agent, critics?.[agent]),
      states: own,
      seed: stream(postHocSeed(config), "lookahead", agent).bits(),
      discount,
      budget: Math.max(1, Math.floor(budget / states.length)),
    }),
  );
  return {
    told: looked.map(toldBy),
    depths: looked.map(({ rollouts, horizon }) => ({ rollouts, horizon })),
    steps: looked.reduce((sum, { ticks }) => sum + ticks, 0),
    wallSeconds: (performance.now() - begun) / 1000,
  };
}
