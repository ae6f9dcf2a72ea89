import { boxSize, type Candidates, type Learner, maskedLogSoftmax, type Perturbation, stream } from "@magic-mask/core";
import { market, referenceLearner } from "@magic-mask/core/testing";
import { type Opponents, pool, self } from "./opponents.ts";
import { createShardServer } from "./shard-server.ts";
import { ACTIONS, learnedPolicy, scriptWorld, type Tick, weightedPerturbation } from "./test-worlds.ts";

/** Seven ticks with every kind of tick in them: forced moves, waiting, an early end, a clock that runs out. */
export const LONG: readonly Tick[] = [
  { choices: [2, 3, 1], rewards: [1, 0, 2] },
  { choices: [3, 0, 2], rewards: [0, 3, -1] },
  { choices: [1, 2, 2], rewards: [2, 0, 0] },
  { choices: [0, 3, 2], rewards: [0, 1, 1] },
  { choices: [2, 2, 3], rewards: [1, 1, 1], terminates: [1] },
  { choices: [3, 0, 3], rewards: [0, 0, 4] },
  { choices: [2, 0, 2], rewards: [5, 0, 0], terminates: [0], truncates: [2] },
];

export interface TestTeamOptions {
  /** The world's actions are candidates; it has two agents then. */
  readonly candidates?: boolean;
  readonly players: readonly number[];
  /** Past selves of learner 0 play in half of the episodes. */
  readonly pool: boolean;
  /** What goes wrong in a world, in its step number `after`. */
  readonly fault?: { readonly kind: "throws" | "exits" | "mistake"; readonly after: number };
}

/** A world of three agents in which anything lost or mixed up shows, and a team that learns in it. */
export function testTeam({ players, pool: met, fault, candidates }: TestTeamOptions) {
  if (candidates) return marketTeam(players);
  const newLearner = (name: string) => {
    const spec = { kind: "mlp", inputs: 4, hidden: [6], activation: "tanh", outputs: [ACTIONS + 1] } as const;
    const learner = referenceLearner(spec, stream(name));
    return { learner, policy: learnedPolicy(learner) };
  };
  const made = Array.from({ length: Math.max(...players) + 1 }, (_, k) => newLearner(`learner ${k}`));
  const learners: Learner[] = made.map(({ learner }) => learner);
  const createMember = () => newLearner("member");
  const opponents: Opponents = met
    ? pool({ learner: learners[0], createMember, size: 2, every: 1, share: 0.5 })
    : self();
  const perturbations = [
    weightedPerturbation(1, 1, 1),
    weightedPerturbation(1, 2, 3),
    weightedPerturbation(3, 2, 1),
  ].slice(0, players.length);
  return {
    make: fault ? faulty(fault) : scriptWorld(LONG, { luck: true }),
    policies: made.map(({ policy }) => policy),
    learners,
    players,
    perturbations,
    seed: 4,
    opponents,
  };
}

/** A policy of its own for the buyer and the seller each: they see unlike much. */
function marketTeam(players: readonly number[]) {
  const { observationSpaces, actionSpaces } = market();
  const made = observationSpaces.map((observation, agent) => {
    const space = actionSpaces[agent] as Candidates;
    const spec = { ...space, inputs: boxSize(observation), hidden: [7], activation: "tanh" } as const;
    const learner = referenceLearner(spec, stream("market", agent));
    return { learner, policy: learnedPolicy(learner, space) };
  });
  const even: Perturbation = {
    name: "even",
    evaluate({ count, legal }, _policy, out) {
      const { max } = actionSpaces[0] as Candidates;
      for (let at = 0; at < count * max; at += max) {
        out.fill(0, at, at + max);
        maskedLogSoftmax(out, at, legal, at, max);
      }
    },
  };
  return {
    make: market,
    policies: made.map(({ policy }) => policy),
    learners: made.map(({ learner }): Learner => learner),
    players,
    perturbations: [even, even],
    seed: 4,
    opponents: self(),
  };
}

/** What worker threads run in tests. */
export const openTestShards = (options: TestTeamOptions) => createShardServer(testTeam(options));

function faulty({ kind, after }: NonNullable<TestTeamOptions["fault"]>) {
  return () => {
    const world = scriptWorld(LONG)();
    let steps = 0;
    return {
      ...world,
      step(actions: Float32Array) {
        world.step(actions);
        if (steps++ < after) return;
        if (kind === "throws") world.rewards[1] = Number.NaN;
        else if (kind === "exits") process.exit(3);
        else throw new TypeError("a mistake");
      },
    };
  };
}
