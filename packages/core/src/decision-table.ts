import { addList, type CandidateStore, candidateWidth, createCandidateStore } from "./candidate-lists.ts";
import { distributionOf } from "./distribution.ts";
import { MagicMaskError } from "./error.ts";
import type { DecisionBatch, Policy } from "./policy.ts";
import { boxSize, hasChoice, maskWidth } from "./space.ts";
import type { VectorEnvironment } from "./vector-environment.ts";

/** The decisions that one policy has to make now, over all copies. */
export interface DecisionGroup extends DecisionBatch {
  /** B */
  count: number;
  readonly candidates?: CandidateStore;
  /** [B] */
  readonly copies: Int32Array;
  /** [B] */
  readonly agents: Uint8Array;
  /** [B] 1 where there is a choice to make; forced moves have one action. */
  readonly free: Uint8Array;
  /** [B × P] */
  readonly parameters: Float32Array;
  /** [B] */
  readonly values: Float32Array;
}

/**
 * Gathers who must act in all copies of a world and asks each policy once, for all of its decisions together.
 *
 * @param seats [C × N] index into `policies` of who plays which agent in which copy; read at each `gather`. Agents that
 *   share a policy must share spaces.
 * @returns one group per policy, rewritten by each `gather`
 */
export function decisionTable(vector: VectorEnvironment, policies: readonly Policy[], seats: Uint8Array) {
  const { spec, copies } = vector;
  const N = spec.agents.length;
  const sizes = spec.observationSpaces.map(boxSize);
  const masks = spec.actionSpaces.map(maskWidth);
  const parameters = spec.actionSpaces.map((space) => distributionOf(space).width);
  const capacity = copies * (spec.turnBased ? 1 : N);
  const widths = spec.actionSpaces.map(candidateWidth);
  const widest = Math.max(...widths);
  const groups: DecisionGroup[] = policies.map(() => ({
    count: 0,
    observations: new Float32Array(capacity * Math.max(...sizes)),
    legal: new Uint8Array(capacity * Math.max(...masks)),
    ...(widest > 0 && { candidates: createCandidateStore(widest, capacity) }),
    copies: new Int32Array(capacity),
    agents: new Uint8Array(capacity),
    free: new Uint8Array(capacity),
    parameters: new Float32Array(capacity * Math.max(...parameters)),
    values: new Float32Array(capacity),
  }));

  /** Appends the candidates of one decision. */
  const list = (store: CandidateStore, row: number, copy: number, agent: number, count: number) => {
    // Who shares a policy shares spaces.
    store.width = widths[agent];
    const offset = addList(store, row, widths[agent] > 0 ? count : 0);
    if (widths[agent] > 0) vector.candidates(copy, agent, store.features, offset);
  };

  return {
    groups: groups as readonly DecisionGroup[],
    /** @throws no-legal-action if an agent must act and cannot */
    gather(): void {
      for (const group of groups) {
        group.count = 0;
        if (group.candidates) group.candidates.length = 0;
      }
      for (let copy = 0, at = 0; copy < copies; copy++) {
        for (let agent = 0; agent < N; agent++, at++) {
          if (!vector.acting[at]) continue;
          const group = groups[seats[at]];
          const row = group.count++;
          group.copies[row] = copy;
          group.agents[row] = agent;
          vector.observe(copy, agent, group.observations, row * sizes[agent]);
          const count = vector.legal(copy, agent, group.legal, row * masks[agent]);
          group.free[row] = hasChoice(spec.actionSpaces[agent], count) ? 1 : 0;
          if (count === 0) {
            throw new MagicMaskError(
              "no-legal-action",
              `environments/${spec.id}`,
              `${spec.agents[agent]} must act but its action mask is all zero`,
            );
          }
          if (group.candidates) list(group.candidates, row, copy, agent, count);
        }
      }
      groups.forEach((group, k) => {
        if (group.count > 0) policies[k].evaluate(group, group.parameters, group.values);
      });
    },
  };
}
