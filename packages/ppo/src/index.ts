export { computeTargets, explainedVariance, learnableRows, type Targets } from "./advantage.ts";
export {
  type Blinding,
  type Collector,
  type CollectorOptions,
  type CollectorState,
  createCollector,
  type FinishedEpisode,
} from "./collector.ts";
export {
  type Opponents,
  type OpponentsState,
  type PoolOptions,
  pool,
  type ScriptedOptions,
  scripted,
  self,
} from "./opponents.ts";
export { type BlindingScheduleOptions, blindingSchedule, linear, type Schedule } from "./schedule.ts";
export { type Iteration, type TrainOptions, type TrainState, train } from "./train.ts";
