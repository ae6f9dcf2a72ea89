import {
  checkCount,
  checkRange,
  type EnvironmentSpec,
  type Learner,
  MagicMaskError,
  type Perturbation,
  type Policy,
  type Rollout,
  shuffle,
  stream,
  type UpdateStatistics,
  type VectorEnvironment,
} from "@magic-mask/core";
import { computeTargets, explainedVariance, learnableRows, type Targets } from "./advantage.ts";
import { type Blinding, type CollectorState, createCollector, type FinishedEpisode } from "./collector.ts";
import { type Opponents, type OpponentsState, self } from "./opponents.ts";
import { linear, type Schedule } from "./schedule.ts";

export interface TrainOptions {
  readonly vector: VectorEnvironment;
  /** [L] networks that learn, each with the policy that reads it. */
  readonly learners: readonly { readonly learner: Learner; readonly policy: Policy }[];
  /** [N] which learner plays which agent: `[0, 0]` shares one, `[0, 1]` has one each. */
  readonly players: readonly number[];
  /** [N] what each agent does when it is blinded. */
  readonly perturbations: readonly Perturbation[];
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
  readonly opponents?: Opponents;
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
  /** [L] with explained_variance. */
  readonly statistics: readonly UpdateStatistics[];
  readonly learningRate: number;
  readonly blinding: Blinding;
  /** Digest of everything that happened so far. */
  readonly hash: string;
  /** Seconds spent collecting and learning in this iteration. */
  readonly seconds: { readonly collect: number; readonly update: number };
  /** All that `resume` needs to continue exactly after this iteration; learners' states apart, which are the caller's. */
  exportState(): TrainState;
}

export interface TrainState {
  readonly iteration: number;
  readonly steps: number;
  readonly collector: CollectorState;
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
    vector,
    learners,
    players,
    perturbations,
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
    opponents = self(),
    resume,
  } = options;
  checkOptions(vector.spec, options);

  const collector = createCollector({
    vector,
    policies: learners.map((l) => l.policy),
    players,
    perturbations,
    seed,
    opponents,
  });
  const targets: Targets[] = learners.map(() => ({ advantages: new Float32Array(0), returns: new Float32Array(0) }));
  const own = learners.map((_, k) => players.flatMap((player, agent) => (player === k ? [agent] : [])));
  const losses = own.map(([agent]) => {
    const space = vector.spec.actionSpaces[agent];
    return { kind: "ppo", space, clip, valueCoefficient, entropyCoefficient } as const;
  });
  let index = 0;
  let steps = 0;
  if (resume) {
    index = resume.iteration;
    steps = resume.steps;
    collector.restoreState(resume.collector);
    opponents.restoreState(resume.opponents);
  }

  while (steps < totalSteps) {
    const rate = learningRate(steps / totalSteps);
    const blind = blinding(steps / totalSteps);
    const begun = performance.now();
    const { rollouts, episodes } = collector.collect(rolloutTicks, blind);
    const collected = performance.now();
    index++;
    steps += rolloutTicks * vector.copies;

    const statistics: UpdateStatistics[] = [];
    for (const [k, { learner }] of learners.entries()) {
      const rollout = rollouts[k];
      const rows = learnableRows(rollout, own[k]);
      if (rows.length === 0) {
        statistics.push({});
        continue;
      }
      computeTargets(rollout, rows, discount, trace, targets[k]);
      const R = rollout.length;
      const batch = {
        inputs: rollout.observations.subarray(0, R * rollout.widths.observation),
        legal: rollout.legal.subarray(0, R * rollout.widths.legal),
        actions: rollout.actions.subarray(0, R * rollout.widths.action),
        logProbs: rollout.logProbs.subarray(0, R),
        advantages: targets[k].advantages.subarray(0, R),
        returns: targets[k].returns.subarray(0, R),
      };
      const order = epochOrder(rows, epochs, seed, k, index);
      const update = await learner.update(
        { loss: losses[k], batch },
        { rows: order, minibatch, learningRate: rate, maxGradNorm },
      );
      statistics.push({ ...update, explained_variance: explainedVariance(rollout.values, targets[k].returns, rows) });
    }
    opponents.update(index);

    yield {
      index,
      steps,
      ticks: collector.ticks,
      progress: Math.min(1, steps / totalSteps),
      rollouts,
      episodes,
      statistics,
      learningRate: rate,
      blinding: blind,
      hash: collector.hash,
      seconds: { collect: (collected - begun) / 1000, update: (performance.now() - collected) / 1000 },
      exportState: () => ({
        iteration: index,
        steps,
        collector: collector.exportState(),
        opponents: opponents.exportState(),
      }),
    };
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

function checkOptions(spec: EnvironmentSpec, options: TrainOptions) {
  const where = "ppo/train";
  const { players, learners } = options;
  if (players.length !== spec.agents.length || players.some((k) => !learners[k])) {
    throw new MagicMaskError(
      "invalid-option",
      where,
      `players must name one of ${learners.length} learners for each of ${spec.agents.length} agents, got [${players}]`,
    );
  }
  checkCount(where, "totalSteps", options.totalSteps);
  for (const name of ["rolloutTicks", "minibatch", "epochs"] as const) checkCount(where, name, options[name] ?? 1);
  for (const name of ["discount", "trace"] as const) checkRange(where, name, options[name] ?? 1, 0, 1);
  checkRange(where, "clip", options.clip ?? 0.2, Number.MIN_VALUE);
  for (const name of ["valueCoefficient", "entropyCoefficient"] as const)
    checkRange(where, name, options[name] ?? 0, 0);
  checkRange(where, "maxGradNorm", options.maxGradNorm ?? 1, Number.MIN_VALUE);
}
