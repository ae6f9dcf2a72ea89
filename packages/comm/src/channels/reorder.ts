import { checkCount, checkRange } from "@magic-mask/core";
import type { CreateChannel } from "../channel.ts";
import { createLayer } from "./layer.ts";

export interface ReorderOptions {
  /** Probability in [0, 1] that a message is held back. */
  readonly rate: number;
  /** Collector ticks that it is held back at most, a whole number ≥ 1: uniform over 1 … ticks. */
  readonly ticks: number;
}

/** Holds some messages back, so that later ones overtake them. @throws invalid-option; unsupported as `createLayer` */
export function reorder(behind: CreateChannel, { rate, ticks }: ReorderOptions): CreateChannel {
  checkRange("comm/reorder", "rate", rate, 0, 1);
  checkCount("comm/reorder", "ticks", ticks, 1, 1e9);
  return (options) =>
    createLayer("reorder", behind, options, ({ pass, chance }) => ({
      send(from, to, bytes, tick) {
        const random = chance(from, to);
        pass(from, to, bytes, random.uniform() < rate ? tick + 1 + random.below(ticks) : tick);
      },
    }));
}
