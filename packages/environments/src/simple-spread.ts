import { checkCount, checkRange, type Environment } from "@magic-mask/core";
import { checkSwitch, refuseUnknown } from "./options.ts";
import {
  type Body,
  checkCurriculum,
  checkParticleOptions,
  distance,
  type ParticleOptions,
  particleWorld,
} from "./particle-world.ts";

export interface SimpleSpreadOptions extends ParticleOptions {
  /** Agents, and as many landmarks, 1 to 64. */
  readonly N?: number;
  /** Share of the agent's own collisions in its reward, 0 to 1; the rest is what all share. */
  readonly localRatio?: number;
  /** Terminates as soon as an agent is within 0.1 of every landmark. */
  readonly terminateOnSuccess?: boolean;
  /** Makes the task easier at first; see `curriculumStage`. */
  readonly curriculum?: boolean;
  /** With `curriculum`: in stage 0 collisions cost nothing, in stage 1 what they always cost. */
  readonly curriculumStage?: number;
}

const SOURCE = "environments/simple-spread";
const SIZE = 0.15;
const COVERED = 0.1;

/**
 * Simple Spread, as mpe2 1.1.1 plays `simple_spread_v3` (so does the one in PettingZoo 1.24.3, where their options are the same).
 *
 * N agents are to cover N landmarks without bumping into each other. Motion, observation [6N] (18 for N = 3), actions and start are
 * those of `particleWorld`.
 *
 * Agents: `agent_0` …, all alike, radius 0.15, accel 5. Landmarks have radius 0.05 and stand in nobody's way.
 * Reward: (1 − localRatio)·global + localRatio·local; global = −Σ over landmarks of the distance of the nearest agent, local = −1 for
 *   each other agent whose centre is nearer than 0.3.
 * Ends: truncated after maxCycles steps; terminated by `terminateOnSuccess` only.
 *
 * A curriculum goes on where the user makes the next world, of the next stage. mpe2 1.1.1 stays in stage 0: its setter sets nothing.
 *
 * @throws invalid-option, unknown-key
 */
export function simpleSpread({
  N = 3,
  localRatio = 0.5,
  maxCycles = 25,
  continuousActions = false,
  terminateOnSuccess = false,
  curriculum = false,
  curriculumStage = 0,
  numAgentNeighbors = null,
  numLandmarkNeighbors = null,
  ...unknown
}: SimpleSpreadOptions = {}): Environment {
  refuseUnknown(SOURCE, unknown);
  checkCount(SOURCE, "N", N, 1, 64);
  checkRange(SOURCE, "localRatio", localRatio, 0, 1);
  checkSwitch(SOURCE, "terminateOnSuccess", terminateOnSuccess);
  checkParticleOptions(SOURCE, { maxCycles, continuousActions, numAgentNeighbors, numLandmarkNeighbors });
  checkCurriculum(SOURCE, curriculum, curriculumStage, 2);
  const bumpsCost = !curriculum || curriculumStage > 0;

  const bodies = Array.from(
    { length: N },
    (_, i): Body => ({
      name: `agent_${i}`,
      role: "agent",
      size: SIZE,
      accel: 5,
      maxSpeed: Number.POSITIVE_INFINITY,
      tells: "silence",
    }),
  );

  /** Distance from landmark `l` to the agent that is nearest to it. */
  const gap = (positions: Float64Array, l: number) => {
    let least = distance(positions, 0, N + l);
    for (let i = 1; i < N; i++) {
      const d = distance(positions, i, N + l);
      if (d < least) least = d;
    }
    return least;
  };

  return particleWorld({
    source: SOURCE,
    id: "simple_spread_v0",
    bodies,
    landmarks: { count: N, size: 0.05, solid: false, within: 1 },
    maxCycles,
    continuousActions,
    numAgentNeighbors,
    numLandmarkNeighbors,

    pay(positions, rewards) {
      let shared = 0;
      for (let l = 0; l < N; l++) shared -= gap(positions, l);
      rewards.fill(0);
      if (bumpsCost) {
        for (let a = 0; a < N; a++) {
          for (let b = a + 1; b < N; b++) {
            if (!(distance(positions, a, b) < SIZE + SIZE)) continue;
            rewards[a]--;
            rewards[b]--;
          }
        }
      }
      for (let i = 0; i < N; i++) rewards[i] = shared * (1 - localRatio) + rewards[i] * localRatio;
    },

    succeeded: terminateOnSuccess
      ? (positions) => {
          for (let l = 0; l < N; l++) if (gap(positions, l) >= COVERED) return false;
          return true;
        }
      : null,
  });
}
