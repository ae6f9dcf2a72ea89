import {
  box,
  CONTINUES,
  createRollout,
  type Decisions,
  discrete,
  distributionOf,
  type Environment,
  isOver,
  MagicMaskError,
  maskedLogSoftmax,
  type Policy,
  type Rollout,
  stream,
  TERMINATED,
} from "@magic-mask/core";
import { uniform } from "./perturbations/uniform.ts";

/** n, choices of each agent. */
export const KEYS = 3;
/** T, ticks of an episode. */
export const TICKS = 4;
/** D = T + n: the tick and the agent's key, both one-hot. */
export const WIDTH = TICKS + KEYS;
/** [N][T] what both agents earn if agent i chooses its key at tick t. */
export const PAY = [
  [0, 1, 0, 0.5],
  [0, 0, 1, 0],
];
/** What luck adds to or takes from each reward, a coin's toss. */
const LUCK = 0.25;

/**
 * Two agents act together for four ticks; each sees a key and may choose it or another, which pays only where `PAY` says so.
 * At tick 0 agent 1 has no choice. So it is known exactly what is at stake in each decision, and that depends on the tick alone.
 */
export function leverWorld(): Environment {
  const acting = new Uint8Array(2);
  const rewards = new Float64Array(2);
  const terminated = new Uint8Array(2);
  const own = stream(0);
  let chance = own;
  /** Clock, keys and rewards in quarters, as a snapshot holds them. */
  const state = new Int32Array(5).fill(TICKS);
  const publish = () => {
    acting.fill(state[0] < TICKS ? 1 : 0);
    terminated.fill(state[0] < TICKS ? 0 : 1);
    for (let i = 0; i < 2; i++) rewards[i] = state[3 + i] / 4;
  };
  const begin = (clock: number) => {
    state[0] = clock;
    for (let i = 0; i < 2; i++) state[1 + i] = chance.below(KEYS);
    publish();
  };
  return {
    id: "lever_v0",
    agents: ["left", "right"],
    roles: ["left", "right"],
    observationSpaces: [box([WIDTH], 0, 1), box([WIDTH], 0, 1)],
    actionSpaces: [discrete(KEYS), discrete(KEYS)],
    turnBased: false,
    zeroSum: false,
    returnRange: [-1, 3.5],
    commonFeatures: null,
    snapshotBytes: 36,
    acting,
    rewards,
    terminated,
    truncated: new Uint8Array(2),
    reset(seed) {
      own.rekey(seed, "lever");
      chance = own;
      state.fill(0);
      begin(0);
    },
    observe(agent, out, offset) {
      out.fill(0, offset, offset + WIDTH);
      if (state[0] < TICKS) out[offset + state[0]] = 1;
      out[offset + TICKS + state[1 + agent]] = 1;
    },
    legal(agent, out, offset) {
      out.fill(acting[agent], offset, offset + KEYS);
      if (agent === 0 || state[0] > 0) return acting[agent] * KEYS;
      out.fill(0, offset + 1, offset + KEYS);
      return acting[agent];
    },
    step(actions) {
      const [clock, ...keys] = state;
      if (clock === TICKS) throw new MagicMaskError("out-of-order", "masking/test", "reset first");
      for (let i = 0; i < 2; i++) {
        const limit = i === 1 && clock === 0 ? 1 : KEYS;
        if (Number.isInteger(actions[i]) && actions[i] >= 0 && actions[i] < limit) continue;
        throw new MagicMaskError("illegal-action", "masking/test", `action ${actions[i]}`);
      }
      let paid = 0;
      for (let i = 0; i < 2; i++) if (actions[i] === keys[i]) paid += PAY[i][clock];
      for (let i = 0; i < 2; i++) state[3 + i] = 4 * (paid + (chance.below(2) ? LUCK : -LUCK));
      begin(clock + 1);
    },
    snapshot(out, offset) {
      out.set(new Uint8Array(Uint32Array.of(...state, ...chance.exportState()).buffer), offset);
    },
    restore(from, offset, random) {
      const words = new Uint32Array(from.slice(offset, offset + 36).buffer);
      state.set(words.subarray(0, 5));
      chance = random ?? own;
      if (!random) own.restoreState([...words.subarray(5)]);
      publish();
    },
    render: () => `tick ${state[0]}, keys ${state[1]} and ${state[2]}`,
  };
}

/** π(key∣o) of `steady`. */
export const SURE = 0.8;

