import { type Environment, isOver } from "../../environment.ts";
import { MagicMaskError } from "../../error.ts";
import { box, candidates, contains, maskWidth, multiDiscrete } from "../../space.ts";

const AGENTS = ["builder", "driver", "trader"];
const SHIFT = 4;
/** Slots are two wide: the builder's. */
const W = 2;

/**
 * One agent for each space that is not `Discrete`, for a shift of four ticks: a builder picks a part (of two) and one of three
 * colours, each but the one of the tick; a driver steers; a trader takes one of `1 + tick % 3` offers. It cannot be copied.
 */
export function workshop(): Environment {
  const acting = new Uint8Array(3);
  const rewards = new Float64Array(3);
  const terminated = new Uint8Array(3);
  const truncated = new Uint8Array(3);
  const actionSpaces = [multiDiscrete(2, 3), box([1], -1, 1), candidates(3, 2)];
  let tick = 0;
  const offers = () => 1 + (tick % 3);
  const mayPaint = (colour: number) => colour !== tick % 3;
  const unsupported = () => {
    throw new MagicMaskError("unsupported", "planted/workshop", "it has no snapshots");
  };

  const self: Environment = {
    id: "workshop_v0",
    agents: AGENTS,
    roles: AGENTS,
    observationSpaces: AGENTS.map(() => box([1], 0, Number.POSITIVE_INFINITY)),
    actionSpaces,
    turnBased: false,
    zeroSum: false,
    returnRange: null,
    commonFeatures: null,
    chance: "reset",
    snapshotBytes: 0,
    acting,
    rewards,
    terminated,
    truncated,
    reset(seed) {
      tick = seed % 3;
      acting.fill(1);
      for (const array of [rewards, terminated, truncated]) array.fill(0);
    },
    observe(_agent, out, offset) {
      out[offset] = tick;
    },
    legal(agent, out, offset) {
      if (agent === 1) return acting[1];
      out.fill(0, offset, offset + maskWidth(actionSpaces[agent]));
      if (!acting[agent]) return 0;
      if (agent === 2) {
        out.fill(1, offset, offset + offers());
        return offers();
      }
      for (let i = 0; i < 5; i++) out[offset + i] = i < 2 || mayPaint(i - 2) ? 1 : 0;
      return 4;
    },
    candidates(agent, out, offset) {
      if (agent !== 2 || !acting[2]) return 0;
      for (let i = 0; i < offers() * 2; i++) out[offset + i] = tick + i;
      return offers();
    },
    step(actions) {
      if (isOver(self)) throw new MagicMaskError("out-of-order", "planted/workshop", "call reset() before step()");
      const lawful = actionSpaces.every((space, agent) => contains(space, actions, agent * W));
      if (!lawful || !mayPaint(actions[1]) || actions[2 * W] >= offers()) {
        throw new MagicMaskError("illegal-action", "planted/workshop", `nobody can do [${actions}]`);
      }
      rewards.set([actions[0] + actions[1], actions[W], actions[2 * W]]);
      tick++;
      if (tick < SHIFT) return;
      acting.fill(0);
      truncated.fill(1);
    },
    snapshot: unsupported,
    restore: unsupported,
    render: () => `tick ${tick} of ${SHIFT}`,
  };
  return self;
}
