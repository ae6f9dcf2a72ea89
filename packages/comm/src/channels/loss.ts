import { checkRange } from "@magic-mask/core";
import type { CreateChannel } from "../channel.ts";
import { createLayer } from "./layer.ts";

export interface LossOptions {
  /** Probability in [0, 1] that a message is lost. */
  readonly rate: number;
}

/** Loses each message by itself, as a network without acknowledgements does. @throws invalid-option; unsupported as `createLayer` */
export function loss(behind: CreateChannel, { rate }: LossOptions): CreateChannel {
  checkRange("comm/loss", "rate", rate, 0, 1);
  return (options) =>
    createLayer("loss", behind, options, ({ pass, drop, chance }) => ({
      send(from, to, bytes, tick) {
        if (chance(from, to).uniform() < rate) drop(from);
        else pass(from, to, bytes, tick);
      },
    }));
}
