import { type ActionSpace, type Box, type Environment, MagicMaskError, slotWidth } from "@magic-mask/core";
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
import type { OpenActions } from "./line-game.ts";

/** PettingZoo's AEC shape (agent environment cycle): agents act one after the other. Its names, in camelCase. */
export interface AecEnvironment {
  readonly metadata: { readonly name: string };
  readonly possibleAgents: readonly string[];
  /** Those not yet removed by a dead step, in order; empty before `reset`. */
  readonly agents: readonly string[];
  /** Whose step comes next. */
  readonly agentSelection: string;
  /** Written by the last step. */
  readonly rewards: Readonly<Record<string, number>>;
  readonly terminations: Readonly<Record<string, boolean>>;
  readonly truncations: Readonly<Record<string, boolean>>;
  readonly infos: Readonly<Record<string, object>>;
  reset(options?: ResetOptions): void;
  /** An action for a live agent; null for a dead one, which removes it. */
  step(action: Action | null): void;
  observe(agent: string): Observation;
  /** Of the selected agent: what it sees, its reward since its own last step, and how it stands. */
  last(): readonly [observation: Observation, reward: number, terminated: boolean, truncated: boolean, info: object];
  /** Names the selected agent until none is left, at most `maxIter` times; the loop's body must call `step` or `reset`. */
  agentIter(maxIter?: number): Generator<string, void, void>;
  observationSpace(agent: string): Box;
  actionSpace(agent: string): ActionSpace;
  render(): string;
  close(): void;
}

/** What an illegal move costs its mover: that of PettingZoo's TerminateIllegalWrapper in its classic games. */
const ILLEGAL_REWARD = -1;

/**
 * Shows a world in PettingZoo's AEC shape, with its illegal-move wrapper on.
 *
 * - A legal step plays; in simultaneous worlds the actions of a tick are gathered and the world moves with the last one.
 * - An action outside its space throws. One that the mask forbids ends the game: the world stays as it is, the mover gets −1
 *   and everybody else 0, and `terminations` and `truncations` turn true for all.
 * - Each dead agent must then be stepped once with null: after an illegal move in the order of `agents`, otherwise in turn
 *   after the last mover.
 * - The mask is zero for all but the selected agent. In worlds with `openActions` it is not cleared at the end of a game.
 *
 * @throws unsupported for worlds with candidate moves; out-of-order, illegal-action, unknown-name from the methods
 */
export function aec(environment: Environment & Partial<OpenActions>): AecEnvironment {
  const source = `environments/aec(${environment.id})`;
  refuseCandidates(source, environment);
  const { agents: names, actionSpaces } = environment;
  const N = names.length;
  const W = slotWidth(environment);
  const begin = episodeStarter(environment);
  const actions = new Float32Array(N * W);
  /** [N] rewards since the agent's own last step. */
  const accumulated = new Float64Array(N);
  /** Index of `agentSelection`. */
  let selected = 0;
  /** Whether `step` or `reset` was called since `agentIter` last named an agent. */
  let moved = false;

  const perAgent = <T>(value: (agent: number) => T) =>
    Object.fromEntries(self.agents.map((name) => [name, value(names.indexOf(name))]));
  const isDead = (agent: number) => self.terminations[names[agent]] || self.truncations[names[agent]];
  const mask = (agent: number) => {
    const legal = maskOf(environment, agent);
    if (agent === selected) environment.openActions?.(legal, 0);
    else legal.fill(0);
    return legal;
  };
  const select = (agent: number) => {
    selected = agent;
    self.agentSelection = names[agent];
  };
  /** Dead agents go first, in a circle that starts after `from`; then whoever the world lets act. */
  const selectAfter = (from: number) => {
    if (self.agents.length === 0) return;
    for (let k = 1; k <= N; k++) {
      const agent = (from + k) % N;
      if (self.agents.includes(names[agent]) && isDead(agent)) return select(agent);
    }
    select(environment.acting.indexOf(1));
  };
  const pay = (rewards: ArrayLike<number>) => {
    self.rewards = perAgent((agent) => rewards[agent]);
    for (let agent = 0; agent < N; agent++) accumulated[agent] += rewards[agent];
  };
  const standing = () => {
    self.terminations = perAgent((agent) => environment.terminated[agent] === 1);
    self.truncations = perAgent((agent) => environment.truncated[agent] === 1);
  };
  const requireAgents = () => {
    if (self.agents.length === 0)
      throw new MagicMaskError("out-of-order", source, "no agent is left to step: call reset() first");
  };

  const stepDead = (action: Action | null) => {
    if (action !== null) {
      throw new MagicMaskError(
        "illegal-action",
        source,
        `${names[selected]} is dead: step it with null, not ${JSON.stringify(action)}`,
      );
    }
    self.agents = self.agents.filter((name) => name !== names[selected]);
    self.infos = perAgent(() => ({}));
    self.rewards = perAgent(() => 0);
    self.terminations = perAgent((agent) => self.terminations[names[agent]]);
    self.truncations = perAgent((agent) => self.truncations[names[agent]]);
    selectAfter(N - 1);
  };

  const stepAlive = (action: Action | null) => {
    writeAction(source, actionSpaces[selected], action, actions, selected * W);
    accumulated[selected] = 0;
    if (!isLegal(actionSpaces[selected], maskOf(environment, selected), actions, selected * W)) {
      pay(names.map((_, agent) => (agent === selected ? ILLEGAL_REWARD : 0)));
      self.terminations = perAgent(() => true);
      self.truncations = perAgent(() => true);
      selectAfter(N - 1);
      return;
    }
    const next = environment.acting.indexOf(1, selected + 1);
    if (next >= 0) {
      self.rewards = perAgent(() => 0);
      select(next);
      return;
    }
    environment.step(actions);
    standing();
    pay(environment.rewards);
    selectAfter(selected);
  };

  const self = {
    metadata: { name: environment.id },
    possibleAgents: names,
    agents: [] as string[],
    agentSelection: names[0],
    rewards: {} as Record<string, number>,
    terminations: {} as Record<string, boolean>,
    truncations: {} as Record<string, boolean>,
    infos: {} as Record<string, object>,

    reset(options: ResetOptions = {}) {
      begin(options);
      self.agents = [...names];
      self.infos = perAgent(() => ({}));
      standing();
      accumulated.fill(0);
      pay(environment.rewards);
      select(environment.acting.indexOf(1));
      moved = true;
    },

    step(action: Action | null) {
      requireAgents();
      if (isDead(selected)) stepDead(action);
      else stepAlive(action);
      moved = true;
    },

    observe(name: string) {
      const agent = agentIndex(environment, name);
      return observationOf(environment, agent, mask(agent));
    },

    last() {
      requireAgents();
      const name = names[selected];
      return [
        self.observe(name),
        accumulated[selected],
        self.terminations[name],
        self.truncations[name],
        self.infos[name],
      ] as const;
    },

    *agentIter(maxIter = Number.POSITIVE_INFINITY) {
      for (let i = 0; i < maxIter && self.agents.length > 0; i++) {
        if (!moved)
          throw new MagicMaskError(
            "out-of-order",
            source,
            "call step() or reset() in the body of a loop over agentIter()",
          );
        moved = false;
        yield self.agentSelection;
      }
    },

    observationSpace: (name: string) => environment.observationSpaces[agentIndex(environment, name)],
    actionSpace: (name: string) => actionSpaces[agentIndex(environment, name)],
    render: () => environment.render(),
    close() {},
  };
  return self;
}
