import { type ActionSpace, type Box, distributionOf, MagicMaskError, requireChoices } from "@magic-mask/core";
import { drawnActions } from "./drawn-actions.ts";
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
 * chance. Where they are continuous: one that π draws, w = 1, and one that ν draws, w = −1 (`drawnActions`).
 *
 * @param seed root of the chance in draws
 * @throws unsupported for actions in several parts; shape-mismatch if the states are of another space
 */
export function branchesOf(states: States, space: ActionSpace, first: number, count: number, seed: number): Branches {
  return space.kind === "box"
    ? drawnBranches(states, space, first, count, seed)
    : everyBranch(states, space, first, count);
}

function drawnBranches(states: States, space: Box, first: number, count: number, seed: number): Branches {
  requireWidth(states, "parameters of a policy", states.decisions.policy, distributionOf(space).width);
  const draw = drawnActions(states, space, seed);
  const J = 2 * count;
  const owners = Int32Array.from({ length: J }, (_, branch) => first + (branch >> 1));
  const columns = Int32Array.from({ length: J }, (_, branch) => branch & 1);
  return {
    states: owners,
    act: (branch, rollout, out, at) =>
      draw(owners[branch], columns[branch] === 0 ? "policy" : "perturbation", rollout, out, at),
    weights: Float64Array.from(columns, (column) => 1 - 2 * column),
    columns,
    width: 2,
  };
}

function everyBranch(states: States, space: ActionSpace, first: number, count: number): Branches {
  const A = requireChoices("metrics/truth", space);
  const { legal, policy, perturbation } = states.decisions;
  requireWidth(states, "actions", legal, A);
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

/** @throws shape-mismatch unless a column of the states holds `wanted` numbers of each */
function requireWidth({ count }: States, what: string, column: ArrayLike<number>, wanted: number): void {
  if (column.length === count * wanted) return;
  const message = `wanted a world with ${column.length / count} ${what}, as the states have; got ${wanted}`;
  throw new MagicMaskError("shape-mismatch", "metrics/truth", message);
}
