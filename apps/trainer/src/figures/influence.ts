import type { States } from "@magic-mask/metrics";
import type { LoadedRun } from "../load-run.ts";
import type { Memory } from "../memory.ts";

/** What passed between agents, and what of it counted: matrices [N][N] by agent and whose records they were. */
export interface Influence {
  /** Records let in; none of one's own. */
  readonly taken: readonly (readonly number[])[];
  /** Messages refused. */
  readonly refused: readonly (readonly number[])[];
  /** Records that a memory holds now; 0 where records have passed out of it. */
  readonly held: readonly (readonly number[])[];
  /** Weight of a record in [0, 1]: 1 for one's own, and for all where trust is off. */
  readonly trust: readonly (readonly number[])[];
  /** Shares of the weight that the head was last trained on. */
  readonly used: readonly (readonly number[])[];
  /** Networks averaged with one's own. */
  readonly averaged: readonly (readonly number[])[];
  /** Share of an agent's blinding that was saved on account of a peer's records; 0 where nothing steers. */
  readonly steered: readonly (readonly number[])[];
  /** Shares of what the head's memory holds around held-out decisions of its own agent, mean over those where it holds anything. */
  readonly near: readonly (readonly number[])[];
}

/** Decisions of each agent whose records are traced: each costs a pass over the memory. */
const TRACED = 64;

/** Traces what each agent's record head knows to who told it. */
export function influenceOf(
  { world, postHoc }: Pick<LoadedRun, "world" | "postHoc">,
  states: readonly States[],
): Influence {
  const N = world.spec.agents.length;
  const { memory } = postHoc.explanation;
  const { sharing, trusts, used, heads, held } = memory;
  const rowsOf = (matrix: ArrayLike<number>) =>
    Array.from({ length: N }, (_, i) => Array.from({ length: N }, (_, j) => matrix[i * N + j]));
  return {
    taken: rowsOf(sharing.intake.taken),
    refused: rowsOf(sharing.intake.refused),
    held: held(),
    trust: heads.map((_, i) => Array.from({ length: N }, (_, j) => trusts[i]?.weights[j] ?? 1)),
    used: rowsOf(used),
    averaged: rowsOf(sharing.counters.averaged),
    steered: rowsOf(steeredBy(memory, N)),
    near: heads.map((head, i) => nearOf(head, states[i], N)),
  };
}

/** [N × N] share of each agent's blinding that was saved on account of each peer; zeros where nothing steers. */
export const steeredBy = ({ steering }: Memory, N: number): Float64Array =>
  Float64Array.from({ length: N * N }, (_, at) =>
    steering ? steering.saved[at] / Math.max(1, steering.asked[Math.floor(at / N)]) : 0,
  );

function nearOf(head: Memory["heads"][number], { decisions }: States, N: number): number[] {
  const count = Math.min(TRACED, decisions.count);
  const shares = new Float64Array(count * N);
  head.trace({ ...decisions, count }, shares);
  const sums = Array.from({ length: N }, (_, j) => {
    let sum = 0;
    for (let b = 0; b < count; b++) sum += shares[b * N + j];
    return sum;
  });
  const all = sums.reduce((sum, share) => sum + share, 0);
  return sums.map((share) => share / all);
}
