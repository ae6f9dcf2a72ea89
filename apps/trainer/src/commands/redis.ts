import { readFileSync } from "node:fs";
import type { RedisServer } from "@magic-mask/comm/redis";
import { MagicMaskError } from "@magic-mask/core";
import { type Command, Option } from "commander";
import { refused } from "../run/atomic.ts";
import { SOURCE } from "./flags.ts";

export interface RedisFlags {
  readonly redis?: string;
  readonly redisUsername?: string;
  readonly redisPassword?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsInsecure?: boolean;
}

/** Where a Redis server is, and how it lets us in. */
export function withRedisFlags(command: Command): Command {
  return command
    .addOption(new Option("--redis <url>", "redis://host:port/database, or rediss:// for TLS").env("MAGIC_MASK_REDIS"))
    .addOption(new Option("--redis-username <name>", "instead of the URL's").env("MAGIC_MASK_REDIS_USERNAME"))
    .addOption(new Option("--redis-password <text>", "instead of the URL's").env("MAGIC_MASK_REDIS_PASSWORD"))
    .option("--tls-ca <file>", "PEM: whose signature makes the server's certificate valid", readPem)
    .option("--tls-cert <file>", "PEM: this client's certificate", readPem)
    .option("--tls-key <file>", "PEM: its key", readPem)
    .option("--tls-insecure", "take any certificate");
}

/** @throws invalid-option */
export function serverOf(flags: RedisFlags): RedisServer {
  const { redis: url, redisUsername: username, redisPassword: password } = flags;
  if (url === undefined) {
    const message = "give --redis redis://host:port, or MAGIC_MASK_REDIS";
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  const { tlsCa: ca, tlsCert: cert, tlsKey: key, tlsInsecure } = flags;
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const checked = tlsInsecure ? { ...tls, rejectUnauthorized: false } : tls;
  return {
    url,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(Object.keys(checked).length > 0 && { tls: checked }),
  };
}

/** A PEM file's text. @throws io */
function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw refused("trainer/agent", `read ${file}`, error);
  }
}
