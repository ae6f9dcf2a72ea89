import { type Environment, isOver } from "../environment.ts";
import { MagicMaskError } from "../error.ts";
import { stream } from "../random.ts";
import { box, candidates } from "../space.ts";

const KINDS = 5;
const LONGEST = 6;
const TICKS = 8;
const SOURCE = "core/market";

/**
 * A small world of candidates for tests: a buyer and a seller take turns for eight ticks. Who is to move wants one kind of five
 * and is offered 1 to 6 goods, at least one of them of that kind, and earns 1 for taking such a one. At random that is 0.53 a
 * move, 2.1 an episode; at best 4.
 *
 * Observation: [5] = the kind wanted, one-hot, zeros for who waits; the seller's [6] = the same, then tick / 8.
 * Candidates: [6] = kind of the good, one-hot, then its weight in [0, 1), which does not matter.
 * Ends: terminated for the buyer, truncated for the seller.
 */
export function market(): Environment {
  const acting = new Uint8Array(2);
  const rewards = new Float64Array(2);
  const terminated = new Uint8Array(2);
  const truncated = new Uint8Array(2);
  // Tick, kind wanted, goods on offer, last reward; the goods' kinds and weights; the stream.
  const state = new Uint32Array(4 + 2 * LONGEST + 4);
  const [kinds, weights] = [state.subarray(4, 4 + LONGEST), state.subarray(4 + LONGEST, 4 + 2 * LONGEST)];
  const own = stream(0, SOURCE);
  let chance = own;
  state[0] = TICKS;

  const publish = () => {
    const [tick, , , earned] = state;
    const over = tick === TICKS;
    acting.set(over ? [0, 0] : [1 - (tick % 2), tick % 2]);
    rewards.fill(0);
    if (tick > 0) rewards[(tick - 1) % 2] = earned;
    terminated.set([over ? 1 : 0, 0]);
    truncated.set([0, over ? 1 : 0]);
  };
  const offer = () => {
    state[1] = chance.below(KINDS);
    state[2] = 1 + chance.below(LONGEST);
    for (let k = 0; k < LONGEST; k++) {
      kinds[k] = chance.below(KINDS);
      weights[k] = chance.below(256);
    }
    kinds[chance.below(state[2])] = state[1];
  };

  const self: Environment = {
    id: "market_v0",
    agents: ["buyer", "seller"],
    roles: ["buyer", "seller"],
    observationSpaces: [box([KINDS], 0, 1), box([KINDS + 1], 0, 1)],
    actionSpaces: [candidates(LONGEST, KINDS + 1), candidates(LONGEST, KINDS + 1)],
    turnBased: true,
    zeroSum: false,
    returnRange: [0, TICKS / 2],
    commonFeatures: [0, 1].map(() => Array.from({ length: KINDS }, (_, k) => k)),
    chance: "steps",
    snapshotBytes: state.byteLength,
    acting,
    rewards,
    terminated,
    truncated,
    reset(seed) {
      own.rekey(seed, SOURCE);
      chance = own;
      state.fill(0);
      offer();
      publish();
    },
    observe(agent, out, offset) {
      for (let k = 0; k < KINDS; k++) out[offset + k] = acting[agent] && state[1] === k ? 1 : 0;
      if (agent === 1) out[offset + KINDS] = state[0] / TICKS;
    },
    legal(agent, out, offset) {
      const count = acting[agent] ? state[2] : 0;
      for (let k = 0; k < LONGEST; k++) out[offset + k] = k < count ? 1 : 0;
      return count;
    },
    candidates(agent, out, offset) {
      if (!acting[agent]) return 0;
      for (let k = 0, at = offset; k < state[2]; k++) {
        for (let kind = 0; kind < KINDS; kind++) out[at++] = kinds[k] === kind ? 1 : 0;
        out[at++] = weights[k] / 256;
      }
      return state[2];
    },
    candidateLabels: (agent) => Array.from(kinds.subarray(0, acting[agent] ? state[2] : 0), (kind) => `kind-${kind}`),
    step(actions) {
      if (isOver(self)) throw new MagicMaskError("out-of-order", SOURCE, "call reset() before step()");
      const action = actions[state[0] % 2];
      if (!(Number.isInteger(action) && action >= 0 && action < state[2])) {
        throw new MagicMaskError("illegal-action", SOURCE, `there are goods 0 to ${state[2] - 1}, got ${action}`);
      }
      state[3] = kinds[action] === state[1] ? 1 : 0;
      state[0]++;
      if (state[0] < TICKS) offer();
      publish();
    },
    snapshot(out, offset) {
      state.set(chance.exportState(), 4 + 2 * LONGEST);
      out.set(new Uint8Array(state.buffer), offset);
    },
    restore(from, offset, random) {
      new Uint8Array(state.buffer).set(from.subarray(offset, offset + state.byteLength));
      chance = random ?? own;
      if (!random) own.restoreState([...state.subarray(4 + 2 * LONGEST)]);
      publish();
    },
    render: () => `tick ${state[0]} of ${TICKS}: wants ${state[1]}, offered ${kinds.slice(0, state[2]).join(" ")}`,
  };
  return self;
}
