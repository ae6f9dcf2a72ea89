import {
  checkCount,
  checkRange,
  clip,
  type DecisionGroup,
  decisionTable,
  distributionOf,
  hasChoice,
  isCopyOver,
  MagicMaskError,
  type MakeEnvironment,
  maskWidth,
  type Policy,
  type Stream,
  slotWidth,
  stream,
  vectorize,
} from "@magic-mask/core";

export interface ContinuationOptions {
  readonly make: MakeEnvironment;
  /** [N] who plays which agent; each row must depend on that row's decision alone. */
  readonly policies: readonly Policy[];
  /** Whose return is wanted. */
  readonly agent: number;
  /** [S × snapshotBytes] where continuations begin: at decisions of the agent. */
  readonly snapshots: Uint8Array;
  /** S */
  readonly states: number;
  /** J ≥ 1, how many continuations. */
  readonly jobs: number;
  /** Which state job j begins at. */
  stateOf(job: number): number;
  /** Which rollout of that state it is: jobs with equal state and rollout share all chance. */
  rolloutOf(job: number): number;
  /** Told all decisions that the agent has to make now, before `act` is asked about them one by one. */
  prepare?(group: DecisionGroup): void;
  /**
   * What the agent does at its decision number `made` (0: at the state): written to the slot at `actions[at]` where the
   * policy is not to say.
   *
   * @param row of `group`, the decisions that the agent has to make now
   * @returns whether it was written
   */
  act(
    job: number,
    made: number,
    group: DecisionGroup,
    row: number,
    random: Stream,
    actions: Float32Array,
    at: number,
  ): boolean;
  /** Root of all chance: rollout r of state s draws from streams named by (seed, s, r) alone. */
  readonly seed: number;
  /** γ in [0, 1], per decision of the agent's own. */
  readonly discount: number;
  /** H ≥ 1, how many of its own decisions the return reaches over; Infinity: to the end of the episode. */
  readonly horizon: number;
  /** Whether what follows decision H counts, by V of the agent's policy at its next one; left out otherwise. */
  readonly bootstrap?: boolean;
  /** Copies of the world continued side by side, ≥ 1. No effect on the result. */
  readonly copies?: number;
}

/** The job of a copy that found none left. */
const IDLE = -1;
const SOURCE = "metrics/continuations";

/**
 * Plays on from snapshots: jobs are taken up by copies of the world one after the other as they finish; each policy is
 * asked once per tick for all copies. Copies that find no job left play on unheeded until the last one is done.
 *
 * @returns [J] the agent's return from the state of each job: its k-th decision after s and what follows it discounted by
 * γ^k, up to decision H or the end of the episode, forced moves being no decisions; how many decisions of all agents
 * were simulated, and how many ticks that took
 * @throws invalid-option; shape-mismatch if the states are of another world
 */
export function playContinuations(options: ContinuationOptions): {
  readonly returns: Float64Array;
  readonly decisions: number;
  readonly ticks: number;
} {
  const { make, policies, agent, snapshots, states, jobs, seed, discount, horizon, copies = 256 } = options;
  const { bootstrap = false } = options;
  checkRange(SOURCE, "discount", discount, 0, 1);
  checkCount(SOURCE, "copies", copies);
  const vector = vectorize(make, Math.min(copies, jobs));
  const { spec, acting, rewards } = vector;
  const space = spec.actionSpaces[agent];
  if (snapshots.length !== states * spec.snapshotBytes) {
    const wanted = `a world with snapshots of ${snapshots.length / states} bytes, as the states have`;
    throw new MagicMaskError("shape-mismatch", SOURCE, `wanted ${wanted}; got ${spec.snapshotBytes}`);
  }
  const C = vector.copies;
  const N = spec.agents.length;
  const W = slotWidth(spec);
  const distributions = spec.actionSpaces.map(distributionOf);
  const table = decisionTable(
    vector,
    policies,
    Uint8Array.from({ length: C * N }, (_, at) => at % N),
  );
  const actions = new Float32Array(C * N * W);
  const mask = new Uint8Array(maskWidth(space));
  const returns = new Float64Array(jobs);
  const chance = Array.from({ length: C }, () => stream(seed));
  const draws = Array.from({ length: C }, () => stream(seed));
  const job = new Int32Array(C);
  /** [C] decisions that the agent has made since s, the one at s included, and the weight of its next reward. */
  const made = new Int32Array(C);
  const weight = new Float64Array(C);
  /** [C] 1 where decision H is past and V stands for what follows: the copy takes its next job after this tick. */
  const judged = new Uint8Array(C);
  let started = 0;
  let finished = 0;
  let decisions = 0;
  let ticks = 0;

  const begin = (copy: number) => {
    job[copy] = started < jobs ? started++ : IDLE;
    if (job[copy] === IDLE) return;
    const state = options.stateOf(job[copy]);
    const rollout = options.rolloutOf(job[copy]);
    chance[copy].rekey(seed, "environment", state, rollout);
    draws[copy].rekey(seed, "action", state, rollout);
    vector.restore(copy, snapshots, state * spec.snapshotBytes, chance[copy]);
    made[copy] = 0;
    weight[copy] = 1;
  };

  /** Lets V stand for what follows, where the agent has come to the decision after number H. */
  const judge = () => {
    const { count, copies: of, free, values } = table.groups[agent];
    for (let row = 0; row < count; row++) {
      const copy = of[row];
      if (free[row] === 0 || job[copy] === IDLE || made[copy] < horizon) continue;
      returns[job[copy]] += weight[copy] * discount * values[row];
      judged[copy] = 1;
    }
  };

  try {
    for (let copy = 0; copy < C; copy++) begin(copy);
    while (finished < jobs) {
      table.gather();
      if (bootstrap) judge();
      for (let i = 0; i < N; i++) {
        const group = table.groups[i];
        const distribution = distributions[i];
        if (i === agent && group.count > 0) options.prepare?.(group);
        for (let row = 0; row < group.count; row++) {
          const copy = group.copies[row];
          const slot = (copy * N + i) * W;
          const busy = group.free[row] === 1 && job[copy] !== IDLE && judged[copy] === 0;
          if (busy) decisions++;
          if (busy && i === agent) {
            if (made[copy] > 0) weight[copy] *= discount;
            if (options.act(job[copy], made[copy]++, group, row, draws[copy], actions, slot)) {
              clip(space, actions, slot);
              continue;
            }
          }
          distribution.at(group.parameters, row * distribution.width).sample(draws[copy], actions, slot);
          clip(spec.actionSpaces[i], actions, slot);
        }
      }
      vector.step(actions);
      for (let copy = 0; copy < C; copy++) {
        if (job[copy] === IDLE) continue;
        if (judged[copy] === 0) {
          ticks++;
          returns[job[copy]] += weight[copy] * rewards[copy * N + agent];
          const decidesAgain =
            made[copy] === horizon && acting[copy * N + agent] && hasChoice(space, vector.legal(copy, agent, mask, 0));
          if ((bootstrap || !decidesAgain) && !isCopyOver(vector, copy)) continue;
        }
        judged[copy] = 0;
        finished++;
        begin(copy);
      }
    }
  } finally {
    vector.close?.();
  }
  return { returns, decisions, ticks };
}
