import { type Environment, isOver } from "../../environment.ts";
import { MagicMaskError } from "../../error.ts";
import { type Stream, stream } from "../../random.ts";
import { box, discrete } from "../../space.ts";

const AGENTS = ["ann", "bob"];
const CELLS = 5;
const TICKS = 8;
/** Berries after which an agent is full and leaves. */
const FULL = 2;
const STEPS = [0, -1, 1];

/**
 * The smallest simultaneous world with all that a simultaneous world can have. Two agents walk on a line of five cells; who
 * stands where the berry is eats it (two share it), and the next one grows on a random cell. Who has eaten twice is full and
 * terminates; the clock truncates the others. How much one has eaten is seen by nobody.
 *
 * `state` is the whole state, open to whoever wants to break it.
 */
export function gatherers(): Environment & { readonly state: GatherersState } {
  const acting = new Uint8Array(2);
  const rewards = new Float64Array(2);
  const terminated = new Uint8Array(2);
  const truncated = new Uint8Array(2);
  const own = stream(0);
  const state: GatherersState = { tick: 0, berry: 0, random: own, cells: new Uint8Array(2), eaten: new Uint8Array(2) };
  const flags = [acting, terminated, truncated, state.cells, state.eaten];

  const mayMove = (agent: number, action: number) => {
    const cell = state.cells[agent] + STEPS[action];
    return cell >= 0 && cell < CELLS;
  };

  const self: Environment & { readonly state: GatherersState } = {
    id: "gatherers_v0",
    agents: AGENTS,
    roles: ["gatherer", "gatherer"],
    observationSpaces: AGENTS.map(() => box([3], 0, 1)),
    actionSpaces: AGENTS.map(() => discrete(3, ["stay", "left", "right"])),
    turnBased: false,
    zeroSum: false,
    returnRange: [0, FULL],
    commonFeatures: AGENTS.map(() => [0, 1, 2]),
    chance: "steps",
    snapshotBytes: 44,
    acting,
    rewards,
    terminated,
    truncated,
    state,
    reset(seed) {
      own.rekey(seed, "gatherers");
      state.random = own;
      state.tick = 0;
      state.berry = 2;
      state.cells.set([1, 3]);
      state.eaten.fill(0);
      rewards.fill(0);
      terminated.fill(0);
      truncated.fill(0);
      acting.fill(1);
    },
    observe(agent, out, offset) {
      out[offset] = state.cells[agent] / (CELLS - 1);
      out[offset + 1] = state.berry / (CELLS - 1);
      out[offset + 2] = state.tick / TICKS;
    },
    legal(agent, out, offset) {
      let count = 0;
      for (let a = 0; a < 3; a++) count += out[offset + a] = acting[agent] && mayMove(agent, a) ? 1 : 0;
      return count;
    },
    step(actions) {
      if (isOver(self)) throw new MagicMaskError("out-of-order", "planted/gatherers", "call reset() before step()");
      for (let i = 0; i < 2; i++) {
        if (!acting[i] || ([0, 1, 2].includes(actions[i]) && mayMove(i, actions[i]))) continue;
        throw new MagicMaskError("illegal-action", "planted/gatherers", `${AGENTS[i]} cannot do ${actions[i]}`);
      }
      rewards.fill(0);
      for (let i = 0; i < 2; i++) if (acting[i]) state.cells[i] += STEPS[actions[i]];
      const eaters = [0, 1].filter((i) => acting[i] && state.cells[i] === state.berry);
      for (const i of eaters) {
        rewards[i] = 1 / eaters.length;
        if (++state.eaten[i] === FULL) terminated[i] = 1;
      }
      if (eaters.length > 0) state.berry = state.random.below(CELLS);
      state.tick++;
      for (let i = 0; i < 2; i++) {
        if (state.tick >= TICKS && !terminated[i]) truncated[i] = 1;
        acting[i] = terminated[i] || truncated[i] ? 0 : 1;
      }
    },
    snapshot(out, offset) {
      const bytes = new DataView(out.buffer, out.byteOffset + offset, 44);
      for (const [i, word] of state.random.exportState().entries()) bytes.setUint32(4 * i, word);
      for (const [i, reward] of rewards.entries()) bytes.setFloat64(16 + 8 * i, reward);
      for (const [i, array] of flags.entries()) out.set(array, offset + 32 + 2 * i);
      out[offset + 42] = state.tick;
      out[offset + 43] = state.berry;
    },
    restore(from, offset, random) {
      const bytes = new DataView(from.buffer, from.byteOffset + offset, 44);
      own.restoreState([0, 4, 8, 12].map((at) => bytes.getUint32(at)));
      state.random = random ?? own;
      for (const i of rewards.keys()) rewards[i] = bytes.getFloat64(16 + 8 * i);
      for (const [i, array] of flags.entries()) array.set(from.subarray(offset + 32 + 2 * i, offset + 34 + 2 * i));
      state.tick = from[offset + 42];
      state.berry = from[offset + 43];
    },
    render: () =>
      Array.from({ length: CELLS }, (_, cell) => {
        const there = AGENTS.filter((_, i) => state.cells[i] === cell).map((name) => name[0]);
        return there.join("") || (state.berry === cell ? "*" : ".");
      }).join(" "),
  };
  return self;
}

export interface GatherersState {
  tick: number;
  berry: number;
  /** Where chance comes from: its own stream, or the one given at restore. */
  random: Stream;
  /** [2] */
  readonly cells: Uint8Array;
  /** [2] hidden */
  readonly eaten: Uint8Array;
}
