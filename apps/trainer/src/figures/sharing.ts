import { areComparable } from "@magic-mask/comm";
import { bootstrap, type Interval, interAgentFidelity, type States, type Truth } from "@magic-mask/metrics";
import type { LoadedRun } from "../load-run.ts";
import { sum } from "./means.ts";
import { type Resample, scoresOf } from "./scores.ts";

/** What sharing does to inter-agent fidelity. */
export interface SharingFigures {
  readonly shared: number;
  readonly unshared: number;
  readonly gain: Interval;
  /** Records that agents had from peers in the sharing arm. */
  readonly received: number;
  /** With sharing, [i][j]: how well agent i's record head finds the critical states of agent j, as AUROC; null where it cannot judge. */
  readonly matrix: readonly (readonly (number | null)[])[];
  /** Means of that over pairs of one role, and over the others. */
  readonly sameRole: number;
  readonly crossRole: number;
}

/** Inter-agent fidelity of the record heads, with what peers sent and without: same rollouts, steps and seeds. */
export function compareSharing(
  { world, postHoc }: Pick<LoadedRun, "world" | "postHoc">,
  states: readonly States[],
  truths: readonly Truth[],
  { draws, seed }: Resample,
): SharingFigures {
  const { spec } = world;
  const arms = [postHoc.explanation.memory, postHoc.unshared].map(({ heads }) =>
    heads.map((head, i) =>
      states.map((of, j) => (i === j || !areComparable(spec, i, j) ? null : scoresOf(head, of).scores)),
    ),
  );
  // One list of all agents' states; games are resampled, with the states of all agents in them.
  const owners = states.flatMap(({ count }, j) => new Array<number>(count).fill(j));
  const places = states.flatMap(({ count }) => Array.from({ length: count }, (_, s) => s));
  const games = states.flatMap(({ episodes }) => Array.from(episodes));
  const pairsOf = (scores: (typeof arms)[number], indices: Iterable<number>) => {
    const picked: number[][] = states.map(() => []);
    for (const index of indices) picked[owners[index]].push(places[index]);
    const pick = (values: ArrayLike<number>, j: number) => Float64Array.from(picked[j], (s) => values[s]);
    return interAgentFidelity({
      scores: scores.map((row) => row.map((each, j) => each && pick(each, j))),
      truths: truths.map(({ criticality }, j) => pick(criticality, j)),
      roles: spec.roles,
    });
  };
  const fidelityOf = (scores: (typeof arms)[number], indices: Iterable<number>) => pairsOf(scores, indices).mean;
  const { mean, matrix, sameRole, crossRole } = pairsOf(arms[0], owners.keys());
  const statistic = (indices: Iterable<number>) => fidelityOf(arms[0], indices) - fidelityOf(arms[1], indices);
  return {
    shared: mean,
    unshared: fidelityOf(arms[1], owners.keys()),
    gain: bootstrap({ count: owners.length, clusters: games, draws, seed, statistic }),
    received: sum(postHoc.explanation.memory.sharing.counters.received),
    matrix,
    sameRole,
    crossRole,
  };
}
