import type { CreateChannel } from "./channel.ts";
import { ideal } from "./channels/ideal.ts";
import { all, type Mode, marked, none, perturbed } from "./modes.ts";

export { createRecordBuffer, type RecordBuffer, type RecordBufferOptions, type RecordRows } from "./buffer.ts";
export type { Channel, ChannelOptions, ChannelStatistics, CreateChannel, Delivery } from "./channel.ts";
export { ideal } from "./channels/ideal.ts";
export { decodeMessage, encodeMessages, HEADER_BYTES, LAYOUT, RECORD_BYTES } from "./codec.ts";
export { all, type Mode, marked, none, perturbed } from "./modes.ts";
export { areComparable, roleNumbers } from "./peers.ts";
export { type CriticalRecord, emptyRecord } from "./record.ts";
export {
  createRecordHead,
  type FitPlan,
  type FitStatistics,
  type RecordHead,
  type RecordHeadOptions,
  type ValueFunction,
} from "./record-head.ts";
export { createRecordWriter, type RecordWriter, type RecordWriterOptions } from "./record-writer.ts";
export { createSharing, type Sharing, type SharingCounters, type SharingOptions } from "./sharing.ts";
export { createSignature, SIGNATURE_LENGTH, type Signature, type SignatureOptions } from "./signature.ts";
export { type StackOptions, stackExplainers } from "./stack.ts";
export type { StateArrays } from "./state.ts";

/** What an agent tells its peers, by name. */
export const modes: Readonly<Record<string, Mode>> = { none, marked, perturbed, all };

/** How messages travel, by name. */
export const channels: Readonly<Record<string, CreateChannel>> = { ideal };
