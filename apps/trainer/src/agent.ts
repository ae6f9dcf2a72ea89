import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { LAYOUT, modes, type RecordHead, type Refusals, stackExplainers } from "@magic-mask/comm";
import { openRedisChannel, type RedisChannel, type RedisCounters, type RedisServer } from "@magic-mask/comm/redis";
import { MagicMaskError, stream } from "@magic-mask/core";
import type { CriticState, MaskLearner } from "@magic-mask/masking";
import { collectStates } from "@magic-mask/metrics";
import type { ShardedState } from "@magic-mask/ppo";
import { readAgentKeys } from "./agent-keys.ts";
import { assembleCritic, assembleMask, masksDecide } from "./assemble.ts";
import { faultsOf } from "./channel.ts";
import { assembleCollector } from "./collector.ts";
import { type Config, overrideConfig } from "./config.ts";
import { steeredBy } from "./figures/influence.ts";
import { sum } from "./figures/means.ts";
import { type RankingRow, rank } from "./figures/ranking.ts";
import { scoresOf } from "./figures/scores.ts";
import { createStopwatch, learnOne } from "./learn-masks.ts";
import { type LoadedTeam, loadTeam, requireExplanation } from "./load-run.ts";
import { createMemory, type MemoryState } from "./memory.ts";
import { identityOf, isLearned } from "./perturbations.ts";
import { postHocSeed, roundsOf } from "./posthoc.ts";
import { writeFileAtomic } from "./run/atomic.ts";
import { hasCheckpoint, loadCheckpoint, saveCheckpoint } from "./run/checkpoint.ts";
import { makeFolder } from "./run/folder.ts";
import { lockRun } from "./run/lock.ts";
import { sha256 } from "./run/sealed-json.ts";
import { createInterrupt } from "./terminal/interrupt.ts";
import { createProgress, formatCount, formatDuration } from "./terminal/progress.ts";
import { createBrancher } from "./truth/brancher.ts";
import { playersOf, truthOf } from "./truth/truth-of.ts";

const SOURCE = "trainer/agent";

export interface AgentOptions {
  /** Run folder whose policies play. */
  readonly policy: string;
  /** Name or number of the agent. */
  readonly agent: string;
  /** Name of what all agents of the team do together, the same for all of them. */
  readonly run: string;
  readonly server: RedisServer;
  /** Folder of the keys that messages are signed and checked with, as `readAgentKeys` wants it. */
  readonly keys?: string | undefined;
  /** `key.sub=value` above the run's own configuration, of `OPEN_KEYS`. */
  readonly overrides?: readonly string[];
  /** Whether scores are held against ground truth. */
  readonly truth?: boolean | undefined;
}

/** What one agent found out about itself; plain data, kept as `result.json`. */
export interface AgentResult {
  readonly run: string;
  readonly agent: string;
  /** Id of the run whose policies played. */
  readonly policy: string;
  readonly mode: string;
  /** Environment steps, all this agent's own. */
  readonly steps: number;
  /** Digest of what was played. */
  readonly hash: string;
  /** Wall seconds of the work, over all its processes, and of that on records, messages and buffers. */
  readonly seconds: number;
  readonly commSeconds: number;
  readonly comm: RedisCounters & {
    /** Records told, and records taken in from peers. */
    readonly shared: number;
    readonly received: number;
    /** [N] messages that came of each agent. */
    readonly messages: readonly number[];
    /** Messages that came and were refused: damaged, in another's name, repeated, or more than a peer can have made. */
    readonly senseless: number;
    /** Those, by reason. */
    readonly refusals: Readonly<Record<keyof Refusals, number>>;
    /** Bytes sent, counted once for each recipient. */
    readonly bytes: number;
  };
  /** [N] what came of each agent and what it counted for: to whom all that was learned from others goes back. */
  readonly influence: {
    /** Records let in. */
    readonly taken: readonly number[];
    /** Messages refused. */
    readonly refused: readonly number[];
    /** Weight of a record in [0, 1]: 1 for one's own, and for all where trust is off. */
    readonly trust: readonly number[];
    /** Shares of the weight that the head was last trained on. */
    readonly used: readonly number[];
    /** Networks averaged with its own. */
    readonly averaged: readonly number[];
    /** Share of its blinding that was saved on account of their records. */
    readonly steered: readonly number[];
  };
  /** Development states of the agent; null where the world cannot be copied. */
  readonly states: null | {
    readonly episodes: readonly number[];
    readonly ticks: readonly number[];
    /** By explainer: the mask, the record head, and both stacked. */
    readonly scores: Readonly<Record<string, readonly number[]>>;
  };
  /** Against ground truth; empty unless asked for. */
  readonly ranking: readonly RankingRow[];
}

