export {
  type AgentKeys,
  openRedisChannel,
  type RedisChannel,
  type RedisChannelOptions,
  type RedisCounters,
} from "./channel.ts";
export { type RedisAddress, type RedisServer, reachRedis } from "./connection.ts";
