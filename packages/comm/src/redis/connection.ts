import { setTimeout as sleep } from "node:timers/promises";
import { isMagicMaskError, MagicMaskError } from "@magic-mask/core";
import { Redis } from "ioredis";

const SOURCE = "comm/redis";

export interface RedisServer {
  /** `redis://[username:password@]host[:port][/database]`; `rediss://` for TLS. */
  readonly url: string;
  /** Instead of the URL's. */
  readonly username?: string;
  /** Instead of the URL's, which other programs of this machine can read where it is an argument. */
  readonly password?: string;
  /** With `rediss://`; PEM texts. */
  readonly tls?: {
    /** Whose signature makes the server's certificate valid; those that Node knows by default. */
    readonly ca?: string;
    /** The client's own certificate and key, where the server asks for them. */
    readonly cert?: string;
    readonly key?: string;
    /** false lets any certificate pass. */
    readonly rejectUnauthorized?: boolean;
  };
}

/** Milliseconds after which an unanswered command counts as lost. */
const COMMAND_TIMEOUT = 10_000;
/** Milliseconds from one try to connect to the next, at first and at most. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;

/** A connection that stays closed once it is lost, until `connect` is called again: then nothing waits unseen for a reply. */
export interface Connection {
  readonly redis: Redis;
  /** `user@host:port`, without the password. */
  readonly name: string;
  /** @throws what the server or the network says */
  connect(): Promise<void>;
  /** Closes it, if it is not closed. */
  hangUp(): void;
}

/** How ioredis reaches a server. @throws invalid-option */
function addressOf({ url, username, password, tls }: RedisServer) {
  const parsed = parse(url);
  const { hostname, port, pathname, protocol } = parsed;
  const database = pathname.length > 1 ? Number(pathname.slice(1)) : 0;
  if (!Number.isInteger(database)) {
    throw new MagicMaskError("invalid-option", SOURCE, `a database is a number, got "${pathname.slice(1)}"`);
  }
  if (tls && protocol !== "rediss:") {
    throw new MagicMaskError("invalid-option", SOURCE, "TLS options go with a URL that begins with rediss://");
  }
  const user = username ?? decodeURIComponent(parsed.username);
  const secret = password ?? decodeURIComponent(parsed.password);
  return {
    // A URL has an IPv6 address in brackets.
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? 6379 : Number(port),
    db: database,
    ...(user !== "" && { username: user }),
    ...(secret !== "" && { password: secret }),
    ...(protocol === "rediss:" && { tls: { ...tls } }),
    protocol: 2 as const,
    disableClientInfo: true,
    connectTimeout: COMMAND_TIMEOUT,
  };
}

/** Options of ioredis that say where a server is and how it lets us in. */
export type RedisAddress = ReturnType<typeof addressOf>;

/** @throws invalid-option */
export function openConnection(server: RedisServer): Connection {
  const address = addressOf(server);
  const redis = new Redis({
    ...address,
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    commandTimeout: COMMAND_TIMEOUT,
    retryStrategy: () => null,
  });
  let trouble: Error | undefined;
  redis.on("error", (error) => {
    trouble = error;
  });
  return {
    redis,
    name: nameOf(server, address),
    async connect() {
      trouble = undefined;
      try {
        await redis.connect();
      } catch (error) {
        // The error says that the connection is closed; the event, why.
        throw trouble ?? error;
      }
    },
    hangUp() {
      // Closed once more, the next connection would be taken for one that is to be closed.
      if (redis.status !== "end") redis.disconnect();
    },
  };
}

const nameOf = ({ url }: RedisServer, { username, port }: RedisAddress) =>
  `${username === undefined ? "" : `${username}@`}${new URL(url).hostname}:${port}`;

/**
 * Finds out whether a server is there, lets us in and is young enough: for those who bring a client of their own.
 *
 * @param patience seconds
 * @returns how ioredis reaches it, and `user@host:port`
 * @throws invalid-option, also if the server or its certificate refuses; unavailable if nobody answers; unsupported if it is too old
 */
