import {
  addList,
  boxSize,
  type CandidateStore,
  candidateWidth,
  checkCount,
  copyCandidates,
  createCandidateStore,
  type Decisions,
  distributionOf,
  type Environment,
  type Episode,
  hasChoice,
  MagicMaskError,
  type MakeEnvironment,
  maskWidth,
  type Perturbation,
  type Policy,
  play,
  slotWidth,
  stream,
} from "@magic-mask/core";

export interface CollectStatesOptions {
  readonly make: MakeEnvironment;
  /** [N] who plays which agent, unperturbed. */
  readonly policies: readonly Policy[];
  /** ν, what truth and explainers compare the policy with. */
  readonly perturbation: Perturbation;
  /** Whose decisions; all agents' by default. */
  readonly agents?: readonly number[];
  /** S ≥ 1, how many decisions of each agent. */
  readonly count: number;
  /** How many whole episodes they are drawn from, ≥ 1; as many as `count` by default. */
  readonly episodes?: number;
  /** Root of all chance; apart from that of training. */
  readonly seed: number;
  /** Copies of the world played side by side, ≥ 1. No effect on the result. */
  readonly copies?: number;
}

/** S held-out decisions of one agent, by episode and tick. Plain data, so that it can be stored and sent to workers. */
export interface States {
  readonly count: number;
  /** What an explainer may see of them, and all that it is ever given. */
  readonly decisions: Decisions;
  /** [S × snapshotBytes] the whole world at each, hidden parts included: what truth branches from. */
  readonly snapshots: Uint8Array;
  /** [S] number of the episode: states of one episode are resampled together. */
  readonly episodes: Int32Array;
  /** [S] ticks since the start of the episode. */
  readonly ticks: Int32Array;
}

/**
 * Samples decisions (moments when the agent acts with at least two legal actions) of whole unperturbed episodes:
 * uniformly and without replacement over all decisions in all `episodes`, so that states come as often as they are
 * visited and lie as far apart as the episodes allow.
 *
 * The episodes are played once and replayed to be counted and sampled, so nothing depends on `copies`.
 *
 * @returns one entry per entry of `agents`
 * @throws unsupported if the world has no snapshots; invalid-option if the episodes hold fewer than `count` decisions
 */
export function collectStates(options: CollectStatesOptions): States[] {
  const { make, policies, perturbation, count, episodes = count, seed, copies = 64 } = options;
  checkCount("metrics/states", "count", count);
  checkCount("metrics/states", "episodes", episodes);
  const world = make();
  if (world.snapshotBytes === 0) {
    throw new MagicMaskError("unsupported", "metrics/states", `needs a world with snapshots; ${world.id} has none`);
  }
  const samples = (options.agents ?? world.agents.map((_, agent) => agent)).map((agent) =>
    sampleOf(world, agent, count, seed),
  );
  const played = play({ make, policies, episodes, seed, copies });
  for (const episode of played) {
    replay(world, episode, () => {
      for (const sample of samples) sample.meet();
    });
  }
  played.forEach((episode, number) => {
    replay(world, episode, (tick) => {
      for (const sample of samples) sample.offer(number, tick);
    });
  });
  return samples.map(({ states, taken }) => {
    const { agent } = states.decisions;
    if (taken() < count) {
      const found = `found ${taken()} decisions of ${world.agents[agent]} in ${episodes} episodes`;
      throw new MagicMaskError("invalid-option", "metrics/states", `${found}, wanted ${count}: raise episodes`);
    }
    askPolicies(states, policies[agent], perturbation);
    return states;
  });
}

/** Room for `count` decisions of `agent`. */
export function emptyStates(world: Environment, agent: number, count: number): States {
  const D = boxSize(world.observationSpaces[agent]);
  const space = world.actionSpaces[agent];
  const A = maskWidth(space);
  const P = distributionOf(space).width;
  const F = candidateWidth(space);
  const candidates = F > 0 ? createCandidateStore(F, count) : undefined;
  return {
    count,
    decisions: {
      agent,
      count,
      observations: new Float32Array(count * D),
      legal: new Uint8Array(count * A),
      ...(candidates && { candidates }),
      policy: new Float32Array(count * P),
      perturbation: new Float32Array(count * P),
    },
    snapshots: new Uint8Array(count * world.snapshotBytes),
    episodes: new Int32Array(count),
    ticks: new Int32Array(count),
  };
}

