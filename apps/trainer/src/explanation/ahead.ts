import { lookahead, type States } from "@magic-mask/metrics";
import { type Told, toldBy } from "../figures/scores.ts";
import type { Met } from "./replay.ts";
import type { Subject } from "./subject.ts";

/** Ticks of the world for each decision: as many as 300,000 environment steps are for a thousand of them. */
const TICKS = 300;

/** What looking ahead from one agent's decisions says they cost. @param met at least one, all of one agent @param seed root of its chance */
export function lookAhead(
  { world, policies, discount }: Pick<Subject, "world" | "policies" | "discount">,
  met: readonly Met[],
  seed: number,
): { readonly told: Told; readonly ticks: number } {
  const seen = lookahead({
    make: world.make,
    policies,
    states: joined(met.map(({ states }) => states)),
    seed,
    discount,
    budget: TICKS * met.length,
  });
  return { told: toldBy(seen), ticks: seen.ticks };
}

/** Decisions one by one as those of one agent together: as much of them as is played on from. */
function joined(all: readonly States[]): States {
  const floats = (of: (states: States) => Float32Array) => Float32Array.from(all.flatMap((each) => [...of(each)]));
  const bytes = (of: (states: States) => Uint8Array) => Uint8Array.from(all.flatMap((each) => [...of(each)]));
  return {
    count: all.length,
    decisions: {
      agent: all[0].decisions.agent,
      count: all.length,
      observations: floats(({ decisions }) => decisions.observations),
      legal: bytes(({ decisions }) => decisions.legal),
      policy: floats(({ decisions }) => decisions.policy),
      perturbation: floats(({ decisions }) => decisions.perturbation),
    },
    snapshots: bytes(({ snapshots }) => snapshots),
    episodes: new Int32Array(all.length),
    ticks: Int32Array.from(all, ({ ticks }) => ticks[0]),
  };
}
