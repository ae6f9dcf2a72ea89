import type { StateArrays } from "./state.ts";

/**
 * Counters over a channel's life, [N] each, by sender. A message to two recipients counts twice. What was sent or repeated and
 * is neither delivered nor dropped is under way.
 */
export interface ChannelStatistics {
  /** Messages handed to the channel. */
  readonly messages: Float64Array;
  /** Their bytes. */
  readonly bytes: Float64Array;
  /** Messages that the channel handed to their recipients. */
  readonly delivered: Float64Array;
  /** Copies that the channel made beside the messages. */
  readonly repeated: Float64Array;
  /** Messages and copies that it gave up, by the part of it that did. */
  readonly dropped: Readonly<Record<string, Float64Array>>;
}

/** A message as it arrives. */
export interface Delivery {
  /** Who handed it to the channel: what the connection knows, not what the bytes say. */
  readonly from: number;
  /** The recipient's to keep. */
  readonly bytes: Uint8Array;
}

/**
 * Carries bytes between agents. It may lose, delay, reorder or repeat messages, never alter them. All its chance comes
 * from its own seed, so that the same sends and receives give the same deliveries. Nobody waits for anybody: sending and
 * receiving return at once. What is under way is bounded; the oldest gives way.
 */
export interface Channel {
  readonly statistics: ChannelStatistics;
  /**
   * Takes a message from agent `from` to agent `to` at collector tick `tick`, which may lie ahead of what was last received
   * at. The bytes stay the caller's.
   */
  send(from: number, to: number, bytes: Uint8Array, tick: number): void;
  /** What has reached agent `to` by tick `tick` and was not handed over before, in order of arrival. */
  receive(to: number, tick: number): Delivery[];
  /** Counters, chance and messages under way. */
  exportState(): StateArrays;
  /** @throws corrupt-file */
  restoreState(state: StateArrays): void;
}

export interface ChannelOptions {
  /** N ≥ 1 */
  readonly agents: number;
  /** Root of the channel's chance. */
  readonly seed: number;
}

/** Builds channels of one kind. */
export type CreateChannel = (options: ChannelOptions) => Channel;
