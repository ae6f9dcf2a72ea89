import { type Learner, stream } from "@magic-mask/core";
import { referenceLearner } from "@magic-mask/core/testing";
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
  readonly players: readonly number[];
  /** Past selves of learner 0 play in half of the episodes. */
  readonly pool: boolean;
  /** What goes wrong in a world, in its step number `after`. */
  readonly fault?: { readonly kind: "throws" | "exits" | "mistake"; readonly after: number };
}

/** A world of three agents in which anything lost or mixed up shows, and a team that learns in it. */
export function testTeam({ players, pool: met, fault }: TestTeamOptions) {
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
