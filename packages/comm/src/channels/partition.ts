import { checkCount, MagicMaskError } from "@magic-mask/core";
import type { CreateChannel } from "../channel.ts";
import { createLayer } from "./layer.ts";

export interface PartitionOptions {
  /** Groups of agents that are cut off from each other; who is in none forms one more with the others like it. */
  readonly groups: readonly (readonly number[])[];
  /** First collector tick at which nothing crosses, a whole number ≥ 0. */
  readonly start: number;
  /** Tick at which the cut heals, ≥ start. */
  readonly end: number;
}

/**
 * Cuts the team into groups for a while. What would cross in between is held and arrives when the cut heals, as
 * over TCP, which sends again until it is answered, or through a log that is kept by a server; what is held is bounded by the
 * channel behind, where the oldest gives way.
 *
 * @throws invalid-option; unsupported as `createLayer`
 */
export function partition(behind: CreateChannel, { groups, start, end }: PartitionOptions): CreateChannel {
  checkCount("comm/partition", "start", start, 0);
  checkCount("comm/partition", "end", end, start);
  return (options) => {
    const groupOf = new Int32Array(options.agents).fill(-1);
    groups.forEach((group, number) => {
      for (const agent of group) {
        if (groupOf[agent] !== -1) {
          const message = `groups must name agents 0 … ${options.agents - 1}, each once, got ${JSON.stringify(groups)}`;
          throw new MagicMaskError("invalid-option", "comm/partition", message);
        }
        groupOf[agent] = number;
      }
    });
    return createLayer("partition", behind, options, ({ pass }) => ({
      send(from, to, bytes, tick) {
        const isHeld = tick >= start && tick < end && groupOf[from] !== groupOf[to];
        pass(from, to, bytes, isHeld ? end : tick);
      },
    }));
  };
}
