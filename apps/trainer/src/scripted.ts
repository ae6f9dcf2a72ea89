import { MagicMaskError, type Policy } from "@magic-mask/core";
import { connectFourOnePly, doudizhuGreedy } from "@magic-mask/environments";
import type { Config } from "./config.ts";

interface ScriptedPlayer {
  readonly name: string;
  /** [N] one per seat; the same where it plays all seats alike. */
  readonly policies: readonly Policy[];
}

/** Scripted players, by the world that they play. */
const players: Readonly<Record<string, (options: object) => ScriptedPlayer>> = {
  connect_four_v0: (options) => {
    const policy = connectFourOnePly(options);
    return { name: "one-ply", policies: [policy, policy] };
  },
  doudizhu_v0: ({ observation }: { observation?: "rlcard" | "douzero" }) => ({
    name: "greedy player",
    policies: [0, 1, 2].map((agent) => doudizhuGreedy({ agent, ...(observation && { observation }) })),
  }),
};

/** The scripted player of a configuration's world; undefined where there is none. */
export const scriptedPlayer = ({ environment }: Config): ScriptedPlayer | undefined =>
  Object.hasOwn(players, environment.id) ? players[environment.id](environment.options) : undefined;

/** @throws unsupported where there is none */
export function requireScriptedPlayer(config: Config): ScriptedPlayer {
  const player = scriptedPlayer(config);
  if (player) return player;
  throw new MagicMaskError(
    "unsupported",
    "trainer/scripted",
    `${config.environment.id} has no scripted player; these have one: ${Object.keys(players).join(", ")}`,
  );
}
