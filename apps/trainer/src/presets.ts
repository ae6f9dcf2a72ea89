import type { ConfigInput } from "./config.ts";

/** What is known to learn well in a world, by its id: the lowest layer of a configuration there, above the defaults. */
export const presets: Readonly<Record<string, ConfigInput>> = {
  // The observation marks winning cells: one-ply facts that the plain planes leave to the net.
  connect_four_v0: { environment: { options: { observation: "threats" } } },
};
