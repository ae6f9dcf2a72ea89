import { type Environment, isOver } from "../../environment.ts";
import { MagicMaskError } from "../../error.ts";
import { box, discrete } from "../../space.ts";

const AGENTS = ["first", "second"];

/**
 * The smallest turn-based world: take one to three stones from a heap of 7 to 9; who takes the last one wins. No chance after
 * the reset.
 *
 * `state` is the whole state, open to whoever wants to break it.
 */
export function nim(): Environment & { readonly state: { heap: number; mover: number } } {
  const acting = new Uint8Array(2);
  const rewards = new Float64Array(2);
  const terminated = new Uint8Array(2);
  const truncated = new Uint8Array(2);
  const state = { heap: 0, mover: 0 };
  /** Derives the arrays from the state: a heap that is empty was emptied by the one who is not to move. */
  const publish = () => {
    acting.fill(0);
    rewards.fill(0);
    terminated.fill(state.heap === 0 ? 1 : 0);
    if (state.heap > 0) acting[state.mover] = 1;
    else rewards.set(state.mover === 0 ? [-1, 1] : [1, -1]);
  };

  const self: Environment & { readonly state: typeof state } = {
    id: "nim_v0",
    agents: AGENTS,
    roles: ["player", "player"],
    observationSpaces: AGENTS.map(() => box([2], 0, [9, 1])),
    actionSpaces: AGENTS.map(() => discrete(3)),
    turnBased: true,
    zeroSum: true,
    returnRange: [-1, 1],
    commonFeatures: null,
    chance: "reset",
    snapshotBytes: 2,
    acting,
    rewards,
    terminated,
    truncated,
    state,
    reset(seed) {
      state.heap = 7 + (seed % 3);
      state.mover = 0;
      publish();
    },
    observe(agent, out, offset) {
      out[offset] = state.heap;
      out[offset + 1] = state.mover === agent ? 1 : 0;
    },
    legal(agent, out, offset) {
      const count = acting[agent] ? Math.min(3, state.heap) : 0;
      for (let a = 0; a < 3; a++) out[offset + a] = a < count ? 1 : 0;
      return count;
    },
    step(actions) {
      if (isOver(self)) throw new MagicMaskError("out-of-order", "planted/nim", "call reset() before step()");
      const action = actions[state.mover];
      if (![0, 1, 2].includes(action) || action >= state.heap) {
        throw new MagicMaskError("illegal-action", "planted/nim", `cannot take ${action + 1} of ${state.heap} stones`);
      }
      state.heap -= action + 1;
      state.mover = 1 - state.mover;
      publish();
    },
    snapshot: (out, offset) => out.set([state.heap, state.mover], offset),
    restore(from, offset) {
      state.heap = from[offset];
      state.mover = from[offset + 1];
      publish();
    },
    render: () => `<svg xmlns="http://www.w3.org/2000/svg"><text>${state.heap}</text></svg>`,
  };
  return self;
}
