import { areComparable, modes, stackExplainers } from "@magic-mask/comm";
import { MagicMaskError, stream } from "@magic-mask/core";
import { objectives } from "@magic-mask/masking";
import { auroc, interAgentFidelity } from "@magic-mask/metrics";
import { learnFromCoin, playByCoin } from "../../compare/learn.ts";
import type { FrozenTeam } from "../../compare/policies.ts";
import type { Config, ConfigInput } from "../../config.ts";
import { scoresOf } from "../../figures/scores.ts";
import { createMemory, type Memory } from "../../memory.ts";
import { exchange, storyOf } from "../exchange.ts";
import type { Coordinates, Measured, Size, Study, Subject } from "../study.ts";
import { reportOnCommunication } from "./communication-report.ts";

/** What is measured of one sharing mode. */
export interface CommunicationFigures {
  /** AUROC of the agent's true top 10 % by its own mask, by its record head, and by both with equal weights. */
  readonly agents: readonly {
    readonly agent: string;
    readonly own: number | null;
    readonly head: number | null;
    readonly stacked: number | null;
  }[];
  /** Inter-agent fidelity: over all ordered pairs, those of one role, and those of two. */
  readonly fidelity: {
    readonly all: number | null;
    readonly sameRole: number | null;
    readonly crossRole: number | null;
  };
  /** [i][j] how well agent i explains agent j. */
  readonly matrix: readonly (readonly (number | null)[])[];
  /** Bytes that an agent hands to the channel per 1,000 environment steps. */
  readonly bytes: number;
  /** Records that an agent has from its peers in the end. */
  readonly received: number;
  /** Share of perturbations in states that peers had settled already. */
  readonly redundancy: number | null;
}

/** What can be changed of it. */
export interface CommunicationOptions {
  readonly id?: string;
  readonly environments?: readonly string[];
  /** Names from comm's `modes`; `none` among them, as what the others are held against. */
  readonly modes?: readonly string[];
}

/** Copies of the world in which masks' steps are played: so few that the shortest budget holds whole episodes. */
const COPIES = 16;
/** Records per optimiser step of a head. */
const MINIBATCH = 256;
/** Environment steps of training, where presets take hours. */
const TRAINING: Readonly<Record<string, number>> = {
  connect_four_v0: 2_000_000,
  simple_spread_v0: 1_000_000,
  highway_fast_v0: 500_000,
};
const QUICK = {
  training: { totalSteps: 300_000 },
  evaluation: { states: 250, pilotRollouts: 2, rollouts: 16, batches: 1 },
};

/**
 * Does it help an agent to learn from what its peers tell it of their decisions, and when?
 *
 * Policies are fixed beforehand. A coin blinds at a constant rate; each agent's mask learns from its own decisions, alike in all
 * arms. What differs is whose records an agent's second head learns from: its own, which every arm has, and those that the mode lets
 * its peers send. Heads, how many steps they take and their chance are the same in all arms. Criticality is that of mask and head,
 * stacked with equal weights.
 */
export function communication(options: CommunicationOptions = {}): Study<CommunicationFigures> {
  const {
    id = "communication",
    environments = ["pong_walls_v0", "simple_spread_v0", "highway_fast_v0", "connect_four_v0"],
    modes: names = Object.keys(modes),
  } = options;
  return {
    id,
    question: "Does an agent explain itself and its peers better for what its peers tell it, and at which budgets?",
    claim:
      "sharing matters: without it inter-agent fidelity falls by 15 to 25 % (Tables 6 to 9 show .91 to .82 in Connect 4 and .92 to .84 in Pong, 9 to 10 %)",
    version: 1,
    axes: (size) => ({
      environment: size === "quick" ? environments.slice(0, 2) : environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      budget: BUDGETS[size],
      mode: names,
    }),
    arms: ["mode"],
    config: (environment, size): ConfigInput => {
      const totalSteps = size === "paper" ? 10_000_000 : TRAINING[environment];
      return {
        environment: { id: environment },
        evaluation: { states: 500 },
        ...(totalSteps !== undefined && { training: { totalSteps } }),
        ...(size === "quick" && QUICK),
      };
    },
    settings({ mask, posthoc, sharing, training }) {
      const objective = objectives[mask.objective]({ threshold: mask.threshold, separate: true });
      if (objective.blinding !== "coin") {
        const message = `${objective.name} decides the blinding itself, so arms would not share their steps; set mask.objective to one that leaves it to a coin`;
        throw new MagicMaskError("unsupported", SOURCE, message);
      }
      const { probability, epochs, learningRate } = posthoc;
      const { mode: _, ...shared } = sharing;
      return {
        objective: objective.name,
        threshold: mask.threshold,
        copies: COPIES,
        shards: training.shards,
        trace: training.trace,
        learning: { probability, epochs, learningRate },
        sharing: shared,
      };
    },
    work: (trials) => (trials[0].budget as number) * (1 + trials.length / 4),
    pilots: (axes) => {
      const group = (budget: number): Coordinates[] =>
        axes.mode.map((mode) => ({ environment: axes.environment[0], seed: axes.seed[0], budget, mode }));
      return [group(1000), group(6000)];
    },
    run: runModes,
    report: reportOnCommunication,
  };
}

