import { checkRange } from "@magic-mask/core";
import type { CreateChannel } from "../channel.ts";
import { createLayer } from "./layer.ts";

export interface DuplicateOptions {
  /** Probability in [0, 1] that a message is sent twice. */
  readonly rate: number;
}

/** Sends some messages twice; what lies behind treats each copy by itself. @throws invalid-option; unsupported as `createLayer` */
export function duplicate(behind: CreateChannel, { rate }: DuplicateOptions): CreateChannel {
  checkRange("comm/duplicate", "rate", rate, 0, 1);
  return (options) =>
    createLayer("duplicate", behind, options, ({ pass, repeat, chance }) => ({
      send(from, to, bytes, tick) {
        const twice = chance(from, to).uniform() < rate;
        pass(from, to, bytes, tick);
        if (!twice) return;
        repeat(from);
        pass(from, to, bytes, tick);
      },
    }));
}
