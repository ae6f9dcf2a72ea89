import type { Policy } from "@magic-mask/core";
import { MagicMaskError } from "@magic-mask/core";
import { connectFourOnePly } from "@magic-mask/environments";
import type { Config } from "./config.ts";

/** Scripted players, by the world that they play. */
const players: Readonly<Record<string, { readonly name: string; make(options: object): Policy }>> = {
  connect_four_v0: { name: "one-ply", make: connectFourOnePly },
};

/** The scripted player of a configuration's world; undefined where there is none. */
export function scriptedPlayer({
  environment,
}: Config): { readonly name: string; readonly policy: Policy } | undefined {
  const player = players[environment.id];
  return player && { name: player.name, policy: player.make(environment.options) };
}

/** @throws unsupported where there is none */
export function requireScriptedPlayer(config: Config): Policy {
  const player = scriptedPlayer(config);
  if (player) return player.policy;
  const known = Object.keys(players).join(", ");
  throw new MagicMaskError(
    "unsupported",
    "trainer/scripted",
    `${config.environment.id} has no scripted player; these have one: ${known}`,
  );
}
