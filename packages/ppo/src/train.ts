import {
  checkCount,
  checkRange,
  type Learner,
  MagicMaskError,
  type Policy,
  type Rollout,
  shuffle,
  stream,
  type UpdateStatistics,
} from "@magic-mask/core";
import { computeTargets, explainedVariance, learnableRows, type Targets } from "./advantage.ts";
import type { Blinding, FinishedEpisode } from "./collector.ts";
import type { OpponentsState } from "./opponents.ts";
import { linear, type Schedule } from "./schedule.ts";
import type { ShardedCollector, ShardedState } from "./sharded-collector.ts";

const SOURCE = "ppo/train";

export interface TrainOptions {
  /** Plays the learners' policies: `createShardedCollector`, say. Closing it is the caller's. */
  readonly collector: ShardedCollector;
  /** [L] networks that learn, each with the policy that reads it. */
  readonly learners: readonly { readonly learner: Learner; readonly policy: Policy }[];
  /** Who is blinded, given the progress in [0, 1] at the start of an iteration. */
  readonly blinding: (progress: number) => Blinding;
  /** Environment steps over all copies; the run ends with the iteration that reaches them. */
  readonly totalSteps: number;
  /** Root of all chance. */
  readonly seed: number;
  /** Ticks per iteration: each steps all copies once. */
  readonly rolloutTicks?: number;
  /** Rows per Adam step. */
  readonly minibatch?: number;
  readonly epochs?: number;
  /** γ per decision of the agent, in [0, 1]. */
  readonly discount?: number;
  /** λ in [0, 1]. */
  readonly trace?: number;
  /** ε > 0 */
  readonly clip?: number;
  readonly valueCoefficient?: number;
  readonly entropyCoefficient?: number;
  readonly maxGradNorm?: number;
  readonly learningRate?: Schedule;
  /** Where an earlier run stopped; its options must be the same. */
  readonly resume?: TrainState;
}

/** One round of collecting and learning. Views are valid until the next iteration. */
export interface Iteration {
  /** 1, 2, … */
  readonly index: number;
  /** Environment steps so far, over all copies. */
  readonly steps: number;
  /** Collector ticks so far. */
  readonly ticks: number;
  /** steps / totalSteps */
  readonly progress: number;
  /** [L] */
  readonly rollouts: readonly Rollout[];
  readonly episodes: readonly FinishedEpisode[];
  /**
   * The learners' updates, under way where their backend has threads: other things can learn from the rollouts meanwhile. The next
   * iteration waits for them, and fails as they do if nobody waits here.
   */
  readonly updated: Promise<Updates>;
  readonly learningRate: number;
  readonly blinding: Blinding;
  /** Digest of everything that happened so far. */
  readonly hash: string;
  /** Wall seconds that collecting took. */
  readonly collectSeconds: number;
  /**
   * All that `resume` needs to continue exactly after this iteration; learners' states apart, which are the caller's.
   *
   * @throws out-of-order before `updated` has come, and once the next iteration has begun; as the collector's
   */
  exportState(): Promise<TrainState>;
}

/** What came of an iteration's updates. */
export interface Updates {
  /** [L] with explained_variance; empty where there was nothing to learn from. */
  readonly statistics: readonly UpdateStatistics[];
  /** Wall seconds from the first one's beginning to the last one's end, whatever else was done meanwhile. */
  readonly seconds: number;
}

export interface TrainState {
  readonly iteration: number;
  readonly steps: number;
  readonly collector: ShardedState;
  readonly opponents: OpponentsState;
}

/**
 * Proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347) for any number of agents, in self-play or apart.
 *
 * The caller loops: `for await (const iteration of train(options)) { … }`. Learners are updated in place; save and restore
 * their states next to `exportState()`.
 */
