import { type Environment, isOver, type MakeEnvironment } from "../../environment.ts";
import { isMagicMaskError, MagicMaskError } from "../../error.ts";
import { type Stream, stream } from "../../random.ts";
import { box, discrete } from "../../space.ts";
import { market } from "../market.ts";
import { gatherers } from "./gatherers.ts";
import { nim } from "./nim.ts";
import { workshop } from "./workshop.ts";

/** A world with one bug, and the names of exactly those laws that it breaks. */
export interface BrokenEnvironment {
  readonly bug: string;
  readonly breaks: readonly string[];
  readonly make: MakeEnvironment;
}

/** `make` with some of its members put in the place of the sound ones. */
const breaking =
  <T extends Environment>(make: () => T, change: (sound: T) => Partial<Environment>): MakeEnvironment =>
  () => {
    const sound = make();
    return Object.defineProperties({ ...sound }, Object.getOwnPropertyDescriptors(change(sound)));
  };

const DECLARES = "declares as many spaces, roles and arrays as it has agents";
const REWRITES = "rewrites its arrays and never replaces them";
const STARTS = "starts clean: somebody acts, nothing is earned, nothing has ended";
const OBSERVES = "observes within its spaces, and writes nowhere else";
const OFFERS = "offers every acting agent a legal action, and nobody else any";
const LISTS = "lists the candidates of who acts, and of nobody else, where candidates are its actions";
const TURNS = "lets exactly one agent act at a time if it is turn based, and no agent act or earn after its end";
const ENDS = "ends, with returns inside the declared range";
const ZERO_SUM = "is zero-sum if it says so";
const SAME = "plays the same episode for the same seed, on a fresh and on a used instance";
const BY_SEED = "has the chance that it declares, and starts by every bit of the seed";
const ALONE = "two instances do not disturb each other";
const ORDER = "refuses to step before reset and after the end";
const ILLEGAL_ACTIONS = "refuses illegal actions and stays as it was";
const IDLE = "ignores the slots of agents that do not act";
const KEEPS = "keeps no array that it is given, and writes to none but those it is to fill";
const LOOKING = "is moved by actions alone: looking changes nothing";
const CONTINUES = "continues from a snapshot exactly, as often as one likes";
const CHANCE = "draws its chance from the stream given at restore";
const RENDERS = "renders as text, and draws itself as one SVG document where it is drawn";

let restores = 0;

/** One stream for all instances, as a variable at the top of a file would be. */
const shared = stream(0);

