import { checkCount, type Environment } from "@magic-mask/core";
import { checkSwitch, refuseUnknown } from "./options.ts";
import {
  type Body,
  checkCurriculum,
  checkParticleOptions,
  distance,
  type ParticleOptions,
  particleWorld,
} from "./particle-world.ts";

export interface SimpleTagOptions extends ParticleOptions {
  /** Prey, 1 to 32. */
  readonly numGood?: number;
  /** Hunters, 1 to 32. */
  readonly numAdversaries?: number;
  /** Landmarks that stand in the way, 0 to 32. */
  readonly numObstacles?: number;
  /** Terminates as soon as every prey is touched by a hunter, all at once. */
  readonly terminateOnSuccess?: boolean;
  /** Makes the prey slower at first; see `curriculumStage`. */
  readonly curriculum?: boolean;
  /** With `curriculum`: maxSpeed and accel of the prey are 0.5, 0.75 or 1 times theirs in stage 0, 1 and 2. */
  readonly curriculumStage?: number;
}

const SOURCE = "environments/simple-tag";
const HUNTER = { role: "adversary", size: 0.075, accel: 3, maxSpeed: 1, tells: "nothing" } as const;
const PREY = { role: "prey", size: 0.05, accel: 4, maxSpeed: 1.3, tells: "velocity" } as const;
const STAGES = [0.5, 0.75, 1];

/**
 * Simple Tag, as mpe2 1.1.1 plays `simple_tag_v3` (so does the one in PettingZoo 1.24.3, where their options are the same).
 *
 * Slow hunters chase fast prey around obstacles. Motion, observation (16 numbers for a hunter and 14 for the prey by default; others
 * tell their velocity if they are prey), actions and start are those of `particleWorld`.
 *
 * Agents: `adversary_0` … first (radius 0.075, accel 3, at most 1 per second), then the prey `agent_0` … (radius 0.05, accel 4, at
 *   most 1.3). Obstacles have radius 0.2, start in [−0.9, 0.9)² and bump.
 * Reward of every hunter: 10 for each pair of a prey and a hunter that touch (centres nearer than 0.125). Of a prey: −10 for each
 *   hunter that touches it, and −`outside(|x|)` − `outside(|y|)`.
 * Ends: truncated after maxCycles steps; terminated by `terminateOnSuccess` only.
 *
 * A curriculum goes on where the user makes the next world, of the next stage. mpe2 1.1.1 stays in stage 0: its setter sets nothing.
 *
 * @throws invalid-option, unknown-key
 */
export function simpleTag({
  numGood = 1,
  numAdversaries = 3,
  numObstacles = 2,
  maxCycles = 25,
  continuousActions = false,
  terminateOnSuccess = false,
  curriculum = false,
  curriculumStage = 0,
  numAgentNeighbors = null,
  numLandmarkNeighbors = null,
  ...unknown
}: SimpleTagOptions = {}): Environment {
  refuseUnknown(SOURCE, unknown);
  checkCount(SOURCE, "numGood", numGood, 1, 32);
  checkCount(SOURCE, "numAdversaries", numAdversaries, 1, 32);
  checkCount(SOURCE, "numObstacles", numObstacles, 0, 32);
  checkSwitch(SOURCE, "terminateOnSuccess", terminateOnSuccess);
  checkParticleOptions(SOURCE, { maxCycles, continuousActions, numAgentNeighbors, numLandmarkNeighbors });
  checkCurriculum(SOURCE, curriculum, curriculumStage, STAGES.length);
  const factor = curriculum ? STAGES[curriculumStage] : 1;

  const bodies: Body[] = [];
  for (let i = 0; i < numAdversaries; i++) bodies.push({ name: `adversary_${i}`, ...HUNTER });
  for (let i = 0; i < numGood; i++) {
    bodies.push({ name: `agent_${i}`, ...PREY, accel: PREY.accel * factor, maxSpeed: PREY.maxSpeed * factor });
  }
  const A = bodies.length;

  const touch = (positions: Float64Array, prey: number, hunter: number) =>
    distance(positions, prey, hunter) < PREY.size + HUNTER.size;

  return particleWorld({
    source: SOURCE,
    id: "simple_tag_v0",
    bodies,
    landmarks: { count: numObstacles, size: 0.2, solid: true, within: 0.9 },
    maxCycles,
    continuousActions,
    numAgentNeighbors,
    numLandmarkNeighbors,

    pay(positions, rewards) {
      let caught = 0;
      for (let prey = numAdversaries; prey < A; prey++) {
        let reward = 0;
        for (let hunter = 0; hunter < numAdversaries; hunter++) {
          if (!touch(positions, prey, hunter)) continue;
          reward -= 10;
          caught += 10;
        }
        reward -= outside(Math.abs(positions[2 * prey]));
        rewards[prey] = reward - outside(Math.abs(positions[2 * prey + 1]));
      }
      for (let hunter = 0; hunter < numAdversaries; hunter++) rewards[hunter] = caught;
    },

    succeeded: terminateOnSuccess
      ? (positions) => {
          for (let prey = numAdversaries; prey < A; prey++) {
            let hunter = 0;
            while (hunter < numAdversaries && !touch(positions, prey, hunter)) hunter++;
            if (hunter === numAdversaries) return false;
          }
          return true;
        }
      : null,
  });
}

/** What leaving costs prey at distance x from the middle: 0 below 0.9, then 10·(x − 0.9), from 1 on e^(2x − 2) but at most 10. */
export function outside(x: number): number {
  if (x < 0.9) return 0;
  if (x < 1) return (x - 0.9) * 10;
  return Math.min(Math.exp(2 * x - 2), 10);
}