export interface AgentOutcome {
  readonly folder: string;
  /** Absent after an interrupt. */
  readonly result?: AgentResult;
  readonly exitCode: number;
}

interface AgentState {
  /** Of the settings that it was made with. */
  readonly settings: string;
  /** Rounds that are done. */
  readonly rounds: number;
  readonly collector: ShardedState;
  readonly critic: CriticState;
  readonly mask: object;
  readonly memory: MemoryState;
  readonly seconds: number;
  readonly commSeconds: number;
}

/** What may be set anew for a team that is there. */
const OPEN_KEYS = ["posthoc", "sharing", "evaluation", "training.copies", "training.rolloutTicks", "checkpointSeconds"];
/** Seconds that the last messages have to reach Redis, and to come from there. */
const LAST_WAIT = 10;

/**
 * Explains one agent of a trained team in a process of its own: the whole team plays copies of the world that are this agent's
 * alone, in which nobody else is blinded; its critic, mask and record head learn from that, and from what the peers tell over
 * Redis, whoever of them is there and whenever. Play and learning go in rounds of `training.rolloutTicks` ticks.
 *
 * All is kept in `<policy>/agents/<run>/<agent>/`, with a checkpoint every `checkpointSeconds`; from there a second call goes on.
 *
 * @throws unsupported for masks that decide the blinding, perturbations learned from the team's masks, and channels with faults; invalid-option, also
 *   where another call has begun it with other settings; as `loadTeam`, `readAgentKeys` and `openRedisChannel`
 */
