import { type Environment, MagicMaskError, type MakeEnvironment } from "@magic-mask/core";
import { environments, makeEnvironment } from "@magic-mask/environments";
import { makePettingZoo, type PettingZooOptions } from "@magic-mask/pettingzoo";
import type { Config } from "./config.ts";

/** Worlds that are not one world: their options say which. */
const adapters: Readonly<Record<string, (options: Readonly<Record<string, unknown>>) => MakeEnvironment>> = {
  pettingzoo: (options) => makePettingZoo(options as unknown as PettingZooOptions),
};

/** A user's own world: its options come from a configuration, so it checks them itself. */
export type WorldFactory = (options: Readonly<Record<string, unknown>>) => Environment;

/** Worlds that users bring along, by id. */
const brought: Record<string, WorldFactory> = {};

/** Every id that `environment.id` may name. */
export const worldIds = (): readonly string[] => [
  ...Object.keys(environments),
  ...Object.keys(adapters),
  ...Object.keys(brought),
];

/**
 * Lets `environment.id` name these worlds in this process, too. Bringing the same factory again changes nothing.
 *
 * @throws invalid-option for an id that another world has
 */
export function bringWorlds(worlds: Readonly<Record<string, WorldFactory>>): void {
  for (const [id, factory] of Object.entries(worlds)) {
    if (worldIds().includes(id) && brought[id] !== factory) {
      throw new MagicMaskError(
        "invalid-option",
        "trainer/worlds",
        `there is a world "${id}" already; call yours otherwise`,
      );
    }
    brought[id] = factory;
  }
}

/** What builds copies of the world that a configuration names. Copies check the options when they are built. */
export function makerOf({ id, options }: Config["environment"]): MakeEnvironment {
  if (Object.hasOwn(brought, id)) return () => brought[id](options);
  return Object.hasOwn(adapters, id) ? adapters[id](options) : () => makeEnvironment(id, options);
}
