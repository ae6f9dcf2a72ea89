export { type ExactCriticality, type ExactCriticalityOptions, exactCriticality } from "./exact-criticality.ts";
export { type LabelGameOptions, type LabelledMove, labelGame } from "./label-game.ts";
export { type PerfectPolicyOptions, perfectPolicy } from "./perfect-policy.ts";
export {
  isOpen,
  isWon,
  type Observation,
  type Position,
  parsePosition,
  play,
  positionAfter,
  positionSeen,
  stonesOf,
} from "./position.ts";
export { type Solver, type SolverOptions, solver } from "./solver.ts";
