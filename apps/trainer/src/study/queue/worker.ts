/** `magic-mask worker`: does tasks of studies that come through Redis (`engine.ts`). */

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RedisServer, reachRedis } from "@magic-mask/comm/redis";
import { checkCount, MagicMaskError } from "@magic-mask/core";
import { fieldsOf } from "@magic-mask/core/threads";
import { type Job, WaitingError, Worker } from "bullmq";
import { assembleWorld, policyWork } from "../../assemble.ts";
import { loadBackend } from "../../backend.ts";
import { makeFolder } from "../../run/folder.ts";
import { lockRun } from "../../run/lock.ts";
import { sha256 } from "../../run/sealed-json.ts";
import { createInterrupt } from "../../terminal/interrupt.ts";
import { formatDuration } from "../../terminal/progress.ts";
import { addressOf } from "../../work/address.ts";
import { type ProcessHand, processHand } from "../processes.ts";
import { type Making, nameOf, pathsOf } from "../tasks.ts";
import {
  type Announcement,
  connectionTo,
  createBoard,
  type Outcome,
  PREFIX,
  prefixOf,
  type QueuedTask,
  queueOf,
  SILENCE,
} from "./board.ts";
import { readMark } from "./cache-mark.ts";
import { createParcels, type Parcels } from "./parcels.ts";
import { describeProgram, type Program, thisProgram } from "./program.ts";

export interface WorkerOptions {
  readonly server: RedisServer;
  /** Folder for what is on its way; or the study's own cache, where this machine sees it elsewhere than the study's does. */
  readonly cache: string;
  /** Tasks side by side, each in a process of its own. */
  readonly jobs: number;
  /** Seconds after which tasks of a worker that says nothing are given to others. */
  readonly patience: number;
}

export interface WorkerOutcome {
  readonly done: number;
  readonly failed: number;
  /** 0; 130 or 143 after an interrupt. */
  readonly exitCode: number;
}

const SOURCE = "trainer/queue-worker";
/** Seconds that are waited for a server at first. */
const PATIENCE = 10;
/** Milliseconds from one word on a task to the next. */
const PERIOD = 1000;
/** How often a task may lose its worker. */
const STALLS = 100;

/** A study, as this worker works on it. */
interface Opened {
  readonly about: Announcement;
  readonly cache: string;
  /** Whether that is the study's own. */
  readonly shared: boolean;
  readonly parcels: Parcels;
}

interface Slot {
  of?: Opened;
  hand?: ProcessHand;
  task?: Making;
  job?: string | undefined;
  /** Whether the task may be another's by now: then nothing of it is delivered from here. */
  lost?: boolean;
}

/**
 * Takes tasks and does them, until it is interrupted; then what is in hand is given back, to go on elsewhere from where it was.
 *
 * @throws as `reachRedis`; unsupported where the studies that are there, or one that it is offered, would come to other figures here
 */
