/** Tasks go through a queue on Redis to workers on any machine (`worker.ts`). */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RedisServer, reachRedis } from "@magic-mask/comm/redis";
import { MagicMaskError } from "@magic-mask/core";
import { fieldsOf, reviveError } from "@magic-mask/core/threads";
import { type Job, Queue } from "bullmq";
import { sha256 } from "../../run/sealed-json.ts";
import { addressOf } from "../../work/address.ts";
import type { Hand } from "../../work/pool.ts";
import type { Task } from "../bench.ts";
import type { EngineWork, OpenEngine } from "../engine.ts";
import { isStudyFile } from "../registry.ts";
import { isMade, type Making, pathsOf } from "../tasks.ts";
import {
  type Announcement,
  connectionTo,
  createBoard,
  type Outcome,
  PREFIX,
  prefixOf,
  type QueuedTask,
  queueOf,
} from "./board.ts";
import { markOf } from "./cache-mark.ts";
import { createParcels } from "./parcels.ts";
import { thisProgram } from "./program.ts";

const SOURCE = "trainer/queue";
/** Most tasks that are in the queue at once: more workers than that have nothing to do. */
const MOST = 256;
/** Seconds that are waited for a server at first. */
const PATIENCE = 10;
/** Milliseconds from one look at the tasks in the queue to the next. */
const PERIOD = 300;
/** Seconds after which a worker that was asked to stop is left alone. */
const STOPPING = 30;
/** Seconds that a file takes at most from one machine to another through a shared folder. */
const SETTLING = 60;

/** A task in the queue, and who waits for it. */
interface Awaited {
  readonly id: string;
  share: number;
  /** @param outcome undefined if it is gone from the queue */
  settle(outcome: Outcome | undefined): void;
}

/**
 * An engine of workers that take tasks from Redis. What they make comes back through a folder that both see, or through Redis.
 *
 * @throws as `reachRedis`; unsupported for a plan that JSON cannot carry
 */
