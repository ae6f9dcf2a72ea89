import { LAYOUT, modes } from "@magic-mask/comm";
import { type Explainer, MagicMaskError, stream } from "@magic-mask/core";
import { postHocObjective } from "../assemble.ts";
import { type CoinEvidence, learnFromCoin, playByCoin } from "../compare/learn.ts";
import type { FrozenTeam } from "../compare/policies.ts";
import type { Config } from "../config.ts";
import { createMemory, type Memory } from "../memory.ts";
import { learningSettings } from "../posthoc.ts";
import { exchange, type Story, storyOf } from "./exchange.ts";
import type { Coordinates } from "./study.ts";

/** Steps of frozen policies with what each agent learned of its own, ready to be told of in any number of ways. */
export interface Replay {
  readonly frozen: FrozenTeam;
  readonly coin: CoinEvidence;
  /** [N] by the agents' own masks. */
  readonly explainers: readonly Explainer[];
  readonly story: Story;
  /** Root of the chance in memories. */
  readonly seed: number;
  /** Optimiser steps of every record head. */
  readonly headSteps: number;
  /** Wall, of all that. */
  readonly seconds: number;
}

/** How agents tell each other of their decisions. */
export interface Telling {
  /** Name of comm's mode that says what is sent. */
  readonly mode: string;
  /** The rest; its own `mode` says by which vectors states are told. */
  readonly sharing: Config["sharing"];
}

/** Copies of the world in which masks' steps are played: so few that the shortest budget holds whole episodes. */
export const COPIES = 16;
/** Records per optimiser step of a head. */
const MINIBATCH = 256;

/**
 * Plays `budget` environment steps, and lets each agent's critic and mask learn from its own decisions.
 *
 * @param study names the chance
 */
export async function playAlone(subject: FrozenTeam, budget: number, study: string): Promise<Replay> {
  const config: Config = { ...subject.config, training: { ...subject.config.training, copies: COPIES } };
  const frozen: FrozenTeam = { ...subject, config };
  const seed = stream(config.seed, "study", study).bits();
  return replayOf(frozen, await playByCoin(frozen, budget), seed, seed);
}

/**
 * Lets each agent's mask learn from its own decisions, and makes them ready to be told of.
 *
 * @param seed root of the chance in memories
 * @param maskSeed of that in masks
 */
export async function replayOf(
  frozen: FrozenTeam,
  coin: CoinEvidence,
  seed: number,
  maskSeed: number,
): Promise<Replay> {
  const { config } = frozen;
  const objective = postHocObjective(config);
  const { masks, explainers, wallSeconds } = await learnFromCoin(frozen, objective, coin, maskSeed);
  const story = storyOf(coin.evidence, masks, coin.steps / config.training.copies);
  const decisions = Math.max(...coin.evidence.map(({ rows }) => rows.length));
  return {
    frozen,
    coin,
    explainers,
    story,
    seed,
    // As many passes over its own decisions as a mask makes; the same in all arms.
    headSteps: Math.ceil((config.posthoc.epochs * decisions) / MINIBATCH),
    seconds: wallSeconds,
  };
}

/**
 * Lets agents tell each other of these steps as if it were happening, and their heads learn from what they then hold.
 *
 * @param onBroadcast looks on, as in `exchange`
 */
export async function tell(
  replay: Replay,
  { mode, sharing }: Telling,
  onBroadcast?: (memory: Memory, now: number, last: number) => void,
): Promise<{ memory: Memory; now: number }> {
  const { frozen, coin, story, seed, headSteps } = replay;
  const memory = createMemory({
    spec: frozen.world.spec,
    mode,
    config: { sharing },
    copies: frozen.config.training.copies,
    retrospective: false,
    seed,
    createLearner: frozen.create,
    critics: coin.critics,
  });
  // Networks that have not begun to learn are not worth telling.
  const every = modes[mode].model ? Math.ceil(story.ticks / sharing.every) * sharing.every : sharing.every;
  const now = exchange(story, memory, every, (tick, last) => onBroadcast?.(memory, tick, last));
  await memory.fitHeads(headSteps, now);
  return { memory, now };
}

/** How long trials take that share a replay, as `Study.work`: each tells of it anew. */
export const replayWork = (trials: readonly Coordinates[]): number =>
  (trials[0].budget as number) * (1 + trials.length / 4);

/**
 * What of a configuration the figures of such arms depend on, `sharing.mode` apart.
 *
 * @throws unsupported for masks that decide the blinding
 */
export function replaySettings(config: Config) {
  const { mask, sharing, training } = config;
  const objective = postHocObjective(config);
  if (objective.blinding !== "coin") {
    const message = `${objective.name} decides the blinding itself, so arms would not share their steps; set mask.objective to one that leaves it to a coin`;
    throw new MagicMaskError("unsupported", "trainer/study-replay", message);
  }
  const { mode: _, ...rest } = sharing;
  return {
    objective: objective.name,
    threshold: mask.threshold,
    copies: COPIES,
    shards: training.shards,
    learning: learningSettings(config),
    // What is told of a state: other signatures, other heads.
    sharing: { ...rest, layout: LAYOUT },
  };
}