export async function runWorker(options: WorkerOptions): Promise<WorkerOutcome> {
  const { server, jobs, patience } = options;
  checkCount(SOURCE, "--jobs", jobs, 1, 256);
  checkCount(SOURCE, "--patience", patience, 1, 3600);
  const cache = resolve(options.cache);
  const program = thisProgram();
  const { address, name } = await reachRedis(server, PATIENCE);
  const say = (text: string) => process.stderr.write(`${text}\n`);
  let trouble: string | undefined;
  const onTrouble = ({ message }: Error) => {
    if (message !== trouble) say(`Redis at ${name}: ${message}`);
    trouble = message;
  };
  const board = createBoard(address, onTrouble);
  const interrupt = createInterrupt();
  let unlock = () => {};
  try {
    // Those that nobody waits for any more may be of any program.
    const there: Announcement[] = [];
    for (const about of await board.announcements()) if (await board.isThere(about.id)) there.push(about);
    const strange = there.filter((about) => addressOf(about.program) !== addressOf(program));
    for (const about of strange) say(`${about.study}: ${misfit(about, program)}`);
    if (there.length > 0 && strange.length === there.length) {
      const first = strange[0];
      throw new MagicMaskError("unsupported", SOURCE, `${first.study}: ${misfit(first, program)}`);
    }
  } catch (error) {
    interrupt.restore();
    board.close();
    throw error;
  }

  const slots: Slot[] = Array.from({ length: jobs }, () => ({}));
  const counts = { done: 0, failed: 0 };
  let refusal: Error | undefined;
  const isOver = () => interrupt.requested || refusal !== undefined;

  const lockOwn = (() => {
    let locked = false;
    return () => {
      if (locked) return;
      locked = true;
      makeFolder(SOURCE, cache);
      unlock = lockRun(cache);
    };
  })();
  const studies = new Map<string, Promise<Opened | undefined>>();
  const open = async (id: string): Promise<Opened | undefined> => {
    const about = await board.announcement(id);
    if (!about) return undefined;
    await requireFit(about, program);
    const { mark, path } = about.cache;
    const seen = [cache, path].find((folder) => readMark(folder) === mark);
    if (seen === undefined) lockOwn();
    return {
      about,
      cache: seen ?? join(cache, id),
      shared: seen !== undefined,
      parcels: createParcels(board.redis, prefixOf(id)),
    };
  };
  const opened = (id: string) => {
    const known = studies.get(id) ?? open(id);
    studies.set(id, known);
    // What is over now may be announced again.
    known.then((found) => found ?? studies.delete(id)).catch(() => studies.delete(id));
    return known;
  };

  /** Brings what a task needs, and what was made of it before. @returns undefined if the study does not answer; else whether there was some */
  const bring = async ({ about: { id, plan }, parcels, cache: own }: Opened, task: Making) => {
    const { needs, makes } = pathsOf(plan, task);
    const unknown: string[] = [...needs];
    for (const path of makes) if (!(await parcels.has(path))) unknown.push(path);
    if (unknown.length > 0) await board.ask(id, unknown);
    while (unknown.length > 0 && (await board.isAsked(id, unknown))) {
      if (isOver() || !(await board.isThere(id))) return undefined;
      await sleep(PERIOD / 10);
    }
    for (const path of needs) await parcels.fetch(path, own);
    let some = false;
    for (const path of makes) some = (await parcels.fetch(path, own)) || some;
    return some;
  };

  const work = async (slot: Slot, study: Opened, task: Making, job: Job<QueuedTask, Outcome>): Promise<boolean> => {
    const { about, shared, parcels, cache: own } = study;
    const { makes } = pathsOf(about.plan, task);
    if (slot.of !== study) {
      await slot.hand?.close();
      slot.hand = processHand(about.study, about.plan, own);
      slot.of = study;
    }
    const hand = slot.hand as ProcessHand;
    const over = new AbortController();
    /** Until the next word is due, or the task has ended. */
    const pause = () => sleep(PERIOD, undefined, { signal: over.signal }).catch(() => {});
    let heard = performance.now();
    const beat = async () => {
      while (!over.signal.aborted) {
        await job.updateProgress(hand.share());
        if (isOver() || (await board.isStopped(about.id))) hand.stop();
        heard = performance.now();
        await pause();
      }
    };
    const deliver = async () => {
      while (!over.signal.aborted && !shared) {
        for (const path of makes) if (!slot.lost) await parcels.send(path, own);
        await pause();
      }
    };
    // Whoever is not heard loses the task to another: both at once would write the same files.
    const watchdog = setInterval(() => performance.now() - heard > 1000 * patience && lose(slot), PERIOD / 4);
    const running = hand.run(task);
    const beside = Promise.all([beat(), deliver()]).catch((error: Error) => {
      onTrouble(error);
      lose(slot);
    });
    try {
      return await running;
    } finally {
      over.abort();
      clearInterval(watchdog);
      await beside;
      // What was kept on the way goes where it is not needed any more.
      for (const path of shared || slot.lost ? [] : makes) {
        if (!(await parcels.send(path, own))) await parcels.remove(path);
      }
    }
  };

  const giveBack = async (job: Job, token: string | undefined): Promise<never> => {
    await job.moveToWait(token);
    throw new WaitingError();
  };

  const serve = async (job: Job<QueuedTask, Outcome>, token?: string): Promise<Outcome> => {
    const { study: id, task } = job.data;
    if (isOver()) return giveBack(job, token);
    let study: Opened | undefined;
    try {
      study = await opened(id);
    } catch (error) {
      refusal ??= error as Error;
      return giveBack(job, token);
    }
    // Nobody waits for it any more.
    if (!study || (await board.isStopped(id))) return { kind: "stopped" };
    const slot = slots.find((each) => each.task === undefined) as Slot;
    slot.task = task;
    slot.job = job.id;
    slot.lost = false;
    const what = nameOf(study.about.plan, task);
    const begun = performance.now();
    const tell = (how: string) =>
      say(`${study.about.study}: ${what}: ${how} after ${formatDuration((performance.now() - begun) / 1000)}`);
    try {
      const brought = study.shared ? false : await bring(study, task);
      if (brought === undefined) {
        // Its study may come back.
        await sleep(PERIOD);
        return await giveBack(job, token);
      }
      if (slot.lost) return { kind: "stopped" };
      if (brought) say(`${study.about.study}: ${what}: goes on from where another was`);
      const done = await work(slot, study, task, job);
      if (!done && isOver()) {
        tell("given back");
        return await giveBack(job, token);
      }
      counts.done += Number(done);
      tell(done ? "done" : "stopped");
      return done ? { kind: "done", mark: study.shared ? study.about.cache.mark : null } : { kind: "stopped" };
    } catch (error) {
      if (error instanceof WaitingError) throw error;
      counts.failed++;
      tell(`failed, ${(error as Error).message}`);
      return { kind: "failed", error: fieldsOf(error) };
    } finally {
      delete slot.task;
    }
  };

  const worker = new Worker<QueuedTask, Outcome>(queueOf(program), serve, {
    connection: connectionTo(address),
    prefix: PREFIX,
    concurrency: jobs,
    lockDuration: 1000 * patience,
    stalledInterval: 1000 * patience,
    maxStalledCount: STALLS,
    drainDelay: 1,
  });
  worker.on("error", onTrouble);
  worker.on("lockRenewalFailed", (lost) => {
    // Another has them by now.
    for (const slot of slots) if (slot.task && slot.job && lost.includes(slot.job)) lose(slot);
  });
  say(
    `${describeProgram(program)}: waiting for tasks at ${name}, ${jobs} side by side; Ctrl-C gives them back and ends`,
  );

  const self = { id: randomUUID(), host: hostname(), pid: process.pid, program, jobs };
  const startedAt = new Date().toISOString();
  try {
    while (!isOver()) {
      const doing = slots.flatMap(({ of, hand, task }) =>
        of && hand && task ? [{ study: of.about.study, what: nameOf(of.about.plan, task), share: hand.share() }] : [],
      );
      await Promise.race([board.see({ ...self, ...counts, doing, startedAt }), sleep(1000 * SILENCE)]);
      for (let waited = 0; waited < 10 && !isOver(); waited++) await sleep(PERIOD / 10);
    }
    await worker.pause(true);
    for (const { hand, task } of slots) if (task) hand?.stop();
    await worker.close();
    await board.leave(self.id);
  } finally {
    await Promise.all(slots.map(({ hand }) => hand?.close()));
    interrupt.restore();
    board.close();
    unlock();
  }
  if (refusal) throw refusal;
  return { ...counts, exitCode: interrupt.exitCode };
}

