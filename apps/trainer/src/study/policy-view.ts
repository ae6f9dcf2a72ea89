import {
  addList,
  type Box,
  box,
  type CandidateStore,
  candidates,
  createCandidateStore,
  type Decisions,
  type EnvironmentSpec,
  ILLEGAL,
  LAST_LOOK,
  type Rollout,
  requireChoices,
} from "@magic-mask/core";
import type { Evidence } from "@magic-mask/masking";

/**
 * A world seen through its policy alone, so that boards of any size, with any number of moves, look alike: masks that learn in one can
 * be asked in another. What is left of a decision with n legal actions:
 *
 *   o = [ln n, second-largest π]        and, by every mask's own features, H(π), max π
 *   a = [place of a by π, 0 the first to 1 the last], and likewise ln π(a), π(a)
 *
 * Actions are candidates here, the legal ones in their order.
 */
export interface PolicyView {
  readonly spec: EnvironmentSpec;
  decisions(decisions: Decisions): Decisions;
  evidence(evidence: Evidence): Evidence;
}

const FEATURES = 2;
const SOURCE = "trainer/study-policy-view";

/**
 * @param most actions of any decision, here and in the worlds that masks are to be asked in
 * @throws unsupported for actions in several parts, and for continuous ones
 */
export function policyView(spec: EnvironmentSpec, most: number): PolicyView {
  const widths = spec.actionSpaces.map((space) => requireChoices(SOURCE, space));
  const seen: Box = box([FEATURES], 0, Math.log(most));
  return {
    spec: {
      ...spec,
      observationSpaces: spec.agents.map(() => seen),
      actionSpaces: spec.agents.map(() => candidates(most, 1)),
      commonFeatures: null,
    },
    decisions(decisions) {
      const { agent, count, legal, policy, perturbation } = decisions;
      const view = rowsOf(count, widths[agent], most, legal, policy);
      return { agent, count, ...view, perturbation: compacted(count, widths[agent], most, legal, perturbation) };
    },
    evidence(evidence) {
      return { ...evidence, rollout: viewed(evidence.rollout, most) };
    },
  };
}

function viewed(rollout: Rollout, most: number): Rollout {
  const { length, legal, policy, perturbation, widths, ended } = rollout;
  const n = widths.legal;
  const actions = rollout.actions.slice(0, length * widths.action);
  for (let row = 0; row < length; row++) {
    if (ended[row] === LAST_LOOK) continue;
    let place = 0;
    for (let a = 0; a < rollout.actions[row * widths.action]; a++) place += legal[row * n + a];
    actions[row * widths.action] = place;
  }
  const { candidates: lists, ...view } = rowsOf(length, n, most, legal, policy);
  return {
    ...rollout,
    widths: { ...widths, observation: FEATURES, legal: most, parameters: most, candidate: 1 },
    ...view,
    candidates: lists,
    perturbation: compacted(length, n, most, legal, perturbation),
    actions,
  };
}

/** What is seen of decisions with n actions, and their policy. */
function rowsOf(count: number, n: number, most: number, legal: Uint8Array, policy: Float32Array) {
  const observations = new Float32Array(count * FEATURES);
  const marks = new Uint8Array(count * most);
  const lists: CandidateStore = createCandidateStore(1, count * n);
  for (let row = 0; row < count; row++) {
    const from = row * n;
    let choices = 0;
    for (let a = 0; a < n; a++) choices += legal[from + a];
    const at = addList(lists, row, choices);
    marks.fill(1, row * most, row * most + choices);
    let second = 0;
    for (let a = 0, k = 0; a < n; a++) {
      if (!legal[from + a]) continue;
      let before = 0;
      for (let b = 0; b < n; b++) {
        const isBefore = policy[from + b] > policy[from + a] || (policy[from + b] === policy[from + a] && b < a);
        if (legal[from + b] && isBefore) before++;
      }
      if (before === 1) second = Math.exp(policy[from + a]);
      lists.features[at + k++] = choices > 1 ? before / (choices - 1) : 0;
    }
    observations[row * FEATURES] = Math.log(Math.max(choices, 1));
    observations[row * FEATURES + 1] = second;
  }
  return { observations, legal: marks, candidates: lists, policy: compacted(count, n, most, legal, policy) };
}

/** The legal entries of each row, one behind the other. */
function compacted(count: number, n: number, most: number, legal: Uint8Array, rows: Float32Array): Float32Array {
  const out = new Float32Array(count * most).fill(ILLEGAL);
  for (let row = 0; row < count; row++) {
    let at = row * most;
    for (let a = 0; a < n; a++) if (legal[row * n + a]) out[at++] = rows[row * n + a];
  }
  return out;
}