export const brokenEnvironments: readonly BrokenEnvironment[] = [
  { bug: "id without a version", breaks: [DECLARES], make: breaking(gatherers, () => ({ id: "gatherers" })) },
  { bug: "a role too few", breaks: [DECLARES], make: breaking(gatherers, () => ({ roles: ["gatherer"] })) },
  { bug: "two agents of one name", breaks: [DECLARES], make: breaking(gatherers, () => ({ agents: ["ann", "ann"] })) },
  {
    bug: "a label too many",
    breaks: [DECLARES],
    make: breaking(gatherers, () => ({ actionSpaces: [0, 1].map(() => discrete(3, ["stay", "left", "right", "up"])) })),
  },
  {
    bug: "a common feature outside the observation",
    breaks: [DECLARES],
    make: breaking(gatherers, () => ({ commonFeatures: [[0], [3]] })),
  },

  {
    bug: "common features of one agent only",
    breaks: [DECLARES],
    make: breaking(gatherers, () => ({ commonFeatures: [[0]] })),
  },
  {
    bug: "more common features for one agent than for the other",
    breaks: [DECLARES],
    make: breaking(gatherers, () => ({ commonFeatures: [[0, 1], [0]] })),
  },

  {
    bug: "a list in place of an array",
    breaks: [DECLARES],
    make: breaking(nim, ({ acting, reset, step, restore }) => {
      const list = [0, 0] as number[] & Uint8Array;
      const after =
        <T extends unknown[]>(run: (...given: T) => void) =>
        (...given: T) => {
          run(...given);
          for (const agent of list.keys()) list[agent] = acting[agent];
        };
      return { acting: list, reset: after(reset), step: after(step), restore: after(restore) };
    }),
  },
  {
    bug: "rewards of single precision",
    breaks: [DECLARES],
    make: breaking(nim, ({ rewards, reset, step, restore }) => {
      const single = new Float32Array(2);
      const after =
        <T extends unknown[]>(run: (...given: T) => void) =>
        (...given: T) => {
          run(...given);
          single.set(rewards);
        };
      return {
        rewards: single as ArrayLike<number> as Float64Array,
        reset: after(reset),
        step: after(step),
        restore: after(restore),
      };
    }),
  },
  {
    bug: "chance that nobody knows",
    breaks: [DECLARES],
    make: breaking(nim, () => ({ chance: "sometimes" as "steps" })),
  },

  {
    bug: "new rewards each step",
    breaks: [REWRITES],
    make: breaking(gatherers, ({ reset, restore, step, rewards }) => {
      let current: Float64Array = rewards;
      return {
        get rewards() {
          return current;
        },
        reset(seed) {
          reset(seed);
          current = rewards;
        },
        restore(from, offset, random) {
          restore(from, offset, random);
          current = rewards;
        },
        step(actions) {
          step(actions);
          current = rewards.slice();
        },
      };
    }),
  },

  {
    bug: "a reward at reset",
    breaks: [STARTS],
    make: breaking(gatherers, ({ reset, rewards }) => ({
      reset(seed) {
        reset(seed);
        rewards[0] = 1;
      },
    })),
  },
  {
    bug: "rewards not cleared at reset",
    breaks: [STARTS, SAME],
    make: breaking(gatherers, ({ reset, rewards }) => ({
      reset(seed) {
        const last = rewards.slice();
        reset(seed);
        rewards.set(last);
      },
    })),
  },

  {
    bug: "one has left before it began",
    breaks: [STARTS, BY_SEED],
    make: breaking(gatherers, ({ reset, acting, terminated }) => ({
      reset(seed) {
        reset(seed);
        acting[1] = 0;
        terminated[1] = 1;
      },
    })),
  },
  {
    bug: "a seed with nothing to do",
    breaks: [STARTS, TURNS],
    make: breaking(gatherers, ({ reset, acting }) => ({
      reset(seed) {
        reset(seed);
        if (seed === 2) acting.fill(0);
      },
    })),
  },

  {
    bug: "sees further than its space",
    breaks: [OBSERVES],
    make: breaking(gatherers, () => ({ observationSpaces: [0, 1].map(() => box([3], 0, [1, 1, 0.9])) })),
  },
  {
    bug: "takes a large seed for a negative one",
    breaks: [OBSERVES],
    make: breaking(gatherers, ({ reset, state }) => ({
      reset(seed) {
        reset(seed);
        state.berry = (seed | 0) % 5;
      },
    })),
  },
  {
    bug: "sees infinity in a space without bounds",
    breaks: [OBSERVES],
    make: breaking(workshop, () => ({
      observe(_agent, out, offset) {
        out[offset] = Number.POSITIVE_INFINITY;
      },
    })),
  },
  {
    bug: "observe writes beyond its window",
    breaks: [OBSERVES],
    make: breaking(gatherers, ({ observe }) => ({
      observe(agent, out, offset) {
        observe(agent, out, offset);
        out[offset + 3] = 0;
      },
    })),
  },
  {
    bug: "observe adds to what it finds",
    breaks: [OBSERVES],
    make: breaking(workshop, () => ({
      observe(_agent, out, offset) {
        out[offset] += 1;
      },
    })),
  },
  {
    bug: "observe leaves a zero to the caller",
    breaks: [OBSERVES],
    make: breaking(gatherers, ({ observe, state }) => ({
      observe(agent, out, offset) {
        const first = out[offset];
        observe(agent, out, offset);
        if (state.cells[agent] === 0) out[offset] = first;
      },
    })),
  },

  {
    bug: "sees something else at another offset",
    breaks: [OBSERVES],
    make: breaking(gatherers, ({ observe }) => ({
      observe(agent, out, offset) {
        observe(agent, out, offset);
        if (offset > 0) out[offset] = 0;
      },
    })),
  },

  {
    bug: "a mask of zeros",
    breaks: [OFFERS, BY_SEED, CHANCE],
    make: breaking(gatherers, ({ legal }) => ({
      legal(agent, out, offset) {
        const count = legal(agent, out, offset);
        out.fill(0, offset, offset + 3);
        return count;
      },
    })),
  },
  {
    bug: "nothing legal for who must act",
    breaks: [OFFERS, BY_SEED, CHANCE],
    make: breaking(gatherers, () => ({
      legal(_agent, out, offset) {
        out.fill(0, offset, offset + 3);
        return 0;
      },
    })),
  },
  {
    bug: "a mask written beyond its window",
    breaks: [OFFERS],
    make: breaking(gatherers, ({ legal }) => ({
      legal(agent, out, offset) {
        const count = legal(agent, out, offset);
        out[offset + 3] = 0;
        return count;
      },
    })),
  },
  {
    bug: "a mask with other entries than 0 and 1",
    breaks: [OFFERS],
    make: breaking(gatherers, ({ legal }) => ({
      legal(agent, out, offset) {
        const count = legal(agent, out, offset);
        for (let a = 0; a < 3; a++) out[offset + a] *= 255;
        return count;
      },
    })),
  },
  {
    bug: "a mask of weights",
    breaks: [OFFERS],
    make: breaking(gatherers, ({ legal }) => ({
      legal(agent, out, offset) {
        const count = legal(agent, out, offset);
        out[offset] *= 2;
        return count + out[offset] / 2;
      },
    })),
  },
  {
    bug: "counts what has no mask",
    breaks: [OFFERS],
    make: breaking(workshop, ({ legal }) => ({
      legal: (agent, out, offset) => (agent === 1 ? 3 : 1) * legal(agent, out, offset),
    })),
  },
  {
    bug: "offers moves to who waits",
    breaks: [OFFERS],
    make: breaking(nim, ({ legal, acting }) => ({
      legal: (_agent, out, offset) => legal(Math.max(0, acting.indexOf(1)), out, offset),
    })),
  },
  {
    bug: "a part of the mask of zeros",
    breaks: [OFFERS],
    make: breaking(workshop, ({ legal }) => ({
      legal(agent, out, offset) {
        const count = legal(agent, out, offset);
        if (agent !== 0 || count === 0) return count;
        out.fill(0, offset, offset + 2);
        return 2;
      },
    })),
  },

  {
    bug: "no list of candidates",
    breaks: [LISTS],
    make: () => {
      const { candidates: _, ...rest } = workshop();
      return rest;
    },
  },
  {
    bug: "no candidate for who must act",
    breaks: [LISTS],
    make: breaking(workshop, () => ({ candidates: () => 0 })),
  },
  {
    bug: "a mask that is not as long as the list",
    breaks: [LISTS],
    make: breaking(workshop, ({ legal }) => ({
      legal(agent, out, offset) {
        const count = legal(agent, out, offset);
        if (agent === 2 && count === 1) out.set([0, 1], offset);
        return count;
      },
    })),
  },
  {
    bug: "a label too many",
    breaks: [LISTS],
    make: breaking(workshop, ({ candidates }) => ({
      candidateLabels: (agent) => new Array(1 + (candidates?.(agent, new Float32Array(6), 0) ?? 0)).fill("offer"),
    })),
  },
  {
    bug: "a candidate without features",
    breaks: [LISTS],
    make: breaking(workshop, ({ candidates, acting }) => ({
      candidates(agent, out, offset) {
        const count = candidates?.(agent, out, offset) ?? 0;
        if (acting[agent]) out[offset] = Number.NaN;
        return count;
      },
    })),
  },
  {
    bug: "features beyond the candidates",
    breaks: [LISTS],
    make: breaking(workshop, ({ candidates }) => ({
      candidates(agent, out, offset) {
        const count = candidates?.(agent, out, offset) ?? 0;
        out[offset + 2 * count] = 0;
        return count;
      },
    })),
  },

  { bug: "two act in a turn-based world", breaks: [TURNS], make: breaking(gatherers, () => ({ turnBased: true })) },
  {
    bug: "one after the other, and not turn based",
    breaks: [TURNS],
    make: breaking(nim, () => ({ turnBased: false })),
  },
  {
    bug: "an end that is a 2",
    breaks: [TURNS],
    make: breaking(nim, ({ step, state, terminated }) => ({
      step(actions) {
        step(actions);
        if (state.heap === 0) terminated[0] = 2;
      },
      snapshotBytes: 0,
    })),
  },
  {
    bug: "who has left is paid",
    breaks: [TURNS],
    make: breaking(gatherers, ({ step, state, terminated, rewards }) => ({
      step(actions) {
        const left = terminated.indexOf(1);
        step(actions);
        if (left >= 0 && state.tick < 8) rewards[left] = 1e-3;
      },
      returnRange: null,
    })),
  },
  {
    bug: "a dead agent acts",
    breaks: [TURNS],
    make: breaking(gatherers, ({ step, state, terminated }) => ({
      step(actions) {
        step(actions);
        if (state.tick === 3) terminated[0] = 1;
      },
    })),
  },
  {
    bug: "an agent that has left comes back",
    breaks: [TURNS],
    make: breaking(gatherers, ({ step, state, terminated, truncated, acting }) => ({
      step(actions) {
        step(actions);
        if (state.tick === 3) truncated[0] = 1;
        if (state.tick === 4) truncated[0] = 0;
        acting[0] = terminated[0] || truncated[0] ? 0 : 1;
      },
    })),
  },
  {
    bug: "the end is not said",
    breaks: [TURNS],
    make: breaking(gatherers, ({ step, truncated }) => ({
      step(actions) {
        step(actions);
        truncated.fill(0);
      },
    })),
  },

  {
    bug: "an endless episode",
    breaks: [ENDS],
    make: breaking(nim, ({ step, state }) => ({
      step(actions) {
        step(actions);
        if (state.heap < 4) state.heap += 3;
      },
    })),
  },
  {
    bug: "rewards outside the range",
    breaks: [ENDS],
    make: breaking(gatherers, ({ step, rewards, terminated }) => ({
      step(actions) {
        const lives = terminated[0] === 0;
        step(actions);
        if (lives) rewards[0] -= 0.1;
      },
    })),
  },
  {
    bug: "a reward that is not a number",
    breaks: [ENDS],
    make: breaking(gatherers, ({ step, rewards, state }) => ({
      step(actions) {
        step(actions);
        if (state.tick === 5) rewards[1] = Number.NaN;
      },
    })),
  },

  {
    bug: "a reward that is not a number, where returns have no bounds",
    breaks: [ENDS],
    make: breaking(workshop, ({ step, rewards }) => ({
      step(actions) {
        step(actions);
        rewards[1] /= 0;
      },
    })),
  },

  {
    bug: "what one wins nobody loses",
    breaks: [ZERO_SUM],
    make: breaking(gatherers, () => ({ zeroSum: true })),
  },

  {
    bug: "the clock is not reset",
    breaks: [SAME],
    make: breaking(gatherers, ({ reset, state }) => ({
      reset(seed) {
        const { tick } = state;
        reset(seed);
        state.tick = Math.min(7, tick);
      },
    })),
  },
  {
    bug: "whose turn it is is not reset",
    breaks: [SAME],
    make: breaking(nim, ({ reset, state, acting }) => ({
      reset(seed) {
        const { mover } = state;
        reset(seed);
        state.mover = mover;
        acting.set(mover === 0 ? [1, 0] : [0, 1]);
      },
    })),
  },
  {
    bug: "the seed is ignored: chance goes on where it was",
    breaks: [SAME, BY_SEED],
    make: breaking(gatherers, ({ reset, state }) => {
      const random = stream(0);
      return {
        reset(seed) {
          reset(seed);
          state.random = random;
        },
      };
    }),
  },

  {
    bug: "every seed is 0",
    breaks: [BY_SEED],
    make: breaking(gatherers, ({ reset }) => ({ reset: () => reset(0) })),
  },
  {
    bug: "half of the seed is lost",
    breaks: [BY_SEED],
    make: breaking(market, ({ reset }) => ({ reset: (seed) => reset(seed & 0xffff) })),
  },
  {
    bug: "chance in the reset of a world that declares none",
    breaks: [BY_SEED],
    make: breaking(nim, () => ({ chance: "none" })),
  },

  {
    bug: "state shared between instances",
    breaks: [ALONE],
    make: breaking(gatherers, ({ reset, state }) => ({
      reset(seed) {
        reset(seed);
        shared.restoreState(state.random.exportState());
        state.random = shared;
      },
    })),
  },

  {
    bug: "steps before reset are accepted",
    breaks: [ORDER],
    make: breaking(gatherers, ({ step, state }) => ({
      step(actions) {
        if (state.cells[0] !== state.cells[1] || state.tick > 0) step(actions);
      },
    })),
  },
  {
    bug: "steps after the end are accepted",
    breaks: [ORDER],
    make: breaking(gatherers, (sound) => ({
      step(actions) {
        if (sound.state.tick === 0 || !isOver(sound)) sound.step(actions);
      },
    })),
  },

  {
    bug: "an illegal action is taken for another one",
    breaks: [ILLEGAL_ACTIONS],
    make: breaking(nim, ({ step, state }) => ({
      step: (actions) => step(actions.map((a) => (a < Math.min(3, state.heap) ? Math.max(0, Math.floor(a)) : 0))),
    })),
  },
  {
    bug: "an illegal action is passed over in silence",
    breaks: [ILLEGAL_ACTIONS],
    make: breaking(gatherers, ({ step }) => ({
      step(actions) {
        try {
          step(actions);
        } catch (error) {
          if (!isMagicMaskError(error, "illegal-action")) throw error;
        }
      },
    })),
  },
  {
    bug: "an action between two others is rounded",
    breaks: [ILLEGAL_ACTIONS],
    make: breaking(gatherers, ({ step }) => ({ step: (actions) => step(actions.map((a) => (a === 0.5 ? 0 : a))) })),
  },
  {
    bug: "the mask of a part is not enforced",
    breaks: [ILLEGAL_ACTIONS],
    make: breaking(workshop, ({ step, legal }) => ({
      step(actions) {
        const mask = new Uint8Array(5);
        const enforced = legal(0, mask, 0) === 0 || !(actions[1] in [0, 1, 2]) || mask[2 + actions[1]] === 1;
        step(enforced ? actions : actions.with(1, mask.indexOf(1, 2) - 2));
      },
    })),
  },
  {
    bug: "a driver that turns the wheel to NaN",
    breaks: [ILLEGAL_ACTIONS],
    make: breaking(workshop, ({ step }) => ({
      step: (actions) => step(actions.map((a, i) => (i === 2 ? a || 0 : a))),
    })),
  },
  {
    bug: "a driver that turns the wheel without end",
    breaks: [ILLEGAL_ACTIONS],
    make: breaking(workshop, ({ step }) => ({
      step: (actions) => step(actions.map((a, i) => (i === 2 ? Math.max(-1, Math.min(1, a)) : a))),
    })),
  },
  {
    bug: "an illegal action uses up chance",
    breaks: [ILLEGAL_ACTIONS],
    make: breaking(gatherers, ({ step, state, acting }) => ({
      step(actions) {
        const before = state.random.exportState();
        if (acting.includes(1)) state.random.bits();
        const after = state.random.exportState();
        state.random.restoreState(before);
        try {
          step(actions);
        } catch (error) {
          state.random.restoreState(after);
          throw error;
        }
      },
    })),
  },
  {
    bug: "an illegal action of one comes after the move of another",
    breaks: [ILLEGAL_ACTIONS],
    make: breaking(gatherers, ({ step, state, acting }) => ({
      step(actions) {
        try {
          step(actions);
        } catch (error) {
          if (acting[0] && actions[0] === 0) state.cells[0] = 2;
          throw error;
        }
      },
    })),
  },

  {
    bug: "checks the slots of who waits",
    breaks: [IDLE],
    make: breaking(nim, ({ step, acting }) => ({
      step(actions) {
        if (acting.includes(1) && actions.some((a) => !(a >= 0))) {
          throw new MagicMaskError("illegal-action", "planted/nim", `not an action among [${actions}]`);
        }
        step(actions);
      },
    })),
  },
  {
    bug: "the end of a narrow action's slot counts",
    breaks: [IDLE],
    make: breaking(workshop, ({ step, rewards }) => ({
      step(actions) {
        step(actions);
        rewards[2] += actions[5];
      },
    })),
  },

  {
    bug: "keeps the actions and shows them later",
    breaks: [KEEPS],
    make: breaking(workshop, ({ reset, step, observe }) => {
      let last: Float32Array | undefined;
      return {
        reset(seed) {
          reset(seed);
          last = undefined;
        },
        step(actions) {
          step(actions);
          last = actions;
        },
        observe(agent, out, offset) {
          observe(agent, out, offset);
          out[offset] += last?.[0] ?? 0;
        },
      };
    }),
  },
  {
    bug: "keeps the actions and writes to them later",
    breaks: [KEEPS],
    make: breaking(gatherers, ({ step, observe }) => {
      let last: Float32Array | undefined;
      return {
        step(actions) {
          step(actions);
          last = actions;
        },
        observe(agent, out, offset) {
          observe(agent, out, offset);
          last?.fill(0);
        },
      };
    }),
  },
  {
    bug: "observe keeps `out` and updates it",
    breaks: [KEEPS],
    make: breaking(gatherers, ({ step, observe }) => {
      let kept: Float32Array = new Float32Array(3);
      let at = 0;
      return {
        observe(agent, out, offset) {
          observe(agent, out, offset);
          kept = out;
          at = offset;
        },
        step(actions) {
          step(actions);
          observe(0, kept, at);
        },
      };
    }),
  },
  {
    bug: "legal keeps `out` and updates it",
    breaks: [KEEPS],
    make: breaking(gatherers, ({ step, legal }) => {
      const kept = new Set<Uint8Array>();
      return {
        legal(agent, out, offset) {
          if (offset === 0) kept.add(out);
          return legal(agent, out, offset);
        },
        step(actions) {
          step(actions);
          for (const out of kept) legal(0, out, 0);
          kept.clear();
        },
      };
    }),
  },
  {
    bug: "clears the actions it was given",
    breaks: [KEEPS],
    make: breaking(gatherers, ({ step }) => ({
      step(actions) {
        step(actions);
        actions.fill(0);
      },
    })),
  },

  {
    bug: "rendering uses up chance",
    breaks: [LOOKING],
    make: breaking(gatherers, ({ render, state }) => ({
      render: () => render() + (state.random.bits() > 0 ? "" : " "),
    })),
  },
  {
    bug: "drawing uses up chance",
    breaks: [LOOKING],
    make: breaking(gatherers, ({ state }) => ({
      svg: () => `<svg xmlns="http://www.w3.org/2000/svg"><!--${state.random.bits()}--></svg>`,
    })),
  },
  {
    bug: "a snapshot uses up chance",
    breaks: [LOOKING, CONTINUES],
    make: breaking(gatherers, ({ snapshot, state }) => ({
      snapshot(out, offset) {
        state.random.bits();
        snapshot(out, offset);
      },
    })),
  },
  {
    bug: "asking what is legal uses up chance",
    breaks: [ILLEGAL_ACTIONS, KEEPS, LOOKING],
    make: breaking(gatherers, ({ legal, state }) => ({
      legal(agent, out, offset) {
        state.random.bits();
        return legal(agent, out, offset);
      },
    })),
  },
  {
    bug: "step needs what legal() prepared",
    breaks: [LOOKING],
    make: breaking(nim, ({ step, legal, acting }) => {
      const masks = [new Uint8Array(3), new Uint8Array(3)];
      return {
        legal(agent, out, offset) {
          legal(agent, masks[agent], 0);
          return legal(agent, out, offset);
        },
        step(actions) {
          const mover = acting.indexOf(1);
          if (mover >= 0 && !masks[mover][actions[mover]]) {
            throw new MagicMaskError("illegal-action", "planted/nim", "not in the mask");
          }
          step(actions);
          for (const mask of masks) mask.fill(0);
        },
      };
    }),
  },

  {
    bug: "restore forgets hidden state",
    breaks: [CONTINUES],
    make: breaking(gatherers, ({ restore, state }) => ({
      restore(from, offset, random) {
        const eaten = state.eaten.slice();
        restore(from, offset, random);
        state.eaten.set(eaten);
      },
    })),
  },
  {
    bug: "a fresh instance lacks what reset drew",
    breaks: [CONTINUES],
    make: breaking(gatherers, ({ reset, step, rewards }) => {
      let price = 1;
      return {
        reset(seed) {
          reset(seed);
          price = 1 - (seed % 8) / 10;
        },
        step(actions) {
          step(actions);
          for (let i = 0; i < 2; i++) rewards[i] *= price;
        },
      };
    }),
  },
  {
    bug: "the snapshot is not a copy: the world plays on in the caller's buffer",
    breaks: [CONTINUES],
    make: breaking(gatherers, ({ reset, step, restore, snapshot }) => {
      let lent: Uint8Array | undefined;
      return {
        reset(seed) {
          lent = undefined;
          reset(seed);
        },
        restore(from, offset, random) {
          restore(from, offset, random);
          lent = from.subarray(offset);
        },
        step(actions) {
          step(actions);
          if (lent) snapshot(lent, 0);
        },
      };
    }),
  },
  {
    bug: "the snapshot is read again at the next step",
    breaks: [CONTINUES],
    make: breaking(gatherers, ({ reset, step, restore }) => {
      let again = () => {};
      return {
        reset(seed) {
          again = () => {};
          reset(seed);
        },
        restore(from, offset, random) {
          restore(from, offset, random);
          again = () => restore(from, offset, random);
        },
        step(actions) {
          again();
          again = () => {};
          step(actions);
        },
      };
    }),
  },
  {
    bug: "a snapshot fits aligned buffers only",
    breaks: [CONTINUES],
    make: breaking(gatherers, ({ snapshot }) => ({
      snapshot: (out, offset) =>
        snapshot(new Uint8Array(new Uint32Array(out.buffer, out.byteOffset + offset, 11).buffer), 0),
    })),
  },
  {
    bug: "a snapshot is shorter than declared",
    breaks: [CONTINUES],
    make: breaking(gatherers, () => ({ snapshotBytes: 45 })),
  },
  {
    bug: "a snapshot is longer than declared",
    breaks: [CONTINUES],
    make: breaking(gatherers, ({ snapshot }) => ({
      snapshot(out, offset) {
        snapshot(out, offset);
        if (offset + 44 < out.length) out[offset + 44] = 0;
      },
    })),
  },
  {
    bug: "a world that has ended comes back to life",
    breaks: [CONTINUES],
    make: breaking(nim, ({ restore, state, acting }) => ({
      restore(from, offset, random) {
        restore(from, offset, random);
        acting[state.mover] = 1;
      },
    })),
  },

  {
    bug: "restore ignores the stream",
    breaks: [CHANCE],
    make: breaking(gatherers, ({ restore }) => ({ restore: (from, offset) => restore(from, offset) })),
  },
  {
    bug: "restore ignores the stream, in a world that starts at random",
    breaks: [CHANCE],
    make: breaking(market, ({ restore }) => ({ restore: (from, offset) => restore(from, offset) })),
  },
  {
    bug: "steps draw chance in a world that declares it for the reset alone",
    breaks: [CHANCE],
    make: breaking(market, () => ({ chance: "reset" })),
  },
  {
    bug: "restore overwrites the stream with its own",
    breaks: [CHANCE],
    make: breaking(gatherers, ({ restore }) => ({
      restore(from, offset, random) {
        random?.bits();
        restore(from, offset);
      },
    })),
  },
  {
    bug: "a stream is all that is restored",
    breaks: [CHANCE],
    make: breaking(gatherers, ({ restore, state }) => ({
      restore(from, offset, random) {
        if (random) state.random = random;
        else restore(from, offset);
      },
    })),
  },
  {
    bug: "the stream is mixed with how often one has restored",
    breaks: [CHANCE],
    make: breaking(gatherers, ({ restore }) => ({
      restore: (from, offset, random) => restore(from, offset, random && stream(random.bits(), restores++)),
    })),
  },
  {
    bug: "a snapshot holds its own stream, not the one that was given",
    breaks: [CHANCE],
    make: breaking(gatherers, ({ restore, snapshot, state }) => {
      let own: Stream | undefined;
      return {
        restore(from, offset, random) {
          restore(from, offset);
          own = state.random;
          state.random = random ?? own;
        },
        snapshot(out, offset) {
          const given = state.random;
          state.random = own ?? given;
          snapshot(out, offset);
          state.random = given;
        },
      };
    }),
  },

  {
    bug: "reset goes on with the stream that was lent",
    breaks: [CHANCE],
    make: breaking(gatherers, ({ reset, state }) => ({
      reset(seed) {
        const { random } = state;
        reset(seed);
        random.restoreState(state.random.exportState());
        state.random = random;
      },
    })),
  },
  {
    bug: "reset keeps the chance that was lent",
    breaks: [CHANCE],
    make: breaking(gatherers, ({ reset, restore, state }) => {
      let lent: Stream | undefined;
      return {
        restore(from, offset, random) {
          restore(from, offset, random);
          lent = random;
        },
        reset(seed) {
          reset(seed);
          state.random = lent ?? state.random;
        },
      };
    }),
  },

  { bug: "an empty picture", breaks: [RENDERS], make: breaking(gatherers, () => ({ render: () => "" })) },
  {
    bug: "no picture of the end",
    breaks: [RENDERS],
    make: breaking(nim, ({ render, state }) => ({ render: () => (state.heap === 0 ? "" : render()) })),
  },
  { bug: "a picture that is no document", breaks: [RENDERS], make: breaking(nim, () => ({ svg: () => "<g></g>" })) },
  {
    bug: "a picture that is cut off",
    breaks: [RENDERS],
    make: breaking(nim, () => ({ svg: () => '<svg xmlns="http://www.w3.org/2000/svg"><g></svg>' })),
  },
  {
    bug: "a picture with something nowhere",
    breaks: [RENDERS],
    make: breaking(nim, () => ({ svg: () => `<svg xmlns="http://www.w3.org/2000/svg"><circle r="${0 / 0}"/></svg>` })),
  },
];