/** Gives up a task that another may have by now. */
function lose(slot: Slot): void {
  slot.lost = true;
  slot.hand?.kill();
}

const misfit = (about: Announcement, own: Program) =>
  `was begun by ${describeProgram(about.program)}, and this is ${describeProgram(own)}: figures of the two do not mix; check out that commit, or use that Node`;

/** @throws unsupported where the study's backends or its file are not here */
async function requireFit(about: Announcement, own: Program): Promise<void> {
  const refuse = (why: string) => new MagicMaskError("unsupported", SOURCE, `${about.study}: ${why}`);
  if (addressOf(about.program) !== addressOf(own)) throw refuse(misfit(about, own));
  if (about.sha256 !== null) {
    const found = digestOf(about.study);
    if (found !== about.sha256) {
      const what = found === undefined ? "is not here" : "is another here";
      throw refuse(`the file ${what}; copy the study's to the same path`);
    }
  }
  for (const { subjects } of about.plan.worlds) {
    const { config } = subjects.policies[0];
    const backend = config.backend;
    try {
      await loadBackend({ backend, workers: 0 }, policyWork(config, assembleWorld(config)));
    } catch (error) {
      throw refuse(`backend ${backend} cannot be had here: ${(error as Error).message}`);
    }
  }
}

function digestOf(file: string): string | undefined {
  try {
    return sha256(readFileSync(file));
  } catch {
    return undefined;
  }
}
