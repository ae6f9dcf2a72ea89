import type { CreateChannel } from "../channel.ts";
import { type BandwidthOptions, bandwidth } from "./bandwidth.ts";
import { type DelayOptions, delay } from "./delay.ts";
import { type DuplicateOptions, duplicate } from "./duplicate.ts";
import { type LossOptions, loss } from "./loss.ts";
import { type PartitionOptions, partition } from "./partition.ts";
import { type ReorderOptions, reorder } from "./reorder.ts";

/** What is wrong with a network; what is left out is not. */
export interface NetworkOptions {
  readonly bandwidth?: BandwidthOptions;
  readonly duplicate?: DuplicateOptions;
  readonly loss?: LossOptions;
  readonly delay?: DelayOptions;
  readonly reorder?: ReorderOptions;
  readonly partition?: PartitionOptions;
}

/**
 * Puts faults in front of a channel, in the order in which a message meets them: the sender's own line (bandwidth), copies,
 * each of which may be lost, late or overtaken, and last a cut, which holds what would arrive in it.
 *
 * @throws as each of them
 */
export function network(behind: CreateChannel, faults: NetworkOptions): CreateChannel {
  let create = behind;
  if (faults.partition) create = partition(create, faults.partition);
  if (faults.reorder) create = reorder(create, faults.reorder);
  if (faults.delay) create = delay(create, faults.delay);
  if (faults.loss) create = loss(create, faults.loss);
  if (faults.duplicate) create = duplicate(create, faults.duplicate);
  if (faults.bandwidth) create = bandwidth(create, faults.bandwidth);
  return create;
}
