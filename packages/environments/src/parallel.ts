import { type ActionSpace, type Box, type Environment, isOver, MagicMaskError, slotWidth } from "@magic-mask/core";
import {
  type Action,
  agentIndex,
  episodeStarter,
  maskOf,
  type Observation,
  observationOf,
  type ResetOptions,
  refuseCandidates,
  writeAction,
} from "./facade.ts";

/** A value for each agent that was alive when the step began. */
type PerAgent<T> = Readonly<Record<string, T>>;

/** PettingZoo's parallel shape: all live agents act at once. Its names, in camelCase. */
export interface ParallelEnvironment {
  readonly metadata: { readonly name: string };
  readonly possibleAgents: readonly string[];
  /** Those alive, in order; empty before `reset` and at the end. */
  readonly agents: readonly string[];
  reset(options?: ResetOptions): readonly [observations: PerAgent<Observation>, infos: PerAgent<object>];
  /** @param actions one per agent in `agents` */
  step(
    actions: PerAgent<Action>,
  ): readonly [
    observations: PerAgent<Observation>,
    rewards: PerAgent<number>,
    terminations: PerAgent<boolean>,
    truncations: PerAgent<boolean>,
    infos: PerAgent<object>,
  ];
  observationSpace(agent: string): Box;
  actionSpace(agent: string): ActionSpace;
  render(): string;
  close(): void;
}

/**
 * Shows a simultaneous world in PettingZoo's parallel shape. Illegal actions throw, with the world unchanged.
 *
 * @throws unsupported for turn-based worlds and for worlds with candidate moves; out-of-order, illegal-action, unknown-name
 *   from the methods
 */
export function parallel(environment: Environment): ParallelEnvironment {
  const source = `environments/parallel(${environment.id})`;
  if (environment.turnBased) {
    throw new MagicMaskError("unsupported", source, "agents act in turns in this world, not at once; use aec()");
  }
  refuseCandidates(source, environment);
  const { agents: names, actionSpaces } = environment;
  const W = slotWidth(environment);
  const begin = episodeStarter(environment);
  const actions = new Float32Array(names.length * W);

  const alive = () => names.filter((_, agent) => environment.acting[agent] === 1);
  const perAgent = <T>(agents: readonly string[], value: (agent: number) => T): PerAgent<T> =>
    Object.fromEntries(agents.map((name) => [name, value(names.indexOf(name))]));
  const look = (agent: number) => observationOf(environment, agent, maskOf(environment, agent));

  const self = {
    metadata: { name: environment.id },
    possibleAgents: names,
    agents: [] as string[],

    reset(options: ResetOptions = {}) {
      begin(options);
      self.agents = alive();
      return [perAgent(self.agents, look), perAgent(self.agents, () => ({}))] as const;
    },

    step(chosen: PerAgent<Action>) {
      if (self.agents.length === 0)
        throw new MagicMaskError("out-of-order", source, "no agent is alive: call reset() first");
      for (const name of self.agents) {
        const agent = names.indexOf(name);
        if (!Object.hasOwn(chosen, name)) {
          throw new MagicMaskError(
            "illegal-action",
            source,
            `every live agent needs an action; there is none for ${name}`,
          );
        }
        writeAction(source, actionSpaces[agent], chosen[name], actions, agent * W);
      }
      environment.step(actions);
      const stepped = self.agents;
      self.agents = isOver(environment) ? [] : alive();
      return [
        perAgent(stepped, look),
        perAgent(stepped, (agent) => environment.rewards[agent]),
        perAgent(stepped, (agent) => environment.terminated[agent] === 1),
        perAgent(stepped, (agent) => environment.truncated[agent] === 1),
        perAgent(stepped, () => ({})),
      ] as const;
    },

    observationSpace: (name: string) => environment.observationSpaces[agentIndex(environment, name)],
    actionSpace: (name: string) => actionSpaces[agentIndex(environment, name)],
    render: () => environment.render(),
    close() {},
  };
  return self;
}
