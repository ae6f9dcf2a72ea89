import { boxSize, type MakeEnvironment, maskWidth } from "@magic-mask/core";
import type { AecEnvironment } from "./aec.ts";
import { type ForeignObservation, type ForeignOptions, type ForeignWorld, foreignBase } from "./foreign.ts";

/** An object of PettingZoo's AEC shape, with spaces in this workspace's form. */
export interface ForeignAec
  extends ForeignWorld,
    Pick<AecEnvironment, "agentSelection" | "rewards" | "terminations" | "truncations" | "step"> {
  reset(options: { readonly seed: number }): void;
  observe(agent: string): ForeignObservation;
}

/**
 * Takes worlds of PettingZoo's AEC shape, so that they can be trained on and explained: a turn-based `Environment`.
 *
 * Dead steps are taken here while another agent lives; agents so removed go on seeing their last observation. Illegal
 * actions throw before they reach the object. There are no snapshots.
 *
 * @param make builds a fresh object at each call
 * @throws invalid-option, unsupported when an instance is made; shape-mismatch if the object breaks its own spaces
 */
export function fromAec(make: () => ForeignAec, options: ForeignOptions = {}): MakeEnvironment {
  return () => {
    const object = make();
    const base = foreignBase("environments/from-aec", object, true, options);
    const { agents, observationSpaces, actionSpaces } = base.common;
    const { acting, rewards, terminated, truncated } = base.state;
    const lastLooks = observationSpaces.map((space) => new Float32Array(boxSize(space)));
    const masks = actionSpaces.map((space) => new Uint8Array(maskWidth(space)));

    const lives = (name: string) => !object.terminations[name] && !object.truncations[name];
    const publish = () => {
      agents.forEach((name, agent) => {
        rewards[agent] = object.rewards[name] ?? 0;
        if (object.terminations[name]) terminated[agent] = 1;
        if (object.truncations[name]) truncated[agent] = 1;
      });
      acting.fill(0);
      if (!object.agents.some(lives)) return;
      while (!lives(object.agentSelection)) {
        const agent = agents.indexOf(object.agentSelection);
        base.readObservation(agent, object.observe(object.agentSelection), lastLooks[agent], 0);
        object.step(null);
      }
      acting[agents.indexOf(object.agentSelection)] = 1;
    };

    return {
      ...base.common,
      ...base.state,

      reset(seed) {
        object.reset({ seed });
        terminated.fill(0);
        truncated.fill(0);
        publish();
      },

      observe(agent, out, offset) {
        if (object.agents.includes(agents[agent]))
          base.readObservation(agent, object.observe(agents[agent]), out, offset);
        else out.set(lastLooks[agent], offset);
      },

      legal(agent, out, offset) {
        if (acting[agent]) return base.readMask(agent, object.observe(agents[agent]), out, offset);
        out.fill(0, offset, offset + masks[agent].length);
        return 0;
      },

      step(actions) {
        base.requireActing(acting);
        const agent = acting.indexOf(1);
        base.readMask(agent, object.observe(agents[agent]), masks[agent], 0);
        object.step(base.readAction(agent, masks[agent], actions));
        publish();
      },
    };
  };
}
