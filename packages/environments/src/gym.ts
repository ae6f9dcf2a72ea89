import {
  type ActionSpace,
  type Box,
  boxSize,
  distributionOf,
  type Environment,
  isOver,
  MagicMaskError,
  maskWidth,
  type Policy,
  slotWidth,
  stream,
} from "@magic-mask/core";
import {
  type Action,
  agentIndex,
  episodeStarter,
  isLegal,
  maskOf,
  type Observation,
  observationOf,
  type ResetOptions,
  refuseCandidates,
  writeAction,
} from "./facade.ts";

/** Gymnasium's shape: one agent, everything else is the world. Its names, in camelCase. */
export interface GymEnvironment {
  readonly metadata: { readonly name: string };
  readonly observationSpace: Box;
  readonly actionSpace: ActionSpace;
  reset(options?: ResetOptions): readonly [observation: Observation, info: object];
  step(
    action: Action,
  ): readonly [observation: Observation, reward: number, terminated: boolean, truncated: boolean, info: object];
  render(): string;
  close(): void;
}

export interface GymOptions {
  /** Name of the agent whose actions `step` takes. */
  readonly agent: string;
  /** Who plays the others, by name. Their draws come from the seed of `reset`. */
  readonly opponents?: Readonly<Record<string, Policy>>;
}

/**
 * Shows a world in Gymnasium's shape, from one agent's chair. A step lasts until the agent acts again or has ended; its
 * reward is the sum of what the agent earned on the way. Illegal actions throw, with the world unchanged.
 *
 * @throws invalid-option unless every other agent has an opponent's policy; unknown-name; unsupported for worlds with
 *   candidate moves; out-of-order, illegal-action from the methods
 */
export function gym(environment: Environment, { agent: name, opponents = {} }: GymOptions): GymEnvironment {
  const source = `environments/gym(${environment.id})`;
  refuseCandidates(source, environment);
  const me = agentIndex(environment, name);
  const { agents, observationSpaces, actionSpaces, acting, terminated, truncated } = environment;
  if (Object.keys(opponents).some((other) => agentIndex(environment, other) === me)) {
    throw new MagicMaskError(
      "invalid-option",
      source,
      `${name} is played through step(); opponents must not hold a policy for it`,
    );
  }
  const W = slotWidth(environment);
  const begin = episodeStarter(environment);
  const random = stream(0, "opponents");
  const actions = new Float32Array(agents.length * W);
  let running = false;

  const chairs = agents.map((other, agent) => {
    if (agent === me) return null;
    const policy = Object.hasOwn(opponents, other) ? opponents[other] : undefined;
    if (!policy) throw new MagicMaskError("invalid-option", source, `opponents must hold a policy for ${other}`);
    const distribution = distributionOf(actionSpaces[agent]);
    return {
      policy,
      distribution,
      batch: {
        count: 1,
        observations: new Float32Array(boxSize(observationSpaces[agent])),
        legal: new Uint8Array(maskWidth(actionSpaces[agent])),
      },
      parameters: new Float32Array(distribution.width),
      values: new Float32Array(1),
    };
  });

  /** One tick: my action is in its slot, everybody else who acts draws one. */
  const tick = () => {
    chairs.forEach((chair, agent) => {
      if (!chair || !acting[agent]) return;
      environment.observe(agent, chair.batch.observations, 0);
      environment.legal(agent, chair.batch.legal, 0);
      chair.policy.evaluate(chair.batch, chair.parameters, chair.values);
      chair.distribution.at(chair.parameters, 0).sample(random, actions, agent * W);
    });
    environment.step(actions);
    return environment.rewards[me];
  };
  const ended = () => terminated[me] === 1 || truncated[me] === 1;
  const waits = () => !acting[me] && !ended() && !isOver(environment);
  const look = () => observationOf(environment, me, maskOf(environment, me));

  return {
    metadata: { name: environment.id },
    observationSpace: observationSpaces[me],
    actionSpace: actionSpaces[me],

    reset(options = {}) {
      random.rekey(begin(options), "opponents");
      while (waits()) tick();
      if (!acting[me]) {
        throw new MagicMaskError(
          "unsupported",
          source,
          `the episode ended before ${name} could act; Gymnasium has no way to say so`,
        );
      }
      running = true;
      return [look(), {}];
    },

    step(action) {
      if (!running)
        throw new MagicMaskError(
          "out-of-order",
          source,
          "there is no episode to go on with: call reset() before step()",
        );
      writeAction(source, actionSpaces[me], action, actions, me * W);
      if (!isLegal(actionSpaces[me], maskOf(environment, me), actions, me * W)) {
        throw new MagicMaskError(
          "illegal-action",
          source,
          `the mask of ${name} forbids action ${JSON.stringify(action)}`,
        );
      }
      let reward = tick();
      while (waits()) reward += tick();
      running = acting[me] === 1;
      return [look(), reward, terminated[me] === 1, truncated[me] === 1, {}];
    },

    render: () => environment.render(),
    close() {},
  };
}
