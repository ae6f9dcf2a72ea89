import {
  type ActionSpace,
  box,
  discrete,
  distributionOf,
  type Environment,
  ILLEGAL,
  type Learner,
  MagicMaskError,
  type MakeEnvironment,
  maskedLogSoftmax,
  type Perturbation,
  type Policy,
  stream,
} from "@magic-mask/core";

/** Choices of every agent in the worlds below; a script says how many of them are legal. */
export const ACTIONS = 3;

/** What happens at one tick of a scripted world, whatever anybody does. */
export interface Tick {
  /** [N] legal actions; 0 = the agent does not act. */
  readonly choices: readonly number[];
  /** [N] earned by the step. */
  readonly rewards: readonly number[];
  /** Agents that are over for good from this step on. */
  readonly terminates?: readonly number[];
  readonly truncates?: readonly number[];
}

export interface ScriptOptions {
  readonly turnBased?: boolean;
  readonly snapshots?: boolean;
  /** Adds a draw from {0, 1} to every reward. */
  readonly luck?: boolean;
}

/**
 * A world that follows a script, for bookkeeping that can be done by hand. Observation: [4] = tick, agent, sum of all actions so
 * far modulo 8, last luck; so a policy that looks at it shows any lost piece of state in what it does.
 */
export function scriptWorld(
  script: readonly Tick[],
  { turnBased = false, snapshots = true, luck = false }: ScriptOptions = {},
): MakeEnvironment {
  return () => {
    const N = script[0].choices.length;
    const acting = new Uint8Array(N);
    const rewards = new Float64Array(N);
    const terminated = new Uint8Array(N);
    const truncated = new Uint8Array(N);
    const own = stream(0);
    let chance = own;
    let [clock, sum, lucky] = [-1, 0, 0];
    const publish = () => {
      terminated.fill(0);
      truncated.fill(0);
      for (let t = 0; t < clock; t++) {
        for (const agent of script[t].terminates ?? []) terminated[agent] = 1;
        for (const agent of script[t].truncates ?? []) truncated[agent] = 1;
      }
      for (let i = 0; i < N; i++) {
        acting[i] = clock < script.length && script[clock].choices[i] > 0 ? 1 : 0;
        const over = script
          .slice(0, Math.max(0, clock - 1))
          .some(({ terminates = [], truncates = [] }) => terminates.includes(i) || truncates.includes(i));
        rewards[i] = clock > 0 && !over ? script[clock - 1].rewards[i] + lucky : 0;
      }
    };
    const agents = Array.from({ length: N }, (_, i) => `agent_${i}`);
    return {
      id: "script_v0",
      agents,
      roles: agents.map(() => "agent"),
      observationSpaces: agents.map(() => box([4], 0, 1000)),
      actionSpaces: agents.map(() => discrete(ACTIONS)),
      turnBased,
      returnRange: null,
      zeroSum: false,
      commonFeatures: null,
      snapshotBytes: snapshots ? 28 : 0,
      acting,
      rewards,
      terminated,
      truncated,
      reset(seed) {
        own.rekey(seed, "script");
        chance = own;
        [clock, sum, lucky] = [0, 0, 0];
        publish();
      },
      observe(agent, out, offset) {
        out.set([clock, agent, sum, lucky], offset);
      },
      legal(agent, out, offset) {
        const count = acting[agent] ? script[clock].choices[agent] : 0;
        for (let a = 0; a < ACTIONS; a++) out[offset + a] = a < count ? 1 : 0;
        return count;
      },
      step(actions) {
        if (!acting.includes(1)) throw new MagicMaskError("out-of-order", "ppo/test", "reset first");
        for (let i = 0; i < N; i++) {
          if (!acting[i] || (Number.isInteger(actions[i]) && actions[i] >= 0 && actions[i] < script[clock].choices[i]))
            continue;
          throw new MagicMaskError("illegal-action", "ppo/test", `action ${actions[i]}`);
        }
        lucky = luck ? chance.below(2) : 0;
        for (let i = 0; i < N; i++) if (acting[i]) sum = (sum + actions[i] * (i + 1)) % 8;
        clock++;
        publish();
      },
      snapshot(out, offset) {
        out.set(new Uint8Array(Uint32Array.of(clock, sum, lucky, ...chance.exportState()).buffer), offset);
      },
      restore(from, offset, random) {
        const words = new Uint32Array(from.slice(offset, offset + 28).buffer);
        [clock, sum, lucky] = words;
        chance = random ?? own;
        if (!random) own.restoreState([...words.subarray(3)]);
        publish();
      },
      render: () => `tick ${clock}`,
    };
  };
}

/** Ticks in an episode of `lockWorld`. */
const LOCK_TICKS = 4;

/**
 * Two agents act together for four ticks. Each sees one of three keys (one-hot) and earns 1 for choosing it and ½ if the other
 * agent chose its own: at random 4·(⅓ + ⅙) = 2 a game, at best 4·1.5 = 6.
 */
