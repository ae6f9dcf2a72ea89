import type { MakeEnvironment } from "@magic-mask/core";
import { environments, makeEnvironment } from "@magic-mask/environments";
import { makePettingZoo, type PettingZooOptions } from "@magic-mask/pettingzoo";
import type { Config } from "./config.ts";

/** Worlds that are not one world: their options say which. */
const adapters: Readonly<Record<string, (options: Readonly<Record<string, unknown>>) => MakeEnvironment>> = {
  pettingzoo: (options) => makePettingZoo(options as unknown as PettingZooOptions),
};

/** Every id that `environment.id` may name. */
export const worldIds: readonly string[] = [...Object.keys(environments), ...Object.keys(adapters)];

/** What builds copies of the world that a configuration names. Copies check the options when they are built. */
export function makerOf({ id, options }: Config["environment"]): MakeEnvironment {
  return Object.hasOwn(adapters, id) ? adapters[id](options) : () => makeEnvironment(id, options);
}
