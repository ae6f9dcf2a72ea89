import { stream } from "@magic-mask/core";
import { assembleExplanation } from "../assemble.ts";
import { assemble } from "../compare/policies.ts";
import type { Config } from "../config.ts";
import { trainJointly } from "../joint.ts";
import type { Memory } from "../memory.ts";
import { coreSeconds } from "./core-seconds.ts";

/** What training takes, in seconds per agent-step. */
export interface TrainingTime {
  /** Wall, of everything, and of telling: messages written, carried, read, and taken into memories. */
  readonly wall: number;
  readonly wallComm: number;
  /** Of a core, of everything: on a machine with nothing else to do, the same as the wall's. */
  readonly core: number;
  /** Of that, for telling. */
  readonly comm: number;
  /** Of that, for one's own records: written, and taken into one's own memory, whether or not anybody is told. */
  readonly remember: number;
  /** Of that, for training on records, one's own and peers'. */
  readonly heads: number;
}

/** Iterations in which everything is new: not timed. */
const FIRST = 2;

/**
 * Trains policies, masks and heads together in one thread, from the start, where most is blinded and so most is told.
 *
 * @param iterations that are timed, ≥ 1
 * @returns undefined for training that is over before there was one to time
 */
export async function timeTraining(config: Config, iterations: number): Promise<TrainingTime | undefined> {
  const alone = { ...config, workers: 0 };
  const { world, team, backend } = await assemble(alone);
  const explanation = assembleExplanation(
    alone,
    world,
    backend.create,
    stream(config.seed, "explanation").bits(),
    false,
  );
  const { memory, spent } = clocked(explanation.memory);
  let wall = 0;
  let wallComm = 0;
  let begun = { ...spent, core: 0 };
  let done = -FIRST;
  for await (const { seconds } of trainJointly(alone, world, team, { ...explanation, memory }, backend)) {
    if (++done === 0) begun = { ...spent, core: coreSeconds() };
    if (done <= 0) continue;
    wall += seconds.total;
    wallComm += seconds.comm;
    if (done === iterations) break;
  }
  if (done <= 0) return undefined;
  const core = coreSeconds() - begun.core;
  const { copies, rolloutTicks } = config.training;
  const per = (seconds: number) => seconds / (done * copies * rolloutTicks * world.spec.agents.length);
  return {
    wall: per(wall),
    wallComm: per(wallComm),
    core: per(core),
    comm: per(spent.comm - begun.comm),
    remember: per(spent.remember - begun.remember),
    heads: per(spent.heads - begun.heads),
  };
}

/** The same memory, with what it takes in seconds of a core: that of other processes does not count. */
function clocked(memory: Memory) {
  const spent = { remember: 0, comm: 0, heads: 0 };
  const timed = <T>(part: keyof typeof spent, work: () => T): T => {
    const begun = coreSeconds();
    const result = work();
    spent[part] += coreSeconds() - begun;
    return result;
  };
  const clock: Memory = {
    ...memory,
    remember: (...of) => timed("remember", () => memory.remember(...of)),
    share: (...of) => timed("remember", () => memory.share(...of)),
    tick: (now) => timed("comm", () => memory.tick(now)),
    async fitHeads(steps, now) {
      const begun = coreSeconds();
      await memory.fitHeads(steps, now);
      spent.heads += coreSeconds() - begun;
    },
  };
  return { memory: clock, spent };
}
