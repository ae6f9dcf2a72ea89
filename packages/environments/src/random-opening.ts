import {
  checkCount,
  type Environment,
  isOver,
  MagicMaskError,
  type MakeEnvironment,
  maskWidth,
  requireChoices,
  slotWidth,
  stream,
} from "@magic-mask/core";

/** Openings tried per episode before the world is taken to be too short for them. */
const ATTEMPTS = 1000;

/**
 * Starts every episode after `ticks` ticks of uniformly random legal actions, so that deterministic players do not repeat
 * one game. `reset(seed)` draws the opening from the same seed. An opening that ends the episode or pays anybody is drawn
 * again: episodes start clean and returns keep their range.
 *
 * @param make a world whose actions are discrete or candidates
 * @param ticks ≥ 0
 * @throws invalid-option; unsupported when an instance is made of another kind of world, and from `reset` if none of
 *   1000 openings will do
 */
export function withRandomOpening(make: MakeEnvironment, ticks: number): MakeEnvironment {
  const source = "environments/random-opening";
  checkCount(source, "ticks", ticks, 0);
  return () => {
    const environment = make();
    const { actionSpaces, acting } = environment;
    const id = `random_opening_${ticks}_${environment.id}`;
    for (const space of actionSpaces) requireChoices(source, space);
    const W = slotWidth(environment);
    const actions = new Float32Array(actionSpaces.length * W);
    const mask = new Uint8Array(Math.max(...actionSpaces.map(maskWidth)));
    const random = stream(0, id);

    /** @returns whether the opening will do */
    const open = (): boolean => {
      for (let t = 0; t < ticks; t++) {
        for (let agent = 0; agent < acting.length; agent++) {
          if (!acting[agent]) continue;
          let left = random.below(environment.legal(agent, mask, 0));
          let action = 0;
          while (mask[action] === 0 || left-- > 0) action++;
          actions[agent * W] = action;
        }
        environment.step(actions);
        if (isOver(environment) || environment.rewards.some((reward) => reward !== 0)) return false;
      }
      return true;
    };

    const opened: Environment = {
      ...environment,
      id,
      chance: environment.chance === "none" && ticks > 0 ? "reset" : environment.chance,
      reset(seed) {
        random.rekey(seed, id);
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
          // The world's own chance must differ between attempts, or a world that pays early would do so every time.
          environment.reset(attempt === 0 ? seed : random.bits());
          if (open()) return;
        }
        throw new MagicMaskError(
          "unsupported",
          source,
          `none of ${ATTEMPTS} openings of ${ticks} ticks leaves ${environment.id} running and unpaid; use fewer ticks`,
        );
      },
    };
    return opened;
  };
}