/** Writes the decision that the agent has to make now to row `row`, but for π and ν. */
export function recordState(world: Environment, states: States, row: number, episode: number, tick: number): void {
  const { agent, observations, legal, candidates } = states.decisions;
  const A = legal.length / states.count;
  world.observe(agent, observations, (row * observations.length) / states.count);
  const choices = world.legal(agent, legal, row * A);
  if (candidates) {
    const offset = addList(candidates as CandidateStore, row, choices);
    world.candidates?.(agent, (candidates as CandidateStore).features, offset);
  }
  world.snapshot(states.snapshots, row * world.snapshotBytes);
  states.episodes[row] = episode;
  states.ticks[row] = tick;
}

/** Writes π and ν of all decisions. */
export function askPolicies(states: States, policy: Policy, perturbation: Perturbation): void {
  const { decisions, count } = states;
  policy.evaluate(decisions, decisions.policy, new Float32Array(count));
  perturbation.evaluate(decisions, decisions.policy, decisions.perturbation);
}

/** A sample of the decisions of `agent`, who meets them all once before they are offered. */
function sampleOf(world: Environment, agent: number, count: number, seed: number) {
  const states = emptyStates(world, agent, count);
  const coin = stream(seed, "states", agent);
  const space = world.actionSpaces[agent];
  const legal = new Uint8Array(maskWidth(space));
  let left = 0;
  let row = 0;
  return {
    states,
    meet() {
      if (hasChoice(space, world.legal(agent, legal, 0)) && world.acting[agent]) left++;
    },
    /**
     * Takes the decision or leaves it: selection sampling (Knuth, The Art of Computer Programming 2, §3.4.2, algorithm
     * S).
     */
    offer(episode: number, tick: number) {
      const choices = world.legal(agent, legal, 0);
      if (!world.acting[agent] || !hasChoice(space, choices) || coin.uniform() * left-- >= count - row) return;
      recordState(world, states, row++, episode, tick);
    },
    taken: () => row,
  };
}

/** Plays an episode again. @param visit called before each tick */
export function replay(world: Environment, episode: Episode, visit: (tick: number) => void): void {
  const width = world.agents.length * slotWidth(world);
  world.reset(episode.seed);
  for (let tick = 0; tick < episode.ticks; tick++) {
    visit(tick);
    world.step(episode.actions.subarray(tick * width, (tick + 1) * width));
  }
}

/** Some of the states, in this order. @throws invalid-option for a row that is not there */
export function takeStates(states: States, rows: ArrayLike<number>): States {
  const { decisions, count } = states;
  for (let i = 0; i < rows.length; i++) checkCount("metrics/states", "row", rows[i], 0, count - 1);
  const picked = Array.from(rows);
  const take = <T extends Float32Array | Uint8Array | Int32Array>(column: T, out: T): T => {
    const width = column.length / count;
    picked.forEach((row, i) => {
      out.set(column.subarray(row * width, (row + 1) * width), i * width);
    });
    return out;
  };
  const floats = (column: Float32Array) => take(column, new Float32Array((picked.length * column.length) / count));
  const bytes = (column: Uint8Array) => take(column, new Uint8Array((picked.length * column.length) / count));
  const candidates = decisions.candidates as CandidateStore | undefined;
  const listed = candidates && createCandidateStore(candidates.width, picked.length);
  picked.forEach((row, i) => {
    if (candidates && listed) copyCandidates(candidates, row, listed, i);
  });
  return {
    count: picked.length,
    decisions: {
      agent: decisions.agent,
      count: picked.length,
      observations: floats(decisions.observations),
      legal: bytes(decisions.legal),
      ...(listed && { candidates: listed }),
      policy: floats(decisions.policy),
      perturbation: floats(decisions.perturbation),
    },
    snapshots: bytes(states.snapshots),
    episodes: take(states.episodes, new Int32Array(picked.length)),
    ticks: take(states.ticks, new Int32Array(picked.length)),
  };
}
