import { decisionTable } from "./decision-table.ts";
import { distributionOf } from "./distribution.ts";
import { type MakeEnvironment, slotWidth } from "./environment.ts";
import type { Episode } from "./episode.ts";
import { checkCount, MagicMaskError } from "./error.ts";
import type { Policy } from "./policy.ts";
import { stream } from "./random.ts";
import { clip } from "./space.ts";
import { isCopyOver, type VectorEnvironment, vectorize } from "./vector-environment.ts";

export interface PlayOptions {
  readonly make: MakeEnvironment;
  /** [N] who plays which agent. */
  readonly policies: readonly Policy[];
  /** How many episodes, ≥ 1. */
  readonly episodes: number;
  /** Root of all chance: it names the seed s of each episode, and s alone names that episode's draws of actions, `stream(s, "action")`. */
  readonly seed: number;
  /** Copies of the world played side by side, ≥ 1. */
  readonly copies?: number;
  /** Is shown the copies before they are played: the `copies` of a batch are theirs. */
  readonly watch?: (vector: VectorEnvironment) => void;
}

/** Plays whole episodes without learning. @returns [E] in order: entry e is episode e, however many copies there were */
export function play({ make, policies, episodes, seed, copies = 64, watch }: PlayOptions): Episode[] {
  checkCount("core/play", "episodes", episodes);
  const vector = vectorize(make, Math.min(copies, episodes));
  const { spec } = vector;
  const N = spec.agents.length;
  if (policies.length !== N) {
    throw new MagicMaskError(
      "shape-mismatch",
      "core/play",
      `needs one policy per agent, ${N} of them; got ${policies.length}`,
    );
  }
  const W = slotWidth(spec);
  const distributions = spec.actionSpaces.map(distributionOf);
  const table = decisionTable(
    vector,
    policies,
    Uint8Array.from({ length: vector.copies * N }, (_, at) => at % N),
  );
  const actions = new Float32Array(vector.copies * N * W);
  const results: Episode[] = new Array(episodes);
  const games = Array.from({ length: vector.copies }, () => ({
    episode: -1,
    seed: 0,
    random: stream(seed),
    log: emptyLog(),
  }));
  let started = 0;
  let finished = 0;

  const begin = (copy: number) => {
    const game = games[copy];
    game.episode = started < episodes ? started++ : -1;
    if (game.episode < 0) return;
    game.seed = stream(seed, "environment", game.episode).bits();
    game.random.rekey(game.seed, "action");
    game.log = emptyLog();
    vector.reset(copy, game.seed);
  };
  try {
    watch?.(vector);
    for (const copy of games.keys()) begin(copy);

    while (finished < episodes) {
      table.gather();
      actions.fill(0);
      table.groups.forEach((group, agent) => {
        const distribution = distributions[agent];
        for (let row = 0; row < group.count; row++) {
          const copy = group.copies[row];
          distribution
            .at(group.parameters, row * distribution.width)
            .sample(games[copy].random, actions, (copy * N + agent) * W);
          clip(spec.actionSpaces[agent], actions, (copy * N + agent) * W);
        }
      });
      games.forEach(({ episode, log }, copy) => {
        if (episode < 0) return;
        for (let i = 0; i < N; i++) log.acting.push(vector.acting[copy * N + i]);
        for (let i = 0; i < N * W; i++) log.actions.push(actions[copy * N * W + i]);
      });
      vector.step(actions);
      games.forEach(({ episode, seed: environmentSeed, log }, copy) => {
        if (episode < 0) return;
        for (let i = 0; i < N; i++) log.rewards.push(vector.rewards[copy * N + i]);
        if (!isCopyOver(vector, copy)) return;
        const own = [copy * N, (copy + 1) * N] as const;
        results[episode] = {
          seed: environmentSeed,
          ticks: log.rewards.length / N,
          acting: Uint8Array.from(log.acting),
          actions: Float32Array.from(log.actions),
          rewards: Float64Array.from(log.rewards),
          terminated: vector.terminated.slice(...own),
          truncated: vector.truncated.slice(...own),
        };
        finished++;
        begin(copy);
      });
    }
  } finally {
    vector.close?.();
  }
  return results;
}

const emptyLog = () => ({ acting: [] as number[], actions: [] as number[], rewards: [] as number[] });