export const redisQueue =
  (server: RedisServer): OpenEngine =>
  async (work) => {
    const { plan, cache } = work;
    const { address, name } = await reachRedis(server, PATIENCE);
    const about = announcementOf(work);
    let trouble: string | undefined;
    const onTrouble = ({ message }: Error) => {
      if (message !== trouble) process.stderr.write(`Redis at ${name}: ${message}; trying again\n`);
      trouble = message;
    };
    const board = createBoard(address, onTrouble);
    const parcels = createParcels(board.redis, prefixOf(about.id));
    const queue = new Queue<QueuedTask, Outcome>(queueOf(about.program), {
      connection: connectionTo(address),
      prefix: PREFIX,
    });
    queue.on("error", onTrouble);
    await board.announce(about);

    const awaited = new Set<Awaited>();
    let workers = 0;
    let stopped = false;
    let closed = false;
    let finished = false;

    const look = async (each: Awaited) => {
      const job = (await queue.getJob(each.id)) as Job<QueuedTask, Outcome> | undefined;
      if (!job) return each.settle(undefined);
      if (typeof job.progress === "number") each.share = job.progress;
      if (!job.finishedOn) return;
      // Whoever takes a task says what came of it, unless nobody ends it.
      const lost = new MagicMaskError("worker-lost", SOURCE, `no worker ends it: ${job.failedReason}`);
      each.settle(job.failedReason ? { kind: "failed", error: fieldsOf(lost) } : job.returnvalue);
    };
    const watch = async () => {
      let alone = false;
      while (!closed) {
        await board.tell(about.id, undefined);
        // A server that has lost everything is told again.
        if (!stopped && !(await board.isAnnounced(about.id))) await board.announce(about);
        const seen = (await board.workers()).filter(({ program }) => queueOf(program) === queueOf(about.program));
        workers = seen.reduce((sum, { jobs }) => sum + jobs, 0);
        trouble = undefined;
        if (workers === 0 && !alone && awaited.size > 0) {
          process.stderr.write(
            `no worker is there; start some: magic-mask worker --redis ${server.url.replace(/\/\/.*@/, "//")}\n`,
          );
        }
        alone = workers === 0 && awaited.size > 0;
        for (const path of await board.asked(about.id)) {
          await parcels.send(path, cache);
          await board.answered(about.id, path);
        }
        for (const each of [...awaited]) await look(each);
        await sleep(PERIOD);
      }
    };
    // It waits for a server that is away; what else goes wrong is every task's trouble.
    let broken: Error | undefined;
    const watching = watch().catch((error: Error) => {
      broken = error;
      for (const each of [...awaited]) each.settle({ kind: "failed", error: fieldsOf(error) });
    });

    /** Puts a task into the queue, unless it is there, and waits for what comes of it. */
    const queued = async (id: string, task: Making, hold: (each: Awaited) => void): Promise<Outcome | undefined> => {
      if (broken) throw broken;
      const old = (await queue.getJob(id)) as Job<QueuedTask, Outcome> | undefined;
      // What failed, or was stopped, is tried anew; what was done while nobody waited for it is taken.
      if (old?.finishedOn && old.returnvalue?.kind !== "done") await old.remove();
      await queue.add(task.kind, { study: about.id, task }, { jobId: id });
      return new Promise((resolve) => {
        const each: Awaited = {
          id,
          share: 0,
          settle(outcome) {
            awaited.delete(each);
            resolve(outcome);
          },
        };
        awaited.add(each);
        hold(each);
      });
    };

    /** Sees to it that what a task has made is in the cache. */
    const collect = async (task: Making, mark: string | null): Promise<boolean> => {
      if (mark === null) {
        // Some of it is of use on the way alone, and is gone by now.
        for (const path of pathsOf(plan, task).makes) await parcels.fetch(path, cache);
        return isMade(plan, task, cache);
      }
      // A folder of another machine shows what is new a while later.
      for (let waited = 0; waited < SETTLING; waited++) {
        if (await isMade(plan, task, cache)) return true;
        await sleep(1000);
      }
      return false;
    };

    const hand = (): Hand<Task> => {
      let current: Awaited | undefined;
      let asked = false;
      return {
        async run(task) {
          if (task.kind === "pilot") throw new MagicMaskError("unsupported", SOURCE, "timing is this machine's alone");
          const { makes } = pathsOf(plan, task);
          const id = `${about.id}-${addressOf({ kind: task.kind, makes })}`;
          for (let trial = 0; trial < 2 && !stopped; trial++) {
            let outcome: Outcome | undefined;
            do {
              outcome = await queued(id, task, (each) => {
                current = each;
              });
              current = undefined;
              // Another end of the same study may have stopped it, or somebody emptied the queue.
            } while (!stopped && (outcome === undefined || outcome.kind === "stopped"));
            if (outcome?.kind === "failed") {
              await queue.remove(id);
              throw reviveError(outcome.error);
            }
            if (outcome?.kind !== "done") {
              // How far it came.
              for (const path of makes) await parcels.fetch(path, cache);
              await queue.remove(id);
              return false;
            }
            const collected = await collect(task, outcome.mark);
            await queue.remove(id);
            for (const path of makes) await parcels.remove(path);
            if (collected) return true;
          }
          if (stopped) return false;
          throw new MagicMaskError("io", SOURCE, "a worker has done it, and what it made is nowhere to be found");
        },
        share: () => current?.share ?? 0,
        stop() {
          stopped = true;
          const each = current;
          if (!each || asked) return;
          asked = true;
          const leave = async () => {
            await board.stop(about.id);
            // A task that nobody has taken leaves the queue; else its worker says how far it came.
            if ((await queue.remove(each.id)) === 1) each.settle({ kind: "stopped" });
          };
          leave().catch(onTrouble);
          setTimeout(() => each.settle({ kind: "stopped" }), 1000 * STOPPING).unref();
        },
      };
    };

    return {
      hands: Array.from({ length: MOST }, hand),
      workers: () => workers,
      tell(status) {
        finished = status.state === "finished" || status.state === "failed";
        board.tell(about.id, status).catch(onTrouble);
      },
      async close() {
        closed = true;
        const leave = async () => {
          await watching;
          // What was stopped goes on from what Redis holds.
          if (finished) {
            await parcels.removeAll();
            await board.end(about.id);
          }
          await queue.close();
        };
        await Promise.race([leave().catch(onTrouble), sleep(5000)]);
        queue.disconnect().catch(() => {});
        board.close();
      },
    };
  };

function announcementOf({ study, plan, cache }: EngineWork): Announcement {
  const isFile = isStudyFile(study);
  const about = {
    format: 1,
    study: isFile ? resolve(study) : study,
    sha256: isFile ? sha256(readFileSync(study)) : null,
    plan,
    program: thisProgram(),
    cache: { path: resolve(cache), mark: markOf(cache) },
  } as const;
  return { ...about, id: addressOf(about) };
}
