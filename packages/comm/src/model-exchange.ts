import { type EnvironmentSpec, type Learner, MagicMaskError } from "@magic-mask/core";
import type { Delivery } from "./channel.ts";
import { crc32 } from "./crc32.ts";
import type { Refusal } from "./intake.ts";
import { areComparable, roleNumbers } from "./peers.ts";
import type { StateArrays } from "./state.ts";

const SOURCE = "comm/model-exchange";
const HEADER = 20;
/** "MMCM" */
const MAGIC = 0x4d434d4d;
/** Bumped whenever a byte changes its meaning. */
const LAYOUT = 1;
/** Parameters reach no further: what networks of larger ones say cannot be squared and summed in single precision. */
const FURTHEST = 1000;

export interface ModelExchangeOptions {
  readonly spec: EnvironmentSpec;
  /**
   * [N] each agent's network; those of comparable agents have one shape and began with the same weights. None for agents that live
   * in another process.
   */
  readonly learners: readonly (Pick<Learner, "exportState" | "restoreState"> | undefined)[];
}

/** Agents that average their networks with what they have heard of their peers'. */
export interface ModelExchange {
  /** One message that holds the agent's parameters as they are now. */
  write(agent: number): Uint8Array;
  /**
   * Takes in what reached an agent; what is older than what it has had from the sender is passed over.
   *
   * @returns why it refuses bytes that `write` of the sender, a comparable peer, did not write, or whose like it has had last
   */
  take(agent: number, delivery: Delivery): Refusal | undefined;
  /** Averages an agent's parameters with those taken in since the last time. @returns whose they were */
  average(agent: number): readonly number[];
  /** What was written and heard last; nothing waits between `take` and `average` of one tick. */
  exportState(): StateArrays;
  /** @returns whether the state was one of such an exchange */
  restoreState(state: StateArrays): boolean;
}

/**
 * Federated averaging (McMahan et al. 2017, arXiv:1602.05629) without a server, as in gossip learning: at every broadcast an agent
 * sends its parameters to its peers and goes on with θ ← (θ + Σ_j θ_j) / (1 + number of peers heard of since the last time). Nobody
 * waits: with nobody heard of, θ stays. Adam's moments stay the agent's own.
 *
 * | byte | size | holds, little-endian |
 * | --- | --- | --- |
 * | 0 | 4 | "MMCM" |
 * | 4 | 4 | CRC-32 of all bytes from 8 on |
 * | 8 | 1 | layout version |
 * | 9 | 1 | agent |
 * | 10 | 2 | role, 0 |
 * | 12 | 4 | serial number, from 1 |
 * | 16 | 4 | number of parameters |
 * | 20 | 4 each | parameters, float32, in `LearnerState`'s order |
 */
export function createModelExchange({ spec, learners }: ModelExchangeOptions): ModelExchange {
  const N = spec.agents.length;
  if (learners.length !== N) {
    throw new MagicMaskError(
      "invalid-option",
      SOURCE,
      `there must be one network for each of ${N} agents, got ${learners.length}`,
    );
  }
  const roles = roleNumbers(spec);
  const sizes = learners.map((learner) => learner?.exportState().parameters.length ?? 0);
  const serials = new Uint32Array(N);
  /** [N × N] by recipient and sender. */
  const heard = new Uint32Array(N * N);
  /** [N] what waits to be averaged, by sender. */
  const waiting: Map<number, Float32Array>[] = learners.map(() => new Map());

  return {
    write(agent) {
      const { parameters } = learners[agent]!.exportState();
      const bytes = new Uint8Array(HEADER + 4 * parameters.length);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, MAGIC, true);
      bytes[8] = LAYOUT;
      bytes[9] = agent;
      bytes[10] = roles[agent];
      view.setUint32(12, ++serials[agent], true);
      view.setUint32(16, parameters.length, true);
      for (let i = 0; i < parameters.length; i++) view.setFloat32(HEADER + 4 * i, parameters[i], true);
      view.setUint32(4, crc32(bytes, 8), true);
      return bytes;
    },
    take(agent, { from, bytes }) {
      if (bytes.length !== HEADER + 4 * sizes[agent]) return "corrupt";
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== crc32(bytes, 8)) return "corrupt";
      if (bytes[8] !== LAYOUT || bytes[10] !== roles[bytes[9]] || bytes[11] !== 0) return "corrupt";
      if (view.getUint32(16, true) !== sizes[agent]) return "corrupt";
      if (bytes[9] !== from || from === agent || !areComparable(spec, agent, from)) return "forged";
      const parameters = new Float32Array(sizes[agent]);
      for (let i = 0; i < parameters.length; i++) {
        parameters[i] = view.getFloat32(HEADER + 4 * i, true);
        if (!(Math.abs(parameters[i]) <= FURTHEST)) return "corrupt";
      }
      const serial = view.getUint32(12, true);
      const newest = heard[agent * N + from];
      if (serial === newest) return "repeated";
      if (serial > newest) {
        heard[agent * N + from] = serial;
        waiting[agent].set(from, parameters);
      }
      return undefined;
    },
    average(agent) {
      const peers = [...waiting[agent]].sort(([i], [j]) => i - j);
      waiting[agent].clear();
      if (peers.length === 0) return [];
      const state = learners[agent]!.exportState();
      const sums = Float64Array.from(state.parameters);
      for (const [, theirs] of peers) for (let i = 0; i < sums.length; i++) sums[i] += theirs[i];
      for (let i = 0; i < sums.length; i++) sums[i] /= 1 + peers.length;
      const parameters = Float32Array.from(sums);
      learners[agent]!.restoreState({ ...state, parameters });
      return peers.map(([from]) => from);
    },
    exportState: () => ({ serials: serials.slice(), heard: heard.slice() }),
    restoreState(state) {
      if (state.serials?.length !== N || state.heard?.length !== N * N) return false;
      serials.set(state.serials);
      heard.set(state.heard);
      for (const peers of waiting) peers.clear();
      return true;
    },
  };
}
