import { type ActionSpace, MagicMaskError, requireChoices } from "@magic-mask/core";
import type { States } from "./states.ts";

/**
 * The first actions that truth compares in each state, and what each counts in it:
 *
 *   Δ(s) = Σ_b w_b · E[G ∣ s, a_b],   Σ_b w_b = 0 in every state
 */
export interface Branches {
  /** [J] the state of each branch, those of one state together and states in order. */
  readonly states: Int32Array;
  /** Writes the action of branch b in rollout r of its state to the slot at `out[at]`. */
  act(branch: number, rollout: number, out: Float32Array, at: number): void;
  /** [J] w */
  readonly weights: Float64Array;
  /** [J] its place among the `width` that a state can have: the column of `Truth.q`. */
  readonly columns: Int32Array;
  readonly width: number;
}

/**
 * Where choices are finitely many: every legal action a, with w = (π − ν)(a), so that nothing of the first action is left to
 * chance.
 *
 * @throws unsupported for other spaces; shape-mismatch if the states are of another
 */
export function branchesOf(states: States, space: ActionSpace, first: number, count: number): Branches {
  const A = requireChoices("metrics/truth", space);
  const { legal, policy, perturbation } = states.decisions;
  if (legal.length !== states.count * A) {
    const message = `wanted a world with ${legal.length / states.count} actions, as the states have; got ${A}`;
    throw new MagicMaskError("shape-mismatch", "metrics/truth", message);
  }
  const owners: number[] = [];
  const columns: number[] = [];
  for (let state = first; state < first + count; state++) {
    for (let action = 0; action < A; action++) {
      if (!legal[state * A + action]) continue;
      owners.push(state);
      columns.push(action);
    }
  }
  return {
    states: Int32Array.from(owners),
    act(branch, _, out, at) {
      out[at] = columns[branch];
    },
    weights: Float64Array.from(owners, (state, b) => {
      const at = state * A + columns[b];
      return Math.exp(policy[at]) - Math.exp(perturbation[at]);
    }),
    columns: Int32Array.from(columns),
    width: A,
  };
}
