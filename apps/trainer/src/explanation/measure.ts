import { type MakeEnvironment, requireChoices, stream } from "@magic-mask/core";
import { branchingTruth, tPValue, tQuantile } from "@magic-mask/metrics";
import type { Alternative, Moment, Range } from "./explanation.ts";
import { figure } from "./figure.ts";
import type { Met } from "./replay.ts";
import type { Subject } from "./subject.ts";

/** Coverage of every interval, and where significance begins. */
export const LEVEL = 0.95;
export const SIGNIFICANCE = 0.05;

/** What one decision was worth. */
export interface Measured {
  readonly effect: Omit<Moment["effect"], "adjusted">;
  readonly alternatives: readonly Alternative[];
  /** Decisions that were simulated. */
  readonly simulated: number;
}

/**
 * Plays on from a decision by every legal action, `rollouts` times each. All chance comes from streams named by the seed, the agent
 * and the step, so the same decision is measured the same whatever else is.
 */
export function measure(
  { world, policies, discount }: Pick<Subject, "world" | "policies" | "discount">,
  { agent, step, states, choices, taken }: Met,
  rollouts: number,
  seed: number,
): Measured {
  const { make, spec }: { make: MakeEnvironment; spec: Subject["world"]["spec"] } = world;
  const n = requireChoices("trainer/explain", spec.actionSpaces[agent]);
  const truth = branchingTruth({
    make,
    policies,
    states,
    rollouts,
    seed: stream(seed, "effect", agent, step).bits(),
    discount,
  });
  const t = tQuantile(rollouts - 1, LEVEL);
  const range = (estimate: number, error: number): Range => ({
    estimate: figure(estimate),
    low: figure(estimate - t * error),
    high: figure(estimate + t * error),
  });
  const { policy, perturbation, legal } = states.decisions;
  const alternatives = Array.from({ length: n }, (_, a) => a)
    .filter((a) => legal[a] === 1)
    .map((a) => ({
      label: choices[a],
      action: [a],
      ...range(truth.q[a], truth.qStandardError[a]),
      probability: figure(Math.exp(policy[a])),
      perturbation: figure(Math.exp(perturbation[a])),
      taken: taken.action[0] === a,
    }));
  const [delta, error] = [truth.criticality[0], truth.standardError[0]];
  const p = figure(delta === 0 ? 1 : tPValue(delta / error, rollouts - 1));
  return { effect: { ...range(delta, error), rollouts, p }, alternatives, simulated: truth.decisions };
}