export async function reachRedis(
  server: RedisServer,
  patience: number,
): Promise<{ readonly address: RedisAddress; readonly name: string }> {
  const connection = openConnection(server);
  await connectAtFirst(connection, patience, () => requireVersion(connection));
  connection.hangUp();
  return { address: addressOf(server), name: connection.name };
}

function parse(url: string) {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed && ["redis:", "rediss:"].includes(parsed.protocol) && parsed.hostname !== "") return parsed;
  // The URL is not shown: it may hold a password.
  const wanted = "redis://[username:password@]host[:port][/database], or rediss:// for TLS";
  throw new MagicMaskError("invalid-option", SOURCE, `the URL must look like ${wanted}`);
}

/**
 * Connects and takes the first steps, trying for `patience` seconds where nobody answers.
 *
 * @throws unavailable if nobody does; invalid-option if the server or its certificate refuses; what the steps throw
 */
export async function connectAtFirst<T>(connection: Connection, patience: number, begin: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 1000 * patience;
  const waits = pauses();
  for (;;) {
    try {
      await connection.connect();
      return await begin();
    } catch (error) {
      connection.hangUp();
      const lasting = lastingTrouble(error as NodeJS.ErrnoException, connection.name);
      if (lasting) throw lasting;
      const pause = waits.next().value as number;
      if (performance.now() + pause < deadline) {
        await sleep(pause);
        continue;
      }
      const message = `cannot reach Redis at ${connection.name}: ${(error as Error).message}`;
      const todo = "start a Redis server there (≥ 6.2), or give the URL of another";
      throw new MagicMaskError("unavailable", SOURCE, `${message}; ${todo}`, { cause: error });
    }
  }
}

/** What trying again would not help, as an error of ours. */
function lastingTrouble(error: NodeJS.ErrnoException, name: string): MagicMaskError | undefined {
  const { message, code = "" } = error;
  if (isMagicMaskError(error)) return error;
  const refuse = (what: string) => new MagicMaskError("invalid-option", SOURCE, what, { cause: error });
  if (message.startsWith("NOAUTH")) return refuse(`${name} wants a password; give its username and password`);
  if (message.startsWith("WRONGPASS")) return refuse(`${name} refuses the username or password; give the right ones`);
  if (message.startsWith("NOPERM")) return refuse(`${name} refuses: ${message}; give the user that permission`);
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(code))
    return refuse(`no TLS with ${name}: ${message}; give the certificate of its authority as tls.ca`);
  return undefined;
}

/**
 * Does one thing over and over, connected, until `over` is aborted; after any trouble it connects anew, and waits twice as long
 * each time.
 *
 * @param onTrouble told what went wrong
 */
export async function keepDoing(
  { redis, connect, hangUp }: Connection,
  step: () => Promise<void>,
  over: AbortSignal,
  onTrouble: (error: Error) => void,
): Promise<void> {
  let waits = pauses();
  while (!over.aborted) {
    try {
      if (redis.status !== "ready") await connect();
      await step();
      waits = pauses();
    } catch (error) {
      if (over.aborted) return;
      onTrouble(error as Error);
      hangUp();
      // It rejects when it is cut short.
      await sleep(waits.next().value as number, undefined, { signal: over }).catch(() => {});
    }
  }
}

/** Milliseconds to wait, again and again. */
function* pauses() {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) yield pause;
}

/** Lets Redis 6.2 and later pass. @throws unsupported */
export async function requireVersion({ redis, name }: Connection): Promise<void> {
  // Without a protocol's version the command came with 6.2. It needs no permission, as INFO would.
  const reply = (await redis.call("HELLO").catch((error: Error) => {
    if (!/^ERR (unknown command|wrong number)/.test(error.message)) throw error;
    return ["version", "below 6.2"];
  })) as unknown[];
  const version = String(reply[reply.indexOf("version") + 1]);
  const [major, minor] = version.split(".").map(Number);
  if (major > 6 || (major === 6 && minor >= 2)) return;
  throw new MagicMaskError("unsupported", SOURCE, `Redis ≥ 6.2 is needed, ${name} runs ${version}; update it`);
}