export function lockWorld(): Environment {
  const acting = new Uint8Array(2);
  const rewards = new Float64Array(2);
  const terminated = new Uint8Array(2);
  const keys = new Uint8Array(2);
  /** 1 where the agent chose its key at the last step. */
  const opened = new Uint8Array(2);
  const own = stream(0);
  let chance = own;
  let clock = LOCK_TICKS;
  const publish = () => {
    acting.fill(clock < LOCK_TICKS ? 1 : 0);
    terminated.fill(clock < LOCK_TICKS ? 0 : 1);
    for (let i = 0; i < 2; i++) rewards[i] = opened[i] + 0.5 * opened[1 - i];
  };
  return {
    id: "lock_v0",
    agents: ["first", "second"],
    roles: ["player", "player"],
    observationSpaces: [box([ACTIONS], 0, 1), box([ACTIONS], 0, 1)],
    actionSpaces: [discrete(ACTIONS), discrete(ACTIONS)],
    turnBased: false,
    returnRange: [0, 1.5 * LOCK_TICKS],
    zeroSum: false,
    commonFeatures: null,
    snapshotBytes: 36,
    acting,
    rewards,
    terminated,
    truncated: new Uint8Array(2),
    reset(seed) {
      own.rekey(seed, "lock");
      chance = own;
      clock = 0;
      opened.fill(0);
      for (let i = 0; i < 2; i++) keys[i] = chance.below(ACTIONS);
      publish();
    },
    observe(agent, out, offset) {
      for (let a = 0; a < ACTIONS; a++) out[offset + a] = keys[agent] === a ? 1 : 0;
    },
    legal(agent, out, offset) {
      out.fill(acting[agent], offset, offset + ACTIONS);
      return acting[agent] * ACTIONS;
    },
    step(actions) {
      if (clock === LOCK_TICKS) throw new MagicMaskError("out-of-order", "ppo/test", "reset first");
      for (const action of actions) {
        if (!(Number.isInteger(action) && action >= 0 && action < ACTIONS)) {
          throw new MagicMaskError("illegal-action", "ppo/test", `action ${action}`);
        }
      }
      for (let i = 0; i < 2; i++) opened[i] = actions[i] === keys[i] ? 1 : 0;
      for (let i = 0; i < 2; i++) keys[i] = chance.below(ACTIONS);
      clock++;
      publish();
    },
    snapshot(out, offset) {
      out.set(new Uint8Array(Uint32Array.of(clock, ...keys, ...opened, ...chance.exportState()).buffer), offset);
    },
    restore(from, offset, random) {
      const words = new Uint32Array(from.slice(offset, offset + 36).buffer);
      clock = words[0];
      keys.set(words.subarray(1, 3));
      opened.set(words.subarray(3, 5));
      chance = random ?? own;
      if (!random) own.restoreState([...words.subarray(5)]);
      publish();
    },
    render: () => `tick ${clock}, keys ${keys}`,
  };
}

/** A policy by a formula of the observation: unnormalised log-probabilities, and a value. */
export function formulaPolicy(
  logits: (observation: Float32Array) => readonly number[],
  value: (observation: Float32Array) => number = () => 0,
  width = 4,
): Policy {
  return {
    evaluate({ count, observations, legal }, parameters, values) {
      for (let row = 0; row < count; row++) {
        const observation = observations.subarray(row * width, (row + 1) * width);
        parameters.set(logits(observation), row * ACTIONS);
        maskedLogSoftmax(parameters, row * ACTIONS, legal, row * ACTIONS, ACTIONS);
        values[row] = value(observation);
      }
    },
  };
}

/** A policy whose choices and values depend on all that a scripted world shows. */
export const watchful = (): Policy =>
  formulaPolicy(
    ([clock, agent, sum, lucky]) => [Math.sin(clock + sum), Math.cos(2 * sum + agent), lucky + 0.3 * agent],
    ([clock, agent, sum]) => 0.5 * clock - agent + 0.25 * sum,
  );

/** ν in proportion to `weights`, among the legal actions. */
export function weightedPerturbation(...weights: number[]): Perturbation {
  return {
    name: `weighted ${weights}`,
    evaluate({ count, legal }, _policy, out) {
      for (let row = 0; row < count; row++) {
        let sum = 0;
        for (let a = 0; a < ACTIONS; a++) sum += legal[row * ACTIONS + a] * weights[a];
        for (let a = 0; a < ACTIONS; a++) {
          out[row * ACTIONS + a] = legal[row * ACTIONS + a] && weights[a] > 0 ? Math.log(weights[a] / sum) : ILLEGAL;
        }
      }
    },
  };
}

export const uniform = () => weightedPerturbation(1, 1, 1);

/** Reads logits and V from a learner's output row. */
export function learnedPolicy(learner: Learner, space: ActionSpace = discrete(ACTIONS)): Policy {
  const D = learner.spec.inputs;
  const A = distributionOf(space).width;
  let rows = new Float32Array(0);
  return {
    evaluate({ count, observations, legal, candidates }, parameters, values) {
      if (rows.length < count * (A + 1)) rows = new Float32Array(count * (A + 1));
      learner.infer(observations.subarray(0, count * D), count, rows, candidates);
      for (let row = 0; row < count; row++) {
        for (let a = 0; a < A; a++) parameters[row * A + a] = rows[row * (A + 1) + a];
        values[row] = rows[row * (A + 1) + A];
        maskedLogSoftmax(parameters, row * A, legal, row * A, A);
      }
    },
  };
}
