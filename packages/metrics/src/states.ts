import {
  addList,
  boxSize,
  candidateWidth,
  checkCount,
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
    const { decisions } = states;
    const agent = decisions.agent;
    if (taken() < count) {
      const found = `found ${taken()} decisions of ${world.agents[agent]} in ${episodes} episodes`;
      throw new MagicMaskError("invalid-option", "metrics/states", `${found}, wanted ${count}: raise episodes`);
    }
    policies[agent].evaluate(decisions, decisions.policy, new Float32Array(count));
    perturbation.evaluate(decisions, decisions.policy, decisions.perturbation);
    return states;
  });
}

/** A sample of the decisions of `agent`, who meets them all once before they are offered. */
function sampleOf(world: Environment, agent: number, count: number, seed: number) {
  const D = boxSize(world.observationSpaces[agent]);
  const space = world.actionSpaces[agent];
  const A = maskWidth(space);
  const P = distributionOf(space).width;
  const F = candidateWidth(world.actionSpaces[agent]);
  const candidates = F > 0 ? createCandidateStore(F, count) : undefined;
  const states: States = {
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
  const coin = stream(seed, "states", agent);
  const legal = new Uint8Array(A);
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
      world.observe(agent, states.decisions.observations, row * D);
      states.decisions.legal.set(legal, row * A);
      if (candidates) {
        const offset = addList(candidates, row, choices);
        world.candidates?.(agent, candidates.features, offset);
      }
      world.snapshot(states.snapshots, row * world.snapshotBytes);
      states.episodes[row] = episode;
      states.ticks[row++] = tick;
    },
    taken: () => row,
  };
}

/** Plays an episode again. @param visit called before each tick */
function replay(world: Environment, episode: Episode, visit: (tick: number) => void): void {
  const width = world.agents.length * slotWidth(world);
  world.reset(episode.seed);
  for (let tick = 0; tick < episode.ticks; tick++) {
    visit(tick);
    world.step(episode.actions.subarray(tick * width, (tick + 1) * width));
  }
}
