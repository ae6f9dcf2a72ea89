import {
  boxSize,
  checkRange,
  type Decisions,
  distributionOf,
  type EnvironmentSpec,
  MagicMaskError,
} from "@magic-mask/core";
import type { RecordBuffer } from "./buffer.ts";
import { createCoverageMap } from "./coverage-map.ts";
import type { ValueFunction } from "./record-head.ts";
import type { Signature } from "./signature.ts";
import type { StateArrays } from "./state.ts";
import type { Trust } from "./trust.ts";

const SOURCE = "comm/steering";

export interface SteeringOptions {
  readonly spec: EnvironmentSpec;
  /** [N] each agent's memory; none for agents that live in another process, who are not asked about. */
  readonly buffers: readonly (RecordBuffer | undefined)[];
  /** The run's signature, and what V it was written with. */
  readonly signature: Signature;
  readonly values: ValueFunction;
  /** [N] whom each agent trusts; all are believed without. */
  readonly trusts?: readonly (Pick<Trust, "weights"> | undefined)[];
  /** s in [0, 1], how much of the blinding is saved where peers have settled a state. */
  readonly strength: number;
}

/** Agents that leave to their peers what these have looked into. */
export interface Steering {
  /** Takes in what the buffers hold. @param now collector tick */
  refresh(now: number): void;
  /** Writes [B] the share of its blinding that is left to each decision. @throws invalid-option for an agent that is not here */
  steer(decisions: Decisions, keep: Float32Array): void;
  /** [N] decisions of each agent that were asked about so far. */
  readonly asked: Float64Array;
  /** [N × N] of how many of them the blinding was saved on account of whom, by agent and whose records it was. */
  readonly saved: Float64Array;
  exportState(): StateArrays;
  /** @throws corrupt-file */
  restoreState(state: StateArrays): void;
}

/**
 * De-prioritises perturbing states that peers have marked (MAGIC-MASK, arXiv:2510.00274): of the probability of being blinded a
 * decision at signature σ keeps
 *
 *   1 − s · min(1, coverage of σ by peers' records)
 *
 * with the coverage as it was at the last `refresh`, by cells (`createCoverageMap`), a record counting as its sender is trusted. So a
 * state that a trusted peer has told of once is settled, and what liars tell of is not. The coin stays the collector's, which logs the probability.
 *
 * @throws invalid-option
 */
export function createSteering(options: SteeringOptions): Steering {
  const { spec, buffers, signature, values, trusts, strength } = options;
  checkRange(SOURCE, "strength", strength, 0, 1);
  const N = spec.agents.length;
  const maps = buffers.map((buffer, agent) => buffer && createCoverageMap(buffer, N, agent, trusts?.[agent]));
  const sizes = spec.observationSpaces.map(boxSize);
  const widths = spec.actionSpaces.map((space) => distributionOf(space).width);
  const sigma = new Int8Array(signature.length);
  let worth = new Float32Array(0);
  const asked = new Float64Array(N);
  const saved = new Float64Array(N * N);
  return {
    asked,
    saved,
    refresh(now) {
      for (const map of maps) map?.refresh(now);
    },
    steer({ agent, count, observations, policy }, keep) {
      const map = maps[agent];
      if (!map) {
        const message = `the memory of ${spec.agents[agent]} is not here; steer the agents that are`;
        throw new MagicMaskError("invalid-option", SOURCE, message);
      }
      if (worth.length < count) worth = new Float32Array(count);
      values(agent, observations, count, worth);
      for (let b = 0; b < count; b++) {
        signature.write(agent, observations, b * sizes[agent], policy, b * widths[agent], worth[b], sigma, 0);
        keep[b] = 1;
        const coverage = map.at(sigma, 0);
        if (!coverage) continue;
        const all = coverage.reduce((sum, weight) => sum + weight, 0);
        keep[b] -= strength * Math.min(1, all);
        for (let j = 0; j < N; j++) saved[agent * N + j] += (strength * coverage[j]) / Math.max(1, all);
      }
      asked[agent] += count;
    },
    exportState: () => ({ asked: asked.slice(), saved: saved.slice() }),
    restoreState(state) {
      if (state.asked?.length !== N || state.saved?.length !== N * N) {
        throw new MagicMaskError("corrupt-file", SOURCE, `the state is not that of steering of ${N} agents`);
      }
      asked.set(state.asked);
      saved.set(state.saved);
    },
  };
}