const SOURCE = "trainer/study-communication";
const BUDGETS: Readonly<Record<Size, readonly number[]>> = {
  quick: [3000, 10_000],
  default: [3000, 10_000, 30_000, 100_000, 300_000],
  paper: [3000, 10_000, 30_000, 100_000, 300_000, 1_000_000],
};

async function* runModes(trials: readonly Coordinates[], { frozen, truths }: Subject) {
  const begun = performance.now();
  const { world } = frozen;
  const config: Config = { ...frozen.config, training: { ...frozen.config.training, copies: COPIES } };
  const subject: FrozenTeam = { ...frozen, config };
  const coin = await playByCoin(subject, trials[0].budget as number);
  const objective = objectives[config.mask.objective]({ threshold: config.mask.threshold, separate: true });
  const seed = stream(config.seed, "study", "communication").bits();
  const { masks, explainers } = await learnFromCoin(subject, objective, coin, seed);
  const story = storyOf(coin.evidence, masks, coin.steps / COPIES);
  const decisions = Math.max(...coin.evidence.map(({ rows }) => rows.length));
  // As many passes over its own decisions as a mask makes; the same in all arms.
  const headSteps = Math.ceil((config.posthoc.epochs * decisions) / MINIBATCH);
  const shared = secondsSince(begun);

  for (const { mode } of trials) {
    const started = performance.now();
    const memory = createMemory({
      spec: world.spec,
      mode: mode as string,
      config: { ...config, sharing: { ...config.sharing, mode: mode as Config["sharing"]["mode"] } },
      copies: COPIES,
      retrospective: false,
      seed,
      createLearner: frozen.create,
      critics: coin.critics,
    });
    await memory.fitHeads(headSteps, exchange(story, memory, config.sharing.every));
    const learning = secondsSince(started);
    const looked = performance.now();
    const figures = judge(memory, explainers, { frozen, truths }, coin.steps);
    const result: Measured<CommunicationFigures> = {
      steps: coin.steps,
      figures,
      seconds: { shared, learning, judging: secondsSince(looked) },
    };
    yield result;
  }
}

function judge(
  { heads, sharing }: Memory,
  explainers: readonly Parameters<typeof scoresOf>[0][],
  { frozen: { world }, truths }: Subject,
  steps: number,
): CommunicationFigures {
  const { spec } = world;
  const N = spec.agents.length;
  const agents = spec.agents.map((agent, i) => {
    const { states, truth } = truths[i];
    const stacked = stackExplainers({ explainers: [explainers[i], heads[i]], reference: states.decisions });
    const area = (explainer: Parameters<typeof scoresOf>[0]) =>
      orNull(auroc(scoresOf(explainer, states).scores, truth.criticality));
    return { agent, own: area(explainers[i]), head: area(heads[i]), stacked: area(stacked) };
  });
  const { matrix, mean, sameRole, crossRole } = interAgentFidelity({
    scores: heads.map((head, i) =>
      truths.map(({ states }, j) => (i === j || !areComparable(spec, i, j) ? null : scoresOf(head, states).scores)),
    ),
    truths: truths.map(({ truth }) => truth.criticality),
    roles: spec.roles,
  });
  const statistics = sharing.statistics(steps);
  const received = sharing.counters.received.reduce((sum, count) => sum + count, 0);
  return {
    agents,
    fidelity: { all: orNull(mean), sameRole: orNull(sameRole), crossRole: orNull(crossRole) },
    matrix,
    bytes: statistics["comm/bytes_per_1000_steps"],
    received: received / N,
    redundancy: orNull(statistics["comm/redundancy"]),
  };
}

const orNull = (value: number) => (Number.isNaN(value) ? null : value);
const secondsSince = (begun: number) => (performance.now() - begun) / 1000;
