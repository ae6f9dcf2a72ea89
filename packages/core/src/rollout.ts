import {
  type CandidateStore,
  candidateWidth,
  copyCandidates,
  createCandidateStore,
  reserveCandidates,
} from "./candidate-lists.ts";
import { type EnvironmentSpec, slotWidth } from "./environment.ts";
import { MagicMaskError } from "./error.ts";
import { boxSize, maskWidth } from "./space.ts";

/**
 * Decisions of agents that share one policy, in columns. A *decision* is a moment when an agent acts with at least two
 * legal actions; forced moves are played but not recorded, and what they earn belongs to the decision before.
 *
 * A truncated episode ends in one row more that holds only what the agent saw last (`ended` = `LAST_LOOK`), so that any
 * critic can bootstrap from it.
 */
export interface Rollout {
  /** R, rows in use; the arrays may be longer. */
  length: number;
  /** D, A, P, W: widths of the rows below. */
  readonly widths: {
    readonly observation: number;
    readonly legal: number;
    readonly parameters: number;
    readonly action: number;
    /** F, of candidates; absent where actions are none. */
    readonly candidate?: number;
  };
  /** [R × D] */
  readonly observations: Float32Array;
  /** [R × A] */
  readonly legal: Uint8Array;
  /** What the actions are, where the space is `Candidates`. At a last look: one, of zeros. */
  readonly candidates?: CandidateStore;
  /** [R × P] π(·∣o) as distribution parameters. */
  readonly policy: Float32Array;
  /** [R × P] ν(·∣o), likewise. */
  readonly perturbation: Float32Array;
  /** [R] the policy's own V(o); zero where it has none. */
  readonly values: Float32Array;
  /** [R × W] the action taken. */
  readonly actions: Float32Array;
  /** [R] ln π(a∣o) */
  readonly logProbs: Float32Array;
  /** [R] 1 where a was drawn from ν. */
  readonly blinded: Uint8Array;
  /** [R] p, the probability with which this agent was to be blinded here: behaviour b = (1 − p)π + pν. */
  readonly blindProbability: Float32Array;
  /** [R] undiscounted sum of the agent's rewards from this decision to its next. */
  readonly rewards: Float32Array;
  /** [R] 1 where another agent was blinded between this decision and the next. */
  readonly disturbed: Uint8Array;
  /** [R] how the transition ended: one of the constants below. */
  readonly ended: Uint8Array;
  /** [R] row of the same agent's next decision in the same episode, or of its last look; −1 where there is none. */
  readonly next: Int32Array;
  /** [R] */
  readonly agents: Uint8Array;
  /** [R] */
  readonly copies: Int32Array;
  /** [R] number of the episode within its copy. */
  readonly episodes: Int32Array;
  /** [R] collector tick. */
  readonly ticks: Int32Array;
}

/** The agent decides again: `next` is that row. */
export const CONTINUES = 0;
/** Nothing of value follows. */
export const TERMINATED = 1;
/** The clock ran out: `next` is the agent's last look. */
export const TRUNCATED = 2;
/** Not a decision: what was seen when the clock ran out. */
export const LAST_LOOK = 3;
/** The rollout stopped before the agent's next decision: the row is to be completed later and not to be learned from yet. */
export const OPEN = 4;

/** An empty rollout for `capacity` rows of `agent`'s spaces. */
export function createRollout(spec: EnvironmentSpec, agent: number, parameterWidth: number, capacity: number): Rollout {
  const candidate = candidateWidth(spec.actionSpaces[agent]);
  const widths = {
    observation: boxSize(spec.observationSpaces[agent]),
    legal: maskWidth(spec.actionSpaces[agent]),
    parameters: parameterWidth,
    action: slotWidth(spec),
    ...(candidate > 0 && { candidate }),
  };
  return allocateRollout(widths, capacity);
}

/**
 * An empty rollout for `capacity` rows of these widths.
 *
 * @param allocate gives memory for a column of so many bytes, all 0; shared memory, say
 */