/** The policy that is explained: its key with probability .8 and each other with .1, whether it pays or not. */
export const steady: Policy = {
  evaluate({ count, observations, legal }, parameters, values) {
    values.fill(0, 0, count);
    for (let row = 0; row < count; row++) {
      for (let a = 0; a < KEYS; a++) {
        const isKey = observations[row * WIDTH + TICKS + a] === 1;
        parameters[row * KEYS + a] = Math.log(isKey ? SURE : (1 - SURE) / (KEYS - 1));
      }
      maskedLogSoftmax(parameters, row * KEYS, legal, row * KEYS, KEYS);
    }
  },
};

/** Δ of `steady` at a decision of `agent`: PAY·(π − ν)(key), as what others do and what luck gives is the same either way. */
export const truth = (agent: number, tick: number): number => PAY[agent][tick] * (SURE - 1 / KEYS);

/** Every decision of an agent under `steady`: one row per tick (from `firstTick`) and key, the keys fastest. */
export function allDecisions(agent: number): Decisions & { readonly ticks: readonly number[] } {
  const ticks = [0, 1, 2, 3].slice(agent).flatMap((tick) => [tick, tick, tick]);
  const count = ticks.length;
  const observations = new Float32Array(count * WIDTH);
  ticks.forEach((tick, row) => {
    observations[row * WIDTH + tick] = 1;
    observations[row * WIDTH + TICKS + (row % KEYS)] = 1;
  });
  const legal = new Uint8Array(count * KEYS).fill(1);
  const policy = new Float32Array(count * KEYS);
  steady.evaluate({ count, observations, legal }, policy, new Float32Array(count));
  const perturbation = new Float32Array(count * KEYS);
  uniform(discrete(KEYS)).evaluate({ count, observations, legal }, policy, perturbation);
  return { agent, count, observations, legal, policy, perturbation, ticks };
}

/**
 * Plays `steady` in `leverWorld`, at each tick one of the deciding agents blinded with probability `p`, and records all decisions.
 * Both agents are in one rollout, as if they shared the policy.
 */
export function playLevers(episodes: number, p: number, seed: number): Rollout {
  const world = leverWorld();
  const rollout = createRollout(world, 0, KEYS, episodes * 2 * TICKS);
  const nu = uniform(discrete(KEYS));
  const distribution = distributionOf(discrete(KEYS));
  const actions = new Float32Array(2);
  for (let episode = 0; episode < episodes; episode++) {
    const random = stream(seed, episode);
    world.reset(random.bits());
    const last = [-1, -1];
    for (let tick = 0; !isOver(world); tick++) {
      const chosen = random.uniform() < p ? (tick === 0 ? 0 : random.below(2)) : -1;
      const made: number[] = [];
      for (let agent = 0; agent < 2; agent++) {
        const legal = new Uint8Array(KEYS);
        if (world.legal(agent, legal, 0) === 1) {
          actions[agent] = 0;
          continue;
        }
        const r = rollout.length++;
        made.push(r);
        const observations = rollout.observations.subarray(r * WIDTH, (r + 1) * WIDTH);
        world.observe(agent, observations, 0);
        rollout.legal.set(legal, r * KEYS);
        const policy = rollout.policy.subarray(r * KEYS, (r + 1) * KEYS);
        const perturbation = rollout.perturbation.subarray(r * KEYS, (r + 1) * KEYS);
        steady.evaluate({ count: 1, observations, legal }, policy, rollout.values.subarray(r, r + 1));
        nu.evaluate({ count: 1, observations, legal }, policy, perturbation);
        const blinded = chosen === agent;
        distribution.at(blinded ? perturbation : policy, 0).sample(random, actions, agent);
        rollout.actions[r] = actions[agent];
        rollout.logProbs[r] = policy[actions[agent]];
        rollout.blinded[r] = blinded ? 1 : 0;
        rollout.blindProbability[r] = p / (tick === 0 ? 1 : 2);
        rollout.disturbed[r] = chosen >= 0 && !blinded ? 1 : 0;
        rollout.agents[r] = agent;
        rollout.episodes[r] = episode;
        rollout.ticks[r] = tick;
        rollout.next[r] = -1;
        if (last[agent] >= 0) {
          rollout.ended[last[agent]] = CONTINUES;
          rollout.next[last[agent]] = r;
        }
        last[agent] = r;
      }
      world.step(actions);
      for (const r of made) {
        rollout.rewards[r] = world.rewards[rollout.agents[r]];
        rollout.ended[r] = TERMINATED;
      }
    }
  }
  return rollout;
}
