import type { CreateAdversary } from "./adversaries/adversary.ts";
import { exaggerate } from "./adversaries/exaggerate.ts";
import { flood } from "./adversaries/flood.ts";
import { forge } from "./adversaries/forge.ts";
import { poison } from "./adversaries/poison.ts";
import { replay } from "./adversaries/replay.ts";
import { turncoat } from "./adversaries/turncoat.ts";
import { all, features, type Mode, marked, model, none, perturbed } from "./modes.ts";

export type { Adversary, AdversaryOptions, CreateAdversary } from "./adversaries/adversary.ts";
export { createRecordBuffer, type RecordBuffer, type RecordBufferOptions, type RecordRows } from "./buffer.ts";
export type { Channel, ChannelOptions, ChannelStatistics, CreateChannel, Delivery } from "./channel.ts";
export { type BandwidthOptions, bandwidth } from "./channels/bandwidth.ts";
export { type DelayOptions, delay } from "./channels/delay.ts";
export { type DuplicateOptions, duplicate } from "./channels/duplicate.ts";
export { type IdealOptions, ideal } from "./channels/ideal.ts";
export { type LossOptions, loss } from "./channels/loss.ts";
export { type NetworkOptions, network } from "./channels/network.ts";
export { type PartitionOptions, partition } from "./channels/partition.ts";
export { type ReorderOptions, reorder } from "./channels/reorder.ts";
export {
  createMessageDecoder,
  encodeMessages,
  HEADER_BYTES,
  LAYOUT,
  LONG_LAYOUT,
  MESSAGE_BYTES,
  RECORD_BYTES,
} from "./codec.ts";
export type { Refusals } from "./intake.ts";
export { createModelExchange, type ModelExchange, type ModelExchangeOptions } from "./model-exchange.ts";
export { all, features, type Mode, marked, model, none, perturbed } from "./modes.ts";
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
export {
  createFeatures,
  createSignature,
  MOST_FEATURES,
  SIGNATURE_LENGTH,
  type Signature,
  type SignatureOptions,
} from "./signature.ts";
export { type StackOptions, stackExplainers } from "./stack.ts";
export type { StateArrays } from "./state.ts";
export { createSteering, type Steering, type SteeringOptions } from "./steering.ts";
export { createTrust, type Trust, type TrustOptions } from "./trust.ts";

/** What an agent tells its peers, by name. */
export const modes: Readonly<Record<string, Mode>> = { none, marked, perturbed, all, features, model };

/** What hostile agents tell their peers, by name. */
export const adversaries: Readonly<Record<string, CreateAdversary>> = {
  poison,
  turncoat,
  exaggerate,
  flood,
  replay,
  forge,
};