export function allocateRollout(
  widths: Rollout["widths"],
  capacity: number,
  allocate: (bytes: number) => ArrayBufferLike = (bytes) => new ArrayBuffer(bytes),
): Rollout {
  const floats = (width = 1) => new Float32Array(allocate(4 * capacity * width));
  const integers = () => new Int32Array(allocate(4 * capacity));
  const bytes = (width = 1) => new Uint8Array(allocate(capacity * width));
  return {
    length: 0,
    widths,
    observations: floats(widths.observation),
    legal: bytes(widths.legal),
    ...(widths.candidate !== undefined && { candidates: createCandidateStore(widths.candidate, capacity, allocate) }),
    policy: floats(widths.parameters),
    perturbation: floats(widths.parameters),
    values: floats(),
    actions: floats(widths.action),
    logProbs: floats(),
    blinded: bytes(),
    blindProbability: floats(),
    rewards: floats(),
    disturbed: bytes(),
    ended: bytes(),
    next: integers(),
    agents: bytes(),
    copies: integers(),
    episodes: integers(),
    ticks: integers(),
  };
}

/** Rows that are complete decisions (neither open nor a last look), of one agent or of all. */
export function completeRows(rollout: Rollout, agent?: number): Int32Array {
  const rows = new Int32Array(rollout.length);
  let count = 0;
  for (let row = 0; row < rollout.length; row++) {
    if (rollout.ended[row] <= TRUNCATED && (agent === undefined || rollout.agents[row] === agent)) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

const LONG = 128;

/** Copies row `row` of one column to row `at` of another, both `width` wide. */
export function copyRow<T extends Float32Array | Uint8Array>(from: T, row: number, to: T, at: number, width: number) {
  // Views cost more than they save on short rows.
  if (width > LONG) to.set(from.subarray(row * width, (row + 1) * width), at * width);
  else for (let i = 0; i < width; i++) to[at * width + i] = from[row * width + i];
}

/**
 * Copies one row of every column to another rollout of the same widths, candidates behind those that are there. `next` still
 * names a row of the old one.
 */
export function copyDecision(from: Rollout, row: number, to: Rollout, at: number) {
  const { observation, legal, parameters, action } = from.widths;
  copyRow(from.observations, row, to.observations, at, observation);
  copyRow(from.legal, row, to.legal, at, legal);
  copyRow(from.policy, row, to.policy, at, parameters);
  copyRow(from.perturbation, row, to.perturbation, at, parameters);
  copyRow(from.actions, row, to.actions, at, action);
  if (from.candidates && to.candidates) copyCandidates(from.candidates, row, to.candidates, at);
  to.values[at] = from.values[row];
  to.logProbs[at] = from.logProbs[row];
  to.blinded[at] = from.blinded[row];
  to.blindProbability[at] = from.blindProbability[row];
  to.rewards[at] = from.rewards[row];
  to.disturbed[at] = from.disturbed[row];
  to.ended[at] = from.ended[row];
  to.next[at] = from.next[row];
  to.agents[at] = from.agents[row];
  to.copies[at] = from.copies[row];
  to.episodes[at] = from.episodes[row];
  to.ticks[at] = from.ticks[row];
}

/**
 * Appends all rows of one rollout to another of the same widths; `next` follows.
 *
 * @throws shape-mismatch if they do not fit
 */
export function appendRollout(from: Rollout, to: Rollout) {
  const [count, base, room] = [from.length, to.length, to.ended.length];
  if (base + count > room) {
    const message = `${base} rows and ${count} more do not fit into a rollout for ${room}`;
    throw new MagicMaskError("shape-mismatch", "core/rollout", message);
  }
  if (count === 0) return;
  for (const name of COLUMNS) {
    const width = from[name].length / from.ended.length;
    to[name].set(from[name].subarray(0, count * width), base * width);
  }
  for (let row = base; row < base + count; row++) if (to.next[row] >= 0) to.next[row] += base;
  if (from.candidates && to.candidates) appendCandidates(from.candidates, count, to.candidates, base);
  to.length += count;
}

function appendCandidates(from: CandidateStore, count: number, to: CandidateStore, base: number) {
  reserveCandidates(to, from.length);
  to.features.set(from.features.subarray(0, from.length * from.width), to.length * to.width);
  for (let row = 0; row < count; row++) {
    to.starts[base + row] = to.length + from.starts[row];
    to.counts[base + row] = from.counts[row];
  }
  to.length += from.length;
}

/** Forgets all rows. */
export function clearRollout(rollout: Rollout) {
  rollout.length = 0;
  if (rollout.candidates) rollout.candidates.length = 0;
}

const COLUMNS = [
  "observations",
  "legal",
  "policy",
  "perturbation",
  "values",
  "actions",
  "logProbs",
  "blinded",
  "blindProbability",
  "rewards",
  "disturbed",
  "ended",
  "next",
  "agents",
  "copies",
  "episodes",
  "ticks",
] as const;
