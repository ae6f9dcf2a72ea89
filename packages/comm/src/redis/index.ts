export { openRedisChannel, type RedisChannel, type RedisChannelOptions, type RedisCounters } from "./channel.ts";
export type { RedisServer } from "./connection.ts";
