import type { Learner, LearnerState, Policy, Stream } from "@magic-mask/core";
import { checkCount, checkRange } from "@magic-mask/core";

/** Decides who sits where in each episode. Seats hold an index: learner L's policy is L, opponent k's is (number of learners) + k. */
export interface Opponents {
  readonly name: string;
  /** [K] */
  readonly policies: readonly Policy[];
  /** Opponent i sits in no seat but agent i's, so that agents may have unlike spaces. */
  readonly bySeat: boolean;
  /** Another number whenever the state has become another: who keeps a copy of it need not ask for it in between. */
  readonly version: number;
  /**
   * Fills the seats of one copy for one episode.
   *
   * @param seats [N] holds every agent's own learner; entries may be replaced
   * @param first index of opponent 0
   */
  seat(seats: Uint8Array, first: number, random: Stream): void;
  /** Called after each iteration. */
  update(iteration: number): void;
  exportState(): OpponentsState;
  restoreState(state: OpponentsState): void;
}

export interface OpponentsState {
  readonly taken: number;
  readonly members: readonly LearnerState[];
}

const NOTHING: OpponentsState = { taken: 0, members: [] };

/** Every seat is played by its learner. */
export function self(): Opponents {
  return {
    name: "self",
    policies: [],
    bySeat: false,
    version: 0,
    seat() {},
    update() {},
    exportState: () => NOTHING,
    restoreState() {},
  };
}

export interface ScriptedOptions {
  /** [N] who plays agent i. */
  readonly policies: readonly Policy[];
  /** [N] which side each agent is on; by default everyone is alone. */
  readonly sides?: readonly (string | number)[];
  /** Share of episodes against them, in [0, 1]. */
  readonly share: number;
}

/** In a share of the episodes, all seats but those of one side, that of an agent drawn at random, are played by fixed policies. */
export function scripted({ policies, sides = [...policies.keys()], share }: ScriptedOptions): Opponents {
  checkRange("ppo/opponents", "share", share, 0, 1);
  return {
    ...self(),
    name: "scripted",
    policies,
    bySeat: true,
    seat(seats, first, random) {
      if (random.uniform() >= share) return;
      const kept = sides[random.below(seats.length)];
      for (let agent = 0; agent < seats.length; agent++) if (sides[agent] !== kept) seats[agent] = first + agent;
    },
  };
}

export interface PoolOptions {
  /** Whose past selves are kept. */
  readonly learner: Learner;
  /** Builds a learner of the same spec with its policy, to hold one past self. */
  readonly createMember: () => { readonly learner: Learner; readonly policy: Policy };
  /** Past selves that are kept, ≥ 1; the oldest is replaced. */
  readonly size: number;
  /** Iterations between two snapshots, ≥ 1. */
  readonly every: number;
  /** Share of episodes against a past self, in [0, 1]. */
  readonly share: number;
}

/** In a share of the episodes, all seats but one are played by past selves drawn from a pool (fictitious self-play). */
export function pool({ learner, createMember, size, every, share }: PoolOptions): Opponents {
  checkCount("ppo/opponents", "size", size, 1, 100);
  checkCount("ppo/opponents", "every", every);
  checkRange("ppo/opponents", "share", share, 0, 1);
  const members = Array.from({ length: size }, createMember);
  let taken = 0;
  let version = 0;
  return {
    name: "pool",
    policies: members.map((member) => member.policy),
    bySeat: false,
    get version() {
      return version;
    },
    seat(seats, first, random) {
      const filled = Math.min(taken, size);
      if (filled > 0 && random.uniform() < share) leaveOneSeat(seats, () => first + random.below(filled), random);
    },
    update(iteration) {
      if (iteration % every !== 0) return;
      members[taken++ % size].learner.restoreState(learner.exportState());
      version++;
    },
    exportState: () => ({ taken, members: members.slice(0, taken).map((member) => member.learner.exportState()) }),
    restoreState(state) {
      taken = state.taken;
      version++;
      for (const [k, saved] of state.members.entries()) members[k].learner.restoreState(saved);
    },
  };
}

function leaveOneSeat(seats: Uint8Array, opponent: () => number, random: Stream) {
  const kept = random.below(seats.length);
  for (let agent = 0; agent < seats.length; agent++) if (agent !== kept) seats[agent] = opponent();
}
