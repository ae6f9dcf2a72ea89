import { type Learner, stream } from "@magic-mask/core";
import { type MeasuredTruth, measureTruth, type States } from "@magic-mask/metrics";
import type { Team } from "../assemble.ts";
import type { Config } from "../config.ts";
import type { Brancher } from "./brancher.ts";
import { addressOf, readTruth, writeTruth } from "./cache.ts";

/** Development states are for tuning methods, test states for reporting on them: they are of episodes with different seeds. */
export type StateSet = "dev" | "test";

/** Where truths are kept, and what tells the players of one from those of another. */
interface TruthCache {
  readonly folder: string;
  /** Of who plays, `playersOf` for learners: equal ones must play alike. */
  readonly players: unknown;
}

export interface TruthOfOptions {
  readonly config: Pick<Config, "environment" | "evaluation" | "training">;
  readonly states: States;
  /** Root of all chance in the rollouts. */
  readonly seed: number;
  readonly brancher: Brancher;
  /** Nothing is kept, or found, without one. */
  readonly cache?: TruthCache | undefined;
  /** Told the share of the present batch that is done, and which one it is (0: the pilot). */
  readonly onProgress?: (share: number, batch: number) => void;
  /** Told of a kept file that is damaged; the truth is then made anew. */
  readonly onDamage?: (message: string) => void;
}

/** What tells learners from others: their networks with their parameters, who plays whom, and what runs them. */
export const playersOf = ({ learners, players }: Pick<Team, "learners" | "players">, backend: string) => ({
  backend,
  players,
  learners: learners.map(({ learner }: { readonly learner: Learner }) => ({
    model: JSON.stringify(learner.spec),
    parameters: learner.exportState().parameters,
  })),
});

/**
 * The truth of held-out decisions, by as many rollouts as the configuration's `evaluation` asks for (`measureTruth`); from the cache
 * where it has been made before: of the same world, players, states with their π and ν, chance and settings.
 *
 * @throws as `branchingTruth`; io
 */
export async function truthOf(options: TruthOfOptions): Promise<MeasuredTruth> {
  const { config, states, seed, brancher, cache, onProgress = () => {}, onDamage = reportDamage } = options;
  const { pilotRollouts, rollouts, batches, reliability } = config.evaluation;
  const { discount } = config.training;
  const plan = { pilot: pilotRollouts, rollouts, batches, reliability };
  const { environment } = config;
  const address = cache && addressOf({ environment, players: cache.players, states, plan, discount, seed });
  const kept = cache && address && (await readTruth(cache.folder, address, onDamage));
  if (kept) return kept;
  let calls = 0;
  const truth = await measureTruth(plan, states, ({ stage, ...rest }) => {
    const batch = calls++;
    const branching = { ...rest, seed: stream(seed, stage).bits(), discount };
    return brancher.branch(states, branching, (share) => onProgress(share, batch));
  });
  if (cache && address) await writeTruth(cache.folder, address, truth);
  return truth;
}

const reportDamage = (message: string) => {
  process.stderr.write(`a kept truth cannot be used and is made anew: ${message}\n`);
};