export async function runAgent(options: AgentOptions): Promise<AgentOutcome> {
  const { run, server, keys, overrides = [], truth = false } = options;
  const loaded = await loadTeam(options.policy);
  const config = configOf(loaded, overrides);
  const { spec } = loaded.world;
  const agent = agentOf(options.agent, spec.agents);
  const about = sha256(JSON.stringify(agreed(loaded, config))).slice(0, 16);
  const settings = JSON.stringify([about, config.posthoc, config.sharing, config.training]);

  const folder = join(loaded.folder.path, "agents", run, spec.agents[agent]);
  const signing = keys === undefined ? undefined : readAgentKeys(keys, spec.agents, agent);
  if (!signing) {
    const warning = "messages are not signed: whoever may write to this Redis can speak in any agent's name (--keys)";
    process.stderr.write(`${warning}\n`);
  }
  const N = spec.agents.length;
  const { mode, steer } = config.sharing;
  // Where peers steer the coin, or networks are averaged, what an agent says depends on what it heard, and when.
  const repeats = steer === 0 && !modes[mode].model;
  const channel = await openRedisChannel({ ...server, keys: signing, run, agents: N, agent, about, repeats });
  const interrupt = createInterrupt();
  let unlock = () => {};
  try {
    makeFolder(SOURCE, folder);
    unlock = lockRun(folder);
    const learned = await learn(loaded, config, agent, channel, folder, settings, () => interrupt.requested);
    if (!learned) return { folder, exitCode: interrupt.exitCode };
    const figures = await judge(loaded, config, agent, learned.mask, learned.head, truth);
    const result = { run, agent: spec.agents[agent], policy: loaded.folder.id, ...learned.figures, ...figures };
    await writeFileAtomic(join(folder, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
    return { folder, result, exitCode: 0 };
  } finally {
    unlock();
    interrupt.restore();
    await channel.close();
  }
}

/** The run's configuration with what may be changed. @throws invalid-option; unsupported */
function configOf(loaded: LoadedTeam, overrides: readonly string[]): Config {
  const isOpen = (key: string) => OPEN_KEYS.some((open) => key === open || key.startsWith(`${open}.`));
  const fixed = overrides.find((override) => !isOpen(override.split("=")[0]));
  if (fixed !== undefined) {
    const message = `an agent keeps its team's configuration; of it ${OPEN_KEYS.join(", ")} may be set, got "${fixed}"`;
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  const config = overrideConfig(loaded.config, overrides);
  requireExplanation(config);
  if (Object.keys(faultsOf(config, loaded.world.spec.agents.length, config.training.copies)).length > 0) {
    const message = "messages go over Redis, whose faults are real; set sharing.channel=ideal";
    throw new MagicMaskError("unsupported", SOURCE, message);
  }
  if (masksDecide(config) || isLearned(config)) {
    const { objective, perturbation } = config.mask;
    const message = `agents apart are blinded by a coin and a perturbation that is there; got ${objective} with ${perturbation}`;
    throw new MagicMaskError("unsupported", SOURCE, `${message}: explain this team in one process`);
  }
  return config;
}

/** @throws unknown-name */
function agentOf(asked: string, agents: readonly string[]): number {
  const found = agents.includes(asked) ? agents.indexOf(asked) : agents.findIndex((_, i) => String(i) === asked);
  if (found >= 0) return found;
  const message = `there is no agent "${asked}"; choose of: ${agents.join(", ")}, or by number from 0`;
  throw new MagicMaskError("unknown-name", SOURCE, message);
}

/** What all agents must have alike, or their records would mean different things. */
const agreed = ({ record }: LoadedTeam, config: Config) => ({
  layout: LAYOUT,
  team: record.trajectoryHash,
  environment: config.environment,
  seed: config.seed,
  copies: config.training.copies,
  perturbation: identityOf(config),
  // How far ahead a peer's clock may be, and what an advantage is.
  learning: (({ steps, probability, trace }) => ({ steps, probability, trace }))(config.posthoc),
  // Signatures, features and networks say nothing to those who tell by others.
  tells: (({ features, model }) => ({ features, model }))(modes[config.sharing.mode]),
});

/** Plays and learns all rounds that are still to be done. @returns undefined if it was stopped, and is saved */
async function learn(
  { world, team, create, record }: LoadedTeam,
  config: Config,
  agent: number,
  channel: RedisChannel,
  folder: string,
  settings: string,
  interrupted: () => boolean,
): Promise<
  | undefined
  | {
      readonly mask: MaskLearner;
      readonly head: RecordHead;
      readonly figures: Omit<AgentResult, "run" | "agent" | "policy" | "states" | "ranking">;
    }
> {
  const { steps, probability, headSteps } = config.posthoc;
  const { copies, rolloutTicks } = config.training;
  const ticks = Math.ceil(steps / copies);
  const { spec } = world;
  const seed = postHocSeed(config);
  const critic = assembleCritic(config, world, agent, create, seed, true);
  const mask = assembleMask(config, world, agent, create, seed, true);
  const memory = createMemory({
    spec,
    mode: config.sharing.mode,
    config,
    copies,
    retrospective: true,
    seed,
    createLearner: create,
    // What others' states are worth is judged by the one critic that is here.
    critics: spec.agents.map(() => critic),
    // Everyone's clock is their own, but nobody is further ahead than at the end: who claims to be is not believed, nor what it floods.
    apart: { agent, channel, lead: ticks },
  });
  const collector = assembleCollector(config, world, team, {
    seed: stream(seed, "apart", agent).bits(),
    alone: true,
    backend: { name: record.backend.name, workers: 0 },
  });
  const { steering } = memory;
  const coin = { kind: "coin", probability, agent, ...(steering && { steer: steering.steer }) } as const;
  const rounds = roundsOf(config, ticks, Math.ceil(ticks / rolloutTicks));
  const progress = createProgress({ label: spec.agents[agent], total: ticks * copies, unit: "steps" });
  const comm = createStopwatch();
  let done = 0;
  let before = { seconds: 0, commSeconds: 0 };
  let savedAt = performance.now();
  const begun = performance.now();
  const times = () => ({
    seconds: before.seconds + (performance.now() - begun) / 1000,
    commSeconds: before.commSeconds + comm.seconds,
  });

  const save = async () => {
    const state: AgentState = {
      settings,
      rounds: done,
      collector: await collector.exportState(),
      critic: critic.exportState(),
      mask: mask.exportState(),
      memory: memory.exportState(),
      ...times(),
    };
    await saveCheckpoint(folder, done, state);
    savedAt = performance.now();
  };

  try {
    if (await hasCheckpoint(folder)) {
      const state = (await loadCheckpoint(folder)).tree as AgentState;
      if (state.settings !== settings) {
        const message = `${folder} was begun with other settings; give those again, or another --run`;
        throw new MagicMaskError("invalid-option", SOURCE, message);
      }
      await collector.restoreState(state.collector);
      critic.restoreState(state.critic);
      mask.restoreState(state.mask);
      memory.restoreState(state.memory);
      done = state.rounds;
      before = state;
    } else {
      // Whoever is killed before the next one then sends nothing twice.
      await save();
    }
    for (const { begun: first, ended, fit } of rounds.slice(done)) {
      steering?.refresh(first);
      const { rollouts } = await collector.collect(ended - first, coin);
      const last = ended === ticks;
      // The last records leave at the first boundary after the end.
      const now = last ? Math.ceil(ended / config.sharing.every) * config.sharing.every : ended;
      // Nothing else lets messages come and go.
      await setImmediate();
      await learnOne(
        {
          world,
          team,
          rollouts,
          plan: { fit, headSteps: Math.ceil(headSteps / rounds.length) },
          threshold: config.mask.threshold,
          policyVersion: 0,
          now,
        },
        agent,
        { critic, mask, memories: [memory] },
        comm,
      );
      await setImmediate();
      comm.time(() => memory.tick(now));
      if (last) {
        // While Redis was away peers may have told what has yet to arrive: it is the last chance to learn from it.
        await channel.catchUp(LAST_WAIT);
        comm.time(() => memory.sharing.hear());
      }
      await memory.fitHeads(Math.ceil(headSteps / rounds.length), now);
      done++;
      const heard = memory.sharing.counters.received[agent];
      const { trouble } = channel;
      progress.update(ended * copies, { heard, ...(trouble !== undefined && { redis: trouble }) });
      if (last || interrupted() || performance.now() - savedAt >= 1000 * config.checkpointSeconds) await save();
      if (interrupted() && !last) return undefined;
    }
    const arrived = await channel.flush(LAST_WAIT);
    const { seconds, commSeconds } = times();
    progress.done(
      `${spec.agents[agent]} learned from ${formatCount(ticks * copies)} steps in ${formatDuration(seconds)}` +
        (arrived ? "" : `; its last messages did not reach Redis: ${channel.trouble ?? "it is slow"}`),
    );
    const { counters, intake } = memory.sharing;
    /** [N] of an [N × N] matrix this agent's row. */
    const own = (matrix: Float64Array) =>
      Array.from(matrix.subarray(agent * spec.agents.length, (agent + 1) * spec.agents.length));
    const refusals = Object.fromEntries(
      Object.entries(intake.refusals).map(([reason, counts]) => [reason, counts[agent]]),
    );
    const figures = {
      mode: config.sharing.mode,
      steps: ticks * copies,
      hash: collector.hash,
      seconds,
      commSeconds,
      comm: {
        ...channel.counters,
        shared: counters.shared[agent],
        received: counters.received[agent],
        messages: Array.from(channel.statistics.delivered),
        senseless: sum(intake.refused),
        refusals: refusals as Record<keyof Refusals, number>,
        bytes: channel.statistics.bytes[agent],
      },
      influence: {
        taken: own(intake.taken),
        refused: own(intake.refused),
        trust: spec.agents.map((_, j) => memory.trusts[0]?.weights[j] ?? 1),
        used: own(memory.used),
        averaged: own(counters.averaged),
        steered: own(steeredBy(memory, spec.agents.length)),
      },
    };
    return { mask, head: memory.heads[0], figures };
  } finally {
    await collector.close();
  }
}

/** Scores development states, and holds them against ground truth where that is asked for. */
async function judge(
  { world, team, folder, record }: LoadedTeam,
  config: Config,
  agent: number,
  mask: MaskLearner,
  head: RecordHead,
  wantsTruth: boolean,
): Promise<Pick<AgentResult, "states" | "ranking">> {
  const { spec, make, perturbations } = world;
  if (spec.snapshotBytes === 0) {
    if (!wantsTruth) return { states: null, ranking: [] };
    throw new MagicMaskError("unsupported", SOURCE, `${spec.id} cannot be copied, so there is no ground truth`);
  }
  const policies = team.players.map((k) => team.learners[k].policy);
  // As `evaluate` draws them: truths that are there are found.
  const root = stream(config.seed, "evaluation", "dev").bits();
  const seedOf = (...key: (string | number)[]) => stream(root, ...key).bits();
  const [states] = collectStates({
    make,
    policies,
    perturbation: perturbations[agent],
    agents: [agent],
    count: config.evaluation.states,
    seed: seedOf("states"),
  });
  const own = mask.explainer;
  const stacked = stackExplainers({ explainers: [own, head], reference: states.decisions });
  const explainers = [own, head, { ...stacked, name: `${own.name}+shared` }];
  const scored = {
    episodes: Array.from(states.episodes),
    ticks: Array.from(states.ticks),
    scores: Object.fromEntries(
      explainers.map((explainer) => [explainer.name, Array.from(scoresOf(explainer, states).scores)]),
    ),
  };
  if (!wantsTruth) return { states: scored, ranking: [] };
  const progress = createProgress({ label: "truth", total: 100, unit: "%" });
  const truth = await truthOf({
    config,
    states,
    seed: seedOf("truth", agent),
    brancher: createBrancher(world, policies),
    cache: { folder: join(folder.path, "truth"), players: playersOf(team, record.backend.name) },
    onProgress: (share, batch) => progress.update(Math.round(100 * (1 - (1 - share / 2) / (batch + 1)))),
  });
  progress.done(`truth of ${states.count} decisions`);
  const resample = { draws: config.evaluation.bootstrap, seed: seedOf("bootstrap") };
  const ranking = explainers.map((explainer) => rank(spec.agents[agent], explainer, states, truth, resample));
  return { states: scored, ranking };
}
