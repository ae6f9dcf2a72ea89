import { type Channel, ideal, type NetworkOptions, network } from "@magic-mask/comm";
import type { Config } from "./config.ts";

/**
 * The channel that a configuration asks for.
 *
 * @param copies environment steps that a collector tick makes
 * @param seed root of its chance
 * @throws invalid-option for a partition that is none of this team's
 */
export function assembleChannel(
  config: Pick<Config, "sharing">,
  agents: number,
  copies: number,
  seed: number,
): Channel {
  return network(ideal, faultsOf(config, agents, copies))({ agents, seed });
}

/** What is wrong with it; nothing if it is ideal. @param copies environment steps that a collector tick makes */
export function faultsOf({ sharing }: Pick<Config, "sharing">, agents: number, copies: number): NetworkOptions {
  const { loss, delay, delays, reorder, holdBack, duplicate, bandwidth, partition } = sharing.channel;
  const { start, end, groups } = partition;
  const halves = [Array.from({ length: agents >> 1 }, (_, agent) => agent)];
  return {
    ...(bandwidth !== null && { bandwidth: { bytes: bandwidth * copies } }),
    ...(duplicate > 0 && { duplicate: { rate: duplicate } }),
    ...(loss > 0 && { loss: { rate: loss } }),
    ...(delay > 0 && { delay: { ticks: delay, distribution: delays } }),
    ...(reorder > 0 && { reorder: { rate: reorder, ticks: holdBack } }),
    ...(end !== start && { partition: { groups: groups.length > 0 ? groups : halves, start, end } }),
  };
}
