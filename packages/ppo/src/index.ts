export { computeTargets, explainedVariance, learnableRows, type Targets } from "./advantage.ts";
export {
  type Blinding,
  type Collected,
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
export { createShardServer, type ShardServer, type ShardServerOptions } from "./shard-server.ts";
export {
  createShardedCollector,
  planShards,
  type ShardedCollector,
  type ShardedCollectorOptions,
  type ShardedState,
  shardWorlds,
} from "./sharded-collector.ts";
export { type Iteration, type TrainOptions, type TrainState, train, type Updates } from "./train.ts";
