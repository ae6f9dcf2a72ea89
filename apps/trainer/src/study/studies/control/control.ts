import { byName, play, stream } from "@magic-mask/core";
import { episodeReturns } from "@magic-mask/metrics";
import { type AgentFigures, type CellResult, makeCells, readCell } from "../../../compare/cells.ts";
import { type Cell, cellsOf } from "../../../compare/plan.ts";
import type { FrozenTeam } from "../../../compare/policies.ts";
import type { ConfigInput } from "../../../config.ts";
import { mean } from "../../../figures/means.ts";
import { randomPlayer } from "../../../policies.ts";
import { learningSettings } from "../../../posthoc.ts";
import type { StateSet } from "../../../truth/truth-of.ts";
import type { Coordinates, Measured, Size, Study, Subject } from "../../study.ts";
import { pathsOfCells, planOf } from "../common/cells.ts";
import { sharingConfig } from "../common/settings.ts";
import { reportOnControl } from "./report.ts";

/** How well an explainer knows what is at stake where actions are continuous. */
export interface ControlFigures {
  /** [N] */
  readonly agents: readonly AgentFigures[];
  /** Mean over agents, game units: what the explained policy earns, and what random play does. */
  readonly returns: { readonly policy: number; readonly random: number };
}

/** Worlds whose actions are continuous, some by their options. */
const WORLDS: Readonly<Record<string, ConfigInput["environment"]>> = {
  pendulum_v1: { id: "pendulum_v1" },
  "simple_spread_v0:continuous": { id: "simple_spread_v0", options: { continuousActions: true } },
  "highway_fast_v0:continuous": { id: "highway_fast_v0", options: { action: "continuous" } },
};

/** What can be changed of it. */
export interface ControlOptions {
  readonly id?: string;
  /** Names from `WORLDS`. */
  readonly environments?: readonly string[];
  /** Names as in `compare`, those among them that can score decisions over continuous actions. */
  readonly explainers?: readonly string[];
}

/**
 * Do masks find what is critical where actions are continuous?
 *
 * Truth branches over draws there: in each rollout π and ν draw an action by the same chance. Sums over actions are over 16 seeded draws from
 * each. What an explainer needs a list of actions for is left out: entropy, ln π-gap, gradients and the gap of values. The cells are those of `compare`.
 */
export function control(options: ControlOptions = {}): Study<ControlFigures> {
  const {
    id = "control",
    environments = Object.keys(WORLDS),
    explainers = [
      "advantage",
      "doubly_robust",
      "advantage_doubly_robust",
      "keep_blind",
      "statemask",
      "value_drop",
      "paper",
      "random",
    ],
  } = options;
  return {
    id,
    question: "Do masks find what is critical where actions are continuous?",
    claim: "continuous control is left to future work",
    version: 1,
    axes: (size) => ({
      environment: size === "quick" ? environments.slice(0, 2) : environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      budget: [BUDGETS[size]],
      explainer: explainers,
    }),
    arms: ["explainer"],
    config(environment, size) {
      const world = byName(SOURCE, "world", WORLDS, environment);
      const config = sharingConfig(world?.id as string, size);
      const episodes = size === "quick" ? 48 : 400;
      return {
        ...config,
        environment: world,
        evaluation: {
          ...config.evaluation,
          episodes,
          dropEpisodes: episodes,
          ...(size === "quick" && { paperSeeds: 2 }),
        },
      };
    },
    settings: (config) => {
      const { training, mask, evaluation } = config;
      return {
        training: {
          copies: training.copies,
          shards: training.shards,
          trace: training.trace,
          ticks: training.rolloutTicks,
        },
        learning: learningSettings(config),
        threshold: mask.threshold,
        judged: { episodes: evaluation.episodes, drops: evaluation.dropEpisodes, paperSeeds: evaluation.paperSeeds },
      };
    },
    keeps: ({ explainer, budget }, config, subjects) =>
      pathsOfCells(config, { subjects }, explainer as string, budget as number),
    work: (trials) => (trials[0].budget as number) * trials.length,
    pilots: (axes) => {
      const group = (budget: number): Coordinates[] =>
        axes.explainer.map((explainer) => ({
          environment: axes.environment[0],
          seed: axes.seed[0],
          budget,
          explainer,
        }));
      return [group(2000), group(8000)];
    },
    run: runExplainers,
    report: reportOnControl,
  };
}

const SOURCE = "trainer/study-control";
const BUDGETS: Readonly<Record<Size, number>> = { quick: 20_000, default: 100_000, paper: 1_000_000 };

async function* runExplainers(
  trials: readonly Coordinates[],
  subject: Subject,
): AsyncIterable<Measured<ControlFigures>> {
  const { frozen, truths, place } = subject;
  const { subjects, policy, cache, signals } = place;
  const names = trials.map(({ explainer }) => explainer as string);
  const plan = planOf(subject, names, trials[0].budget as number);
  const cells = cellsOf(plan).filter((cell) => cell.policy === policy && names.includes(cell.explainer.name));
  const missing = cells.filter((cell) => !readCell(cell, cache));
  if (!(await makeCells(plan, missing, frozen, truths, cache, signals))) return;
  const returns = returnsOf(frozen, subjects.states);
  for (const name of names) {
    const cell = cells.find(({ explainer }) => explainer.name === name) as Cell;
    const { agents, cost } = readCell(cell, cache) as CellResult;
    // What several learn from is played once, and counted for each.
    const seconds = { shared: 0, learning: cost.wallSeconds, judging: cost.judgingWallSeconds };
    yield { steps: cost.steps, figures: { agents, returns }, seconds };
  }
}

function returnsOf({ config, world, policies }: FrozenTeam, states: StateSet): ControlFigures["returns"] {
  const { make, spec } = world;
  const { episodes } = config.evaluation;
  const seed = stream(config.seed, "study", "control", states).bits();
  const earned = (players: typeof policies) => {
    const played = play({ make, policies: players, episodes, seed });
    return mean(spec.agents.map((_, agent) => mean(Array.from(episodeReturns(played, agent)))));
  };
  return { policy: earned(policies), random: earned(spec.actionSpaces.map(randomPlayer)) };
}
