import { vectorize } from "@magic-mask/core";
import { createCollector } from "@magic-mask/ppo";
import {
  assembleExplanation,
  assembleTeam,
  assembleWorld,
  policyWork,
  type Team,
  type World,
} from "../../apps/trainer/src/assemble.ts";
import { loadBackend } from "../../apps/trainer/src/backend.ts";
import { type Config, resolveConfig } from "../../apps/trainer/src/config.ts";
import { trainJointly } from "../../apps/trainer/src/joint.ts";
import { cpuMilliseconds } from "../measure/in-turns.ts";

/** What a child process is started with. */
export interface JobOptions {
  /** Configuration overrides: `training.copies=64`. */
  readonly overrides: readonly string[];
}

/** Trains on for about so many CPU milliseconds, or so many iterations, or takes apart what collecting costs. */
export type JobRequest = { readonly train: number } | { readonly iterations: number } | { readonly takeApart: number };

/** What came of training. */
export interface Trained {
  readonly steps: number;
  /** Of all threads. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Digest of the whole run so far. */
  readonly hash: string;
  /** Shares of the wall time, for they are read off a clock inside. */
  readonly shares: { readonly collect: number; readonly update: number; readonly mask: number; readonly comm: number };
  /** Records that agents had from peers. */
  readonly received: number;
  /** MiB, now and at most so far. */
  readonly memory: { readonly now: number; readonly peak: number };
}

/** Shares of the CPU time that collecting takes: of a clock, whoever else runs would take some. */
export interface CollectShares {
  /** Stepping worlds, and writing out what agents see and may do. */
  readonly environment: number;
  /** Policies, of all decisions of a tick at once. */
  readonly inference: number;
  /** Drawing actions, recording decisions, hashing. */
  readonly rest: number;
}

/** The trainer's own loop, in a process of its own and without a run folder. */
export async function start({ overrides }: JobOptions): Promise<(request: JobRequest) => Promise<unknown>> {
  const config = resolveConfig({ overrides });
  const world = assembleWorld(config);
  const backend = await loadBackend(config, policyWork(config, world));
  const { create } = backend;
  const team = assembleTeam(config, world, create);
  const explanation = config.mask.enabled ? assembleExplanation(config, world, create, config.seed, false) : undefined;
  const iterations = trainJointly(config, world, team, explanation, backend);

  const received = () => explanation?.memory.sharing.counters.received.reduce((sum, count) => sum + count, 0) ?? 0;

  return async (request) => {
    if ("takeApart" in request) return takeApart(config, world, team, request.takeApart);
    const before = cpuMilliseconds();
    const begun = performance.now();
    const heard = received();
    const seconds = { collect: 0, update: 0, mask: 0, comm: 0 };
    let steps = 0;
    let hash = "";
    const isEnough = (done: number) =>
      "iterations" in request ? done >= request.iterations : cpuMilliseconds() - before >= request.train;
    for (let done = 0; !isEnough(done); done++) {
      const { value } = await iterations.next();
      if (!value) throw new Error("the run is over: give it more training.totalSteps");
      hash = value.hash;
      steps += config.training.copies * config.training.rolloutTicks;
      const { collect, update, mask, heads, remember, comm } = value.seconds;
      seconds.collect += collect;
      seconds.update += update;
      seconds.mask += mask + heads;
      seconds.comm += remember + comm;
    }
    const total = seconds.collect + seconds.update + seconds.mask + seconds.comm;
    const shares = Object.fromEntries(Object.entries(seconds).map(([name, spent]) => [name, spent / total]));
    const memory = { now: process.memoryUsage.rss() / 2 ** 20, peak: process.resourceUsage().maxRSS / 1024 };
    const cpuMs = cpuMilliseconds() - before;
    const wallMs = performance.now() - begun;
    return { steps, cpuMs, wallMs, hash, shares, received: received() - heard, memory } as Trained;
  };
}

/**
 * Collects with the team as it is, with timers around what a tick calls once. Observations are asked for copy by copy, too often for
 * a clock: they are written out once more before each step, and that is timed.
 */
function takeApart(config: Config, world: World, team: Team, iterations: number): CollectShares {
  const { copies, rolloutTicks } = config.training;
  const vector = vectorize(world.make, copies);
  const spent = { step: 0, observe: 0, inference: 0 };
  const timed = (name: keyof typeof spent, work: () => void) => {
    const begun = cpuMilliseconds();
    work();
    spent[name] += cpuMilliseconds() - begun;
  };
  const N = vector.spec.agents.length;
  const observation = new Float32Array(4096);
  const mask = new Uint8Array(4096);
  const lookAround = () => {
    for (let copy = 0; copy < copies; copy++) {
      for (let agent = 0; agent < N; agent++) {
        if (!vector.acting[copy * N + agent]) continue;
        vector.observe(copy, agent, observation, 0);
        vector.legal(copy, agent, mask, 0);
      }
    }
  };
  const collector = createCollector({
    vector: {
      ...vector,
      step(actions) {
        timed("observe", lookAround);
        timed("step", () => vector.step(actions));
      },
    },
    policies: team.learners.map(({ policy }) => ({
      evaluate: (batch, parameters, values) => timed("inference", () => policy.evaluate(batch, parameters, values)),
    })),
    players: team.players,
    perturbations: world.perturbations,
    seed: config.seed,
    opponents: team.opponents,
  });
  const blinding = { kind: "coin", probability: config.mask.enabled ? config.blinding.initial : 0 } as const;
  for (let k = 0; k < 2; k++) collector.collect(rolloutTicks, blinding);
  Object.assign(spent, { step: 0, observe: 0, inference: 0 });
  const begun = cpuMilliseconds();
  for (let k = 0; k < iterations; k++) collector.collect(rolloutTicks, blinding);
  const total = cpuMilliseconds() - begun - spent.observe;
  const environment = (spent.step + spent.observe) / total;
  const inference = spent.inference / total;
  return { environment, inference, rest: 1 - environment - inference };
}
