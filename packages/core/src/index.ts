export {
  addList,
  type CandidateLists,
  type CandidateStore,
  candidateWidth,
  copyCandidates,
  createCandidateStore,
  requireCandidates,
} from "./candidate-lists.ts";
export { type DecisionGroup, decisionTable } from "./decision-table.ts";
export { type Distribution, distributionOf } from "./distribution.ts";
export { categorical, ILLEGAL, maskedLogSoftmax } from "./distributions/categorical.ts";
export { LOG_STD_BOUNDS } from "./distributions/gaussian.ts";
export { DRAWS, drawActions, standardDraws } from "./draws.ts";
export { type Environment, type EnvironmentSpec, isOver, type MakeEnvironment, slotWidth } from "./environment.ts";
export { type Episode, episodeReturn } from "./episode.ts";
export { byName, checkCount, checkRange, type ErrorCode, isMagicMaskError, MagicMaskError } from "./error.ts";
export type { Decisions, Explainer } from "./explainer.ts";
export { type TrajectoryHash, trajectoryHash } from "./hash.ts";
export {
  type CandidatesSpec,
  type CnnSpec,
  type Convolution,
  type CreateLearner,
  type ImageShape,
  imagesIn,
  type Learner,
  type LearnerState,
  type MlpSpec,
  type ModelSpec,
  type Objective,
  outputWidth,
  type PpoBatch,
  type PpoLoss,
  parameterCount,
  type RegressionBatch,
  type RegressionLoss,
  towersOf,
  type UpdatePlan,
  type UpdateStatistics,
} from "./learner.ts";
export { momentsOf } from "./moments.ts";
export { type PlayOptions, play } from "./play.ts";
export type { DecisionBatch, Perturbation, Policy } from "./policy.ts";
export { type Stream, type StreamKey, shuffle, stream } from "./random.ts";
export { lambdaReturns, type ReturnsOf } from "./returns.ts";
export {
  allocateRollout,
  appendRollout,
  CONTINUES,
  clearRollout,
  completeRows,
  copyDecision,
  copyRow,
  createRollout,
  LAST_LOOK,
  OPEN,
  type Rollout,
  TERMINATED,
  TRUNCATED,
} from "./rollout.ts";
export type { RunRecord, RunWarning } from "./run-record.ts";
export {
  type ActionSpace,
  actionWidth,
  type Box,
  box,
  boxSize,
  type Candidates,
  candidates,
  clip,
  contains,
  type Discrete,
  discrete,
  hasChoice,
  type MultiDiscrete,
  maskWidth,
  multiDiscrete,
  requireChoices,
} from "./space.ts";
export { isCopyOver, type VectorEnvironment, vectorize } from "./vector-environment.ts";
