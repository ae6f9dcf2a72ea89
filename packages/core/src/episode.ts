/** What happened in one episode, start to finish, in columns; T is its number of ticks. With `seed` it can be replayed. */
export interface Episode {
  /** What the environment was reset with. */
  readonly seed: number;
  /** T */
  readonly ticks: number;
  /** [T × N] 1 where the agent acted. */
  readonly acting: Uint8Array;
  /** [T × N × W] actions; zeros where the agent did not act. */
  readonly actions: Float32Array;
  /** [T × N] */
  readonly rewards: Float64Array;
  /** [N] at the end. */
  readonly terminated: Uint8Array;
  /** [N] at the end. */
  readonly truncated: Uint8Array;
}

/** Undiscounted return of one agent, in the game's own units. */
export function episodeReturn(episode: Episode, agent: number): number {
  const N = episode.terminated.length;
  let sum = 0;
  for (let t = 0; t < episode.ticks; t++) sum += episode.rewards[t * N + agent];
  return sum;
}
