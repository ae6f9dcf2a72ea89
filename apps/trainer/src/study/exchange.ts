import { type Evidence, type MaskLearner, selectDecisions } from "@magic-mask/masking";
import type { Memory } from "../memory.ts";

/** Decisions of all agents with their ranks, in the order in which they were made: what agents can remember and tell each other of. */
export interface Story {
  /** [N] rows in the order of their ticks. */
  readonly evidence: readonly Evidence[];
  /** [N] m of each of those rows, in their order. */
  readonly ranks: readonly Float32Array[];
  /** Collector ticks. */
  readonly ticks: number;
}

/** @param masks [N] that learned from the evidence */
export function storyOf(evidence: readonly Evidence[], masks: readonly MaskLearner[], ticks: number): Story {
  const ordered = evidence.map((each) => {
    const at = each.rollout.ticks;
    // Rows of one tick stay in their order.
    return { ...each, rows: each.rows.slice().sort((a, b) => at[a] - at[b] || a - b) };
  });
  const ranks = ordered.map(({ rollout, rows }, agent) => {
    const ranked = new Float32Array(rows.length);
    for (let first = 0; first < rows.length; first += CHUNK) {
      const part = rows.subarray(first, first + CHUNK);
      masks[agent].mask(selectDecisions(rollout, part, agent), ranked.subarray(first, first + part.length));
    }
    return ranked;
  });
  return { evidence: ordered, ranks, ticks };
}

/**
 * Lets agents remember what they decided and tell each other, as if it were happening: what was decided by a broadcast's tick goes
 * into that broadcast. The last one is the first after the end.
 *
 * @param every k, ticks from one broadcast to the next
 * @param onBroadcast told the tick of each broadcast, when all have heard what it brought, and that of the last one
 * @returns the tick of the last broadcast
 */
export function exchange(
  { evidence, ranks, ticks }: Story,
  memory: Memory,
  every: number,
  onBroadcast: (now: number, last: number) => void = () => {},
): number {
  const next = evidence.map(() => 0);
  const last = Math.ceil(ticks / every) * every;
  for (let now = every; now <= last; now += every) {
    evidence.forEach((each, agent) => {
      const { rows, rollout } = each;
      const from = next[agent];
      let to = from;
      while (to < rows.length && rollout.ticks[rows[to]] <= now) to++;
      next[agent] = to;
      const part = rows.subarray(from, to);
      memory.share({ ...each, rows: part }, part, ranks[agent].subarray(from, to), 0, now);
    });
    memory.tick(now);
    onBroadcast(now, last);
  }
  return last;
}

/** Decisions that a mask is asked about at once. */
const CHUNK = 8192;
