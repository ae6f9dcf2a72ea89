import { stream } from "@magic-mask/core";
import type { Critic } from "@magic-mask/masking";
import { lookahead } from "@magic-mask/metrics";
import type { Told } from "../figures/scores.ts";
import { postHocSeed } from "../posthoc.ts";
import { valuedBy } from "../valued-by.ts";
import type { FrozenTeam } from "./policies.ts";
import type { TruthSet } from "./truth.ts";

/** What looking ahead says of all agents' decisions, and what that took. */
export interface Looked {
  /** [N] of each agent's truth states; `spread` is NaN where an agent had one continuation alone. */
  readonly told: readonly Told[];
  /** Environment steps that were simulated. */
  readonly steps: number;
  readonly wallSeconds: number;
}

/**
 * Looks ahead from the decisions whose truth is known, by chance of its own.
 *
 * @param budget environment steps, of which each agent has its part
 * @param critics [N] whose V counts, where the policies give none
 */
export function look(
  { config, world, policies }: FrozenTeam,
  truths: readonly TruthSet[],
  budget: number,
  critics?: readonly Pick<Critic, "values">[],
): Looked {
  const begun = performance.now();
  const { discount } = config.training;
  const looked = truths.map(({ states }, agent) =>
    lookahead({
      make: world.make,
      policies: policies.map((policy, i) => (critics && i === agent ? valuedBy(policy, critics[i]) : policy)),
      states,
      seed: stream(postHocSeed(config), "lookahead", agent).bits(),
      discount,
      budget: Math.max(1, Math.floor(budget / truths.length)),
    }),
  );
  return {
    told: looked.map(({ criticality, standardError }) => ({
      scores: Float32Array.from(criticality),
      spread: Float32Array.from(standardError),
    })),
    steps: looked.reduce((sum, { ticks }) => sum + ticks, 0),
    wallSeconds: (performance.now() - begun) / 1000,
  };
}
