import {
  type ActionSpace,
  type Box,
  boxSize,
  clip,
  DRAWS,
  drawActions,
  type MakeEnvironment,
  standardDraws,
  stream,
} from "@magic-mask/core";
import { branchingTruth, effectPValue, type States, type Truth, tQuantile } from "@magic-mask/metrics";
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

/** How many actions `measure` plays on from, one that is played on from twice counting twice. */
export const branchesAt = ({ states }: Pick<Met, "states">, space: ActionSpace): number =>
  space.kind === "box" ? 2 + 2 * Math.ceil(DRAWN / 2) : states.decisions.legal.reduce((sum, legal) => sum + legal, 0);

/**
 * Plays on from a decision by every legal action, `rollouts` times each; where actions are continuous, by what π and ν draw, by what
 * was done, and by some that might have been. All chance comes from streams named by the seed, the agent and the step, so the same
 * decision is measured the same whatever else is.
 *
 * @throws unsupported for actions in several parts
 */
export function measure(
  { world, policies, discount }: Pick<Subject, "world" | "policies" | "discount">,
  { agent, step, states, choices, taken }: Met,
  rollouts: number,
  seed: number,
): Measured {
  const { make, spec }: { make: MakeEnvironment; spec: Subject["world"]["spec"] } = world;
  const space = spec.actionSpaces[agent];
  const root = stream(seed, "effect", agent, step).bits();
  const truthOf = (of: States) => branchingTruth({ make, policies, states: of, rollouts, seed: root, discount });
  const truth = truthOf(states);
  const t = tQuantile(rollouts - 1, LEVEL);
  const range = (estimate: number, error: number): Range => ({
    estimate: figure(estimate),
    low: figure(estimate - t * error),
    high: figure(estimate + t * error),
  });
  const { policy, perturbation, legal } = states.decisions;
  const valueIn = ({ q, qStandardError }: Truth, column: number) => range(q[column], qStandardError[column]);
  const alternatives: Alternative[] = [];
  let simulated = truth.decisions;
  if (space.kind === "box") {
    const tried = [taken.action, ...drawn(states, space, root)].sort((a, b) => a[0] - b[0]);
    for (let i = 0; i < tried.length; i += 2) {
      // Two at a time, by the same chance as all others.
      const pair = [tried[i], tried[i + 1] ?? tried[i]];
      const played = truthOf(withActions(states, pair[0], pair[1]));
      simulated += played.decisions;
      for (const [column, action] of tried.slice(i, i + 2).entries()) {
        const numbers = action.map(figure);
        alternatives.push({
          label: numbers.join(", "),
          action: numbers,
          ...valueIn(played, column),
          probability: null,
          perturbation: null,
          taken: action === taken.action,
        });
      }
    }
  } else {
    choices.forEach((label, a) => {
      if (!legal[a]) return;
      alternatives.push({
        label,
        action: [a],
        ...valueIn(truth, a),
        probability: figure(Math.exp(policy[a])),
        perturbation: figure(Math.exp(perturbation[a])),
        taken: taken.action[0] === a,
      });
    });
  }
  const [delta, error] = [truth.criticality[0], truth.standardError[0]];
  const p = figure(effectPValue(delta, error, rollouts));
  return { effect: { ...range(delta, error), rollouts, p }, alternatives, simulated };
}

/** Continuous actions that are shown of π and of ν, each; with what was done that makes so many. */
const SHOWN = 4;
const DRAWN = 1 + 2 * SHOWN;

/** What the policy and the perturbation might have drawn. */
function drawn({ decisions }: States, space: Box, seed: number): number[][] {
  const k = boxSize(space);
  const z = standardDraws(k, stream(seed, "alternatives"));
  const draws = new Float32Array(DRAWS * k);
  return [decisions.policy, decisions.perturbation].flatMap((rows) => {
    drawActions(z, rows, 0, draws, 0);
    return Array.from({ length: SHOWN }, (_, i) => {
      clip(space, draws, i * k);
      return Array.from(draws.subarray(i * k, (i + 1) * k));
    });
  });
}

/** The same decision with a policy and a perturbation that do one thing each: normal distributions without deviation. */
function withActions(states: States, first: readonly number[], second: readonly number[]): States {
  const only = (action: readonly number[]) =>
    Float32Array.from([...action, ...action.map(() => Number.NEGATIVE_INFINITY)]);
  return { ...states, decisions: { ...states.decisions, policy: only(first), perturbation: only(second) } };
}
