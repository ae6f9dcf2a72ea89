/** What studies, workers and onlookers tell each other in Redis, beside the tasks. */
import type { RedisAddress } from "@magic-mask/comm/redis";
import type { ErrorFields } from "@magic-mask/core/threads";
import { Redis } from "ioredis";
import { addressOf } from "../../work/address.ts";
import type { StudyPlan } from "../plan.ts";
import type { Status } from "../status.ts";
import type { Making } from "../tasks.ts";
import type { Program } from "./program.ts";

/** A study that is worked on. */
export interface Announcement {
  readonly format: 1;
  /** Digest of all that follows. */
  readonly id: string;
  /** As `loadStudy` takes it. */
  readonly study: string;
  /** Of its file, where it is one; null for a study that comes with the program. */
  readonly sha256: string | null;
  readonly plan: StudyPlan;
  readonly program: Program;
  /** Where its cache is on its machine, and what a file in there says: whoever reads the same has the same folder. */
  readonly cache: { readonly path: string; readonly mark: string };
}

/** A worker as it was last seen. */
export interface Sighting {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly program: Program;
  /** How many tasks it does side by side. */
  readonly jobs: number;
  /** What it does now, and the share of it that is done. */
  readonly doing: readonly { readonly study: string; readonly what: string; readonly share: number }[];
  readonly done: number;
  readonly failed: number;
  readonly startedAt: string;
}

/** What the queue holds of a task, and what comes of it. */
export interface QueuedTask {
  /** Id of the announcement. */
  readonly study: string;
  readonly task: Making;
}

/** What came of it. Done: what was made is in the cache of that mark, or in Redis where it is null. Stopped: it goes on where it was. */
export type Outcome =
  | { readonly kind: "done"; readonly mark: string | null }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly error: ErrorFields };

/** First part of every key. */
export const PREFIX = "magic-mask";
/** Seconds after which whoever says nothing is gone. */
export const SILENCE = 30;
const DAY = 86_400;
/** Ids of those that were heard of. */
const STUDIES = `${PREFIX}:studies`;
const WORKERS = `${PREFIX}:workers`;
const keyOfWorker = (id: string) => `${PREFIX}:worker:${id}`;

/** Tasks are for programs that come to the same figures. BullMQ allows no colon. */
export const queueOf = (program: Program): string => `tasks-${addressOf(program)}`;

export const prefixOf = (study: string): string => `${PREFIX}:study:${study}`;

/** Commands wait for a server that is away, and are sent again. */
export const connectionTo = (address: RedisAddress) => ({ ...address, maxRetriesPerRequest: null });

export interface Board {
  readonly redis: Redis;
  announce(about: Announcement): Promise<void>;
  isAnnounced(study: string): Promise<boolean>;
  /** Says that its workers are to stop where they can go on later. */
  stop(study: string): Promise<void>;
  isStopped(study: string): Promise<boolean>;
  /** @returns undefined for one that is over */
  announcement(study: string): Promise<Announcement | undefined>;
  announcements(): Promise<Announcement[]>;
  /** Says that it is still there, and how it stands. */
  tell(study: string, status: Status | undefined): Promise<void>;
  isThere(study: string): Promise<boolean>;
  /** How all studies stand that were heard of within a day. */
  statuses(): Promise<Status[]>;
  /** Takes the announcement away, and leaves how it ended. */
  end(study: string): Promise<void>;
  /** Asks for files of its cache, and waits until there is an answer. */
  ask(study: string, paths: readonly string[]): Promise<void>;
  asked(study: string): Promise<string[]>;
  answered(study: string, path: string): Promise<void>;
  /** Whether an answer to any of these is still to come. */
  isAsked(study: string, paths: readonly string[]): Promise<boolean>;
  see(worker: Sighting): Promise<void>;
  leave(worker: string): Promise<void>;
  workers(): Promise<Sighting[]>;
  close(): void;
}

export function createBoard(address: RedisAddress, onTrouble: (error: Error) => void): Board {
  const redis = new Redis(connectionTo(address));
  redis.on("error", onTrouble);
  const key = (study: string, part: string) => `${prefixOf(study)}:${part}`;
  /** What is under a part of the keys of all that were heard of, by id. */
  const parts = async <T>(set: string, keyOf: (id: string) => string): Promise<Map<string, T>> => {
    const ids = await redis.smembers(set);
    const texts = ids.length > 0 ? await redis.mget(ids.map(keyOf)) : [];
    return new Map(
      ids.flatMap((id, i) => {
        const text = texts[i];
        return text === null ? [] : [[id, JSON.parse(text) as T]];
      }),
    );
  };
  return {
    redis,
    async announce(about) {
      const text = JSON.stringify(about);
      const { id } = about;
      await redis
        .multi()
        .set(key(id, "about"), text, "EX", 7 * DAY)
        .del(key(id, "stopped"), key(id, "asked"))
        .set(key(id, "alive"), "1", "EX", SILENCE)
        .sadd(STUDIES, id)
        .exec();
    },
    isAnnounced: async (study) => (await redis.exists(key(study, "about"))) === 1,
    stop: async (study) => void (await redis.set(key(study, "stopped"), "1", "EX", 7 * DAY)),
    isStopped: async (study) => (await redis.exists(key(study, "stopped"))) === 1,
    async announcement(study) {
      const text = await redis.get(key(study, "about"));
      return text === null ? undefined : (JSON.parse(text) as Announcement);
    },
    announcements: async () => [...(await parts<Announcement>(STUDIES, (id) => key(id, "about"))).values()],
    async tell(study, status) {
      const transaction = redis.multi().set(key(study, "alive"), "1", "EX", SILENCE);
      if (status) transaction.set(key(study, "status"), JSON.stringify(status), "EX", DAY);
      await transaction.exec();
    },
    isThere: async (study) => (await redis.exists(key(study, "alive"))) === 1,
    async statuses() {
      const known = await parts<Status>(STUDIES, (id) => key(id, "status"));
      const found: Status[] = [];
      for (const [id, status] of known) {
        const isGone = status.state === "running" && (await redis.exists(key(id, "alive"))) === 0;
        found.push(isGone ? { ...status, state: "stopped", secondsLeft: null } : status);
      }
      const there = await parts(STUDIES, (id) => key(id, "about"));
      const gone = (await redis.smembers(STUDIES)).filter((id) => !known.has(id) && !there.has(id));
      if (gone.length > 0) await redis.srem(STUDIES, ...gone);
      return found.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
    },
    end: async (study) =>
      void (await redis.unlink(["about", "stopped", "asked", "alive"].map((part) => key(study, part)))),
    ask: async (study, paths) => void (await redis.sadd(key(study, "asked"), ...paths)),
    asked: (study) => redis.smembers(key(study, "asked")),
    answered: async (study, path) => void (await redis.srem(key(study, "asked"), path)),
    isAsked: async (study, paths) => (await redis.smismember(key(study, "asked"), ...paths)).includes(1),
    async see(worker) {
      const text = JSON.stringify(worker);
      await redis.multi().set(keyOfWorker(worker.id), text, "EX", SILENCE).sadd(WORKERS, worker.id).exec();
    },
    leave: async (worker) => void (await redis.multi().unlink(keyOfWorker(worker)).srem(WORKERS, worker).exec()),
    async workers() {
      const found = await parts<Sighting>(WORKERS, keyOfWorker);
      const gone = (await redis.smembers(WORKERS)).filter((id) => !found.has(id));
      if (gone.length > 0) await redis.srem(WORKERS, ...gone);
      return [...found.values()];
    },
    close: () => redis.disconnect(),
  };
}
