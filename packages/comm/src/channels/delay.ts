import { checkRange, MagicMaskError } from "@magic-mask/core";
import type { CreateChannel } from "../channel.ts";
import { createLayer } from "./layer.ts";

export interface DelayOptions {
  /** Mean collector ticks that a message is under way, ≥ 0. */
  readonly ticks: number;
  /** `constant`: every one so long, in whole ticks, order kept. `geometric`: each by itself, the exponential in whole ticks. */
  readonly distribution?: "constant" | "geometric";
}

/**
 * Delivers late: d ticks after a message was sent, d = ⌊ticks⌋, or P(d) = (1 − q)·q^d with q = ticks / (1 + ticks), whose mean
 * is `ticks`; drawn by inversion, d = ⌊ln(1 − u) / ln q⌋, so at most about 22 times the mean.
 *
 * @throws invalid-option; unsupported as `createLayer`
 */
export function delay(behind: CreateChannel, { ticks, distribution = "constant" }: DelayOptions): CreateChannel {
  checkRange("comm/delay", "ticks", ticks, 0, 1e9);
  if (distribution !== "constant" && distribution !== "geometric") {
    const message = `distribution must be constant or geometric, got ${JSON.stringify(distribution)}`;
    throw new MagicMaskError("invalid-option", "comm/delay", message);
  }
  const logarithm = Math.log(ticks / (1 + ticks));
  return (options) =>
    createLayer("delay", behind, options, ({ pass, chance }) => ({
      send(from, to, bytes, tick) {
        // ln q is −∞ where the mean is 0: then d = 0.
        const late =
          distribution === "constant"
            ? Math.floor(ticks)
            : Math.floor(Math.log(1 - chance(from, to).uniform()) / logarithm);
        pass(from, to, bytes, tick + late);
      },
    }));
}
