export { type AurocOptions, auroc } from "./auroc.ts";
export { benjaminiHochberg } from "./benjamini-hochberg.ts";
export { type BootstrapOptions, bootstrap, bootstrapMean, type ResampleOptions } from "./bootstrap.ts";
export { calibrateGate, calibrateGates, type GateTrial } from "./calibrate-gate.ts";
export { type Calibration, type CalibrationOptions, calibration } from "./calibration.ts";
export { pearson, spearman } from "./correlation.ts";
export { type Coverage, coverage } from "./coverage.ts";
export { discovery } from "./discovery.ts";
export { type Gate, type GatedPolicy, type GatedPolicyOptions, gatedPolicy } from "./gated-policy.ts";
export { type InterAgentFidelity, type InterAgentFidelityOptions, interAgentFidelity } from "./inter-agent-fidelity.ts";
export { interquartileMean, interquartileMeanInterval } from "./interquartile-mean.ts";
export type { Interval } from "./interval.ts";
export { klPerturbation } from "./kl-perturbation.ts";
export { learningCurve, type RunCurve } from "./learning-curve.ts";
export { type Lookahead, type LookaheadOptions, lookahead } from "./lookahead.ts";
export { matchedMean } from "./matched-mean.ts";
export { type MeasuredTruth, measureTruth, type TruthPlan, type TruthRequest } from "./measure-truth.ts";
export { type NdcgOptions, ndcg } from "./ndcg.ts";
export { performanceProfile } from "./performance-profile.ts";
export { probabilityOfImprovement } from "./probability-of-improvement.ts";
export { descending, gateAt, reversed } from "./ranked-gates.ts";
export { ratioInterval } from "./ratio-interval.ts";
export { splitHalfReliability } from "./reliability.ts";
export { episodeReturns, meanReturn, winRate } from "./returns.ts";
export {
  type DropCurveOptions,
  dropCurve,
  type RewardDrop,
  type RewardDropOptions,
  rewardDrop,
} from "./reward-drop.ts";
export {
  chanceCurve,
  equalWindows,
  nothingDropped,
  orderedCurves,
  permutedScores,
  type RandomisedPolicyOptions,
  randomisedPolicy,
  replayFloor,
  type SanityRow,
} from "./sanity.ts";
export { type CriticalState, type CriticalStatesOptions, criticalStates, effectPValue } from "./significance.ts";
export {
  type StatemaskFidelity,
  type StatemaskFidelityOptions,
  statemaskFidelity,
  type WindowScore,
} from "./statemask-fidelity.ts";
export { type CollectStatesOptions, collectStates, type States, takeStates } from "./states.ts";
export { type StratifiedBootstrapOptions, stratifiedBootstrap } from "./stratified-bootstrap.ts";
export { pairedTInterval, tInterval, tPValue, tQuantile } from "./t-interval.ts";
export { topOverlap } from "./top-share.ts";
export { addTruth, branchingTruth, joinTruth, type Truth, type TruthOptions } from "./truth.ts";
