import { boxSize, type MakeEnvironment, maskWidth } from "@magic-mask/core";
import type { Action } from "./facade.ts";
import { type ForeignObservation, type ForeignOptions, type ForeignWorld, foreignBase } from "./foreign.ts";

type PerAgent<T> = Readonly<Record<string, T>>;

/** An object of PettingZoo's parallel shape, with spaces in this workspace's form. */
export interface ForeignParallel extends ForeignWorld {
  reset(options: { readonly seed: number }): readonly [observations: PerAgent<ForeignObservation>, ...rest: unknown[]];
  step(
    actions: PerAgent<Action>,
  ): readonly [
    observations: PerAgent<ForeignObservation>,
    rewards: PerAgent<number>,
    terminations: PerAgent<boolean>,
    truncations: PerAgent<boolean>,
    ...rest: unknown[],
  ];
}

/**
 * Takes worlds of PettingZoo's parallel shape, so that they can be trained on and explained: a simultaneous `Environment`.
 *
 * Agents that have left go on seeing their last observation. Illegal actions throw before they reach the object. There
 * are no snapshots.
 *
 * @param make builds a fresh object at each call
 * @throws invalid-option, unsupported when an instance is made; shape-mismatch if the object breaks its own spaces
 */
export function fromParallel(make: () => ForeignParallel, options: ForeignOptions = {}): MakeEnvironment {
  return () => {
    const object = make();
    const base = foreignBase("environments/from-parallel", object, false, options);
    const { agents, observationSpaces, actionSpaces } = base.common;
    const { acting, rewards, terminated, truncated } = base.state;
    const looks = observationSpaces.map((space) => new Float32Array(boxSize(space)));
    const masks = actionSpaces.map((space) => new Uint8Array(maskWidth(space)));
    const choices = new Int32Array(agents.length);

    const publish = (observations: PerAgent<ForeignObservation>) => {
      agents.forEach((name, agent) => {
        acting[agent] = !terminated[agent] && !truncated[agent] ? 1 : 0;
        if (Object.hasOwn(observations, name)) {
          base.readObservation(agent, observations[name], looks[agent], 0);
          choices[agent] = base.readMask(agent, observations[name], masks[agent], 0);
        }
        if (!acting[agent]) {
          choices[agent] = 0;
          masks[agent].fill(0);
        }
      });
    };

    return {
      ...base.common,
      ...base.state,

      reset(seed) {
        const [observations] = object.reset({ seed });
        rewards.fill(0);
        terminated.fill(0);
        truncated.fill(0);
        publish(observations);
      },

      observe(agent, out, offset) {
        out.set(looks[agent], offset);
      },

      legal(agent, out, offset) {
        out.set(masks[agent], offset);
        return choices[agent];
      },

      step(actions) {
        base.requireActing(acting);
        const chosen: Record<string, Action> = {};
        agents.forEach((name, agent) => {
          if (acting[agent]) chosen[name] = base.readAction(agent, masks[agent], actions);
        });
        const [observations, earned, terminations, truncations] = object.step(chosen);
        agents.forEach((name, agent) => {
          rewards[agent] = earned[name] ?? 0;
          if (terminations[name]) terminated[agent] = 1;
          if (truncations[name]) truncated[agent] = 1;
        });
        publish(observations);
      },
    };
  };
}
