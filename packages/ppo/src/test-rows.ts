import type { Rollout } from "@magic-mask/core";

/** One row in words that a test can state; `next` is the tick of the row pointed at. */
export const rowOf = (rollout: Rollout, row: number) => ({
  copy: rollout.copies[row],
  agent: rollout.agents[row],
  episode: rollout.episodes[row],
  tick: rollout.ticks[row],
  reward: rollout.rewards[row],
  ended: rollout.ended[row],
  next: rollout.next[row] < 0 ? null : rollout.ticks[rollout.next[row]],
  blinded: rollout.blinded[row],
  disturbed: rollout.disturbed[row],
});

/** All that a row says, its place in the rollout apart. */
export function everythingOf(rollout: Rollout, row: number) {
  const { observation, legal, parameters, action } = rollout.widths;
  const part = (column: Float32Array | Uint8Array, width: number) => [
    ...column.subarray(row * width, (row + 1) * width),
  ];
  return {
    ...rowOf(rollout, row),
    observation: part(rollout.observations, observation),
    candidates: candidatesOf(rollout, row),
    legal: part(rollout.legal, legal),
    policy: part(rollout.policy, parameters),
    perturbation: part(rollout.perturbation, parameters),
    action: part(rollout.actions, action),
    value: rollout.values[row],
    logProb: rollout.logProbs[row],
    blindProbability: rollout.blindProbability[row],
  };
}

/** The features of a row's candidates, one behind the other. */
export function candidatesOf({ candidates }: Rollout, row: number): number[] {
  if (!candidates) return [];
  const { features, starts, counts, width } = candidates;
  return [...features.subarray(starts[row] * width, (starts[row] + counts[row]) * width)];
}

export const rowsOf = <T>(rollout: Rollout, describeRow: (rollout: Rollout, row: number) => T): T[] =>
  Array.from({ length: rollout.length }, (_, row) => describeRow(rollout, row));