export async function* train(options: TrainOptions): AsyncGenerator<Iteration, void, void> {
  const {
    collector,
    learners,
    blinding,
    totalSteps,
    seed,
    rolloutTicks = 32,
    minibatch = 512,
    epochs = 2,
    discount = 0.99,
    trace = 0.9,
    clip = 0.2,
    valueCoefficient = 0.5,
    entropyCoefficient = 0.1,
    maxGradNorm = 0.5,
    learningRate = linear(4e-3, 0),
    resume,
  } = options;
  checkOptions(options);

  const { players, opponents } = collector;
  const targets: Targets[] = learners.map(() => ({ advantages: new Float32Array(0), returns: new Float32Array(0) }));
  const own = learners.map((_, k) => players.flatMap((player, agent) => (player === k ? [agent] : [])));
  const losses = own.map(([agent]) => {
    const space = collector.spec.actionSpaces[agent];
    return { kind: "ppo", space, clip, valueCoefficient, entropyCoefficient } as const;
  });
  let index = 0;
  let steps = 0;
  if (resume) {
    index = resume.iteration;
    steps = resume.steps;
    opponents.restoreState(resume.opponents);
    await collector.restoreState(resume.collector);
  }

  /** One learner's update from its rollout. */
  const update = async (k: number, rollout: Rollout, rate: number): Promise<UpdateStatistics> => {
    const rows = learnableRows(rollout, own[k]);
    if (rows.length === 0) return {};
    computeTargets(rollout, rows, discount, trace, targets[k]);
    const R = rollout.length;
    const batch = {
      inputs: rollout.observations.subarray(0, R * rollout.widths.observation),
      legal: rollout.legal.subarray(0, R * rollout.widths.legal),
      ...(rollout.candidates && { candidates: rollout.candidates }),
      actions: rollout.actions.subarray(0, R * rollout.widths.action),
      logProbs: rollout.logProbs.subarray(0, R),
      advantages: targets[k].advantages.subarray(0, R),
      returns: targets[k].returns.subarray(0, R),
    };
    const order = epochOrder(rows, epochs, seed, k, index);
    const { learner } = learners[k];
    const statistics = await learner.update(
      { loss: losses[k], batch },
      { rows: order, minibatch, learningRate: rate, maxGradNorm },
    );
    return { ...statistics, explained_variance: explainedVariance(rollout.values, targets[k].returns, rows) };
  };

  /** All updates, side by side; nothing is under way any more when it settles. */
  const updateAll = async (rollouts: readonly Rollout[], rate: number): Promise<Updates> => {
    const begun = performance.now();
    const settled = await Promise.allSettled(learners.map((_, k) => update(k, rollouts[k], rate)));
    const statistics = settled.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    });
    const seconds = (performance.now() - begun) / 1000;
    opponents.update(index);
    return { statistics, seconds };
  };

  while (steps < totalSteps) {
    const rate = learningRate(steps / totalSteps);
    const blind = blinding(steps / totalSteps);
    const begun = performance.now();
    const { rollouts, episodes } = await collector.collect(rolloutTicks, blind);
    const collectSeconds = (performance.now() - begun) / 1000;
    const iteration = ++index;
    steps += rolloutTicks * collector.copies;

    let done = false;
    const updated = updateAll(rollouts, rate).then((updates) => {
      done = true;
      return updates;
    });
    // It reaches the caller below, even one who has not waited for it.
    updated.catch(() => {});
    try {
      yield {
        index,
        steps,
        ticks: collector.ticks,
        progress: Math.min(1, steps / totalSteps),
        rollouts,
        episodes,
        updated,
        learningRate: rate,
        blinding: blind,
        hash: collector.hash,
        collectSeconds,
        async exportState() {
          if (!done || iteration !== index) {
            const message = "a state is complete from `updated` on and until the next iteration; export it then";
            throw new MagicMaskError("out-of-order", SOURCE, message);
          }
          return { iteration, steps, collector: await collector.exportState(), opponents: opponents.exportState() };
        },
      };
    } finally {
      // A caller who leaves early finds learners at rest, too.
      await updated.catch(() => {});
    }
    await updated;
  }
}

/** `epochs` fresh random orders of `rows`, one after the other. */
function epochOrder(rows: Int32Array, epochs: number, seed: number, learner: number, iteration: number): Int32Array {
  const random = stream(seed, "minibatches", learner, iteration);
  const order = new Int32Array(rows.length * epochs);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const part = order.subarray(epoch * rows.length, (epoch + 1) * rows.length);
    part.set(rows);
    shuffle(part, random);
  }
  return order;
}

function checkOptions(options: TrainOptions) {
  const { collector, learners } = options;
  const { players } = collector;
  const policies = Math.max(...players) + 1;
  if (policies !== learners.length) {
    const message = `the collector's players [${players}] name ${policies} policies, but there are ${learners.length} learners`;
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  checkCount(SOURCE, "totalSteps", options.totalSteps);
  for (const name of ["rolloutTicks", "minibatch", "epochs"] as const) checkCount(SOURCE, name, options[name] ?? 1);
  for (const name of ["discount", "trace"] as const) checkRange(SOURCE, name, options[name] ?? 1, 0, 1);
  checkRange(SOURCE, "clip", options.clip ?? 0.2, Number.MIN_VALUE);
  for (const name of ["valueCoefficient", "entropyCoefficient"] as const)
    checkRange(SOURCE, name, options[name] ?? 0, 0);
  checkRange(SOURCE, "maxGradNorm", options.maxGradNorm ?? 1, Number.MIN_VALUE);
}
