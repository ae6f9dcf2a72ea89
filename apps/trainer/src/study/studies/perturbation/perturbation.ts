import { byName, type Perturbation, stream } from "@magic-mask/core";
import { perturbations } from "@magic-mask/masking";
import { auroc, spearman, topOverlap } from "@magic-mask/metrics";
import { postHocObjective } from "../../../assemble.ts";
import { learnFromCoin, playByCoin } from "../../../compare/learn.ts";
import type { FrozenTeam } from "../../../compare/policies.ts";
import { orNull } from "../../../figures/means.ts";
import { scoresOf } from "../../../figures/scores.ts";
import { fitLearned, settingsOf } from "../../../perturbations.ts";
import { FIRST_SHARE, postHocSeed } from "../../../posthoc.ts";
import { COPIES, replaySettings } from "../../replay.ts";
import type { Coordinates, Measured, Size, Study, Subject } from "../../study.ts";
import { novicePolicy } from "../common/novice.ts";
import { sharingConfig } from "../common/settings.ts";
import { perturbedTruth } from "./perturbed-truth.ts";
import { reportOnPerturbation } from "./report.ts";

/** What is measured of an explainer whose agents were blinded by one ν. */
export interface PerturbationFigures {
  readonly agents: readonly {
    readonly agent: string;
    /** Mean true Δ under ν, game units. */
    readonly loss: number;
    /** Rank agreement with the truth under ν, and with that under uniform play. */
    readonly own: Agreement;
    readonly uniform: Agreement;
    /** Share of the true top tenth under ν that is in that under uniform play, too; a tenth by chance. */
    readonly overlap: number | null;
    /** Mean ln π of what ν does, nats. */
    readonly plausibility: number;
    /** Share of the variance of Δ that is error of measurement, at the most. */
    readonly noise: number | null;
  }[];
}

interface Agreement {
  readonly auroc: number | null;
  readonly spearman: number | null;
}

/** What can be changed of it. */
export interface PerturbationOptions {
  readonly id?: string;
  readonly environments?: readonly string[];
  /** Names from masking's `perturbations`, `uniform` among them, as what the others are held against. */
  readonly perturbations?: readonly string[];
}

/**
 * What should a blinded agent do, and does it matter?
 *
 * Policies and held-out decisions are the same for all; so are the rollouts of the truth, which played on after every action. A coin
 * blinds each arm's agents by its own ν for the same number of steps. A ν that is learned spends two fifths of them on uniform play,
 * to learn what single actions are worth. `frozen_peer` acts by the same policy after a tenth of its training.
 */
export function perturbation(options: PerturbationOptions = {}): Study<PerturbationFigures> {
  const {
    id = "perturbation",
    environments = ["pong_walls_v0", "simple_spread_v0", "highway_fast_v0", "connect_four_v0"],
    perturbations: names = ["uniform", "second_choice", "policy_noise", "frozen_peer", "adversary", "minimal"],
  } = options;
  return {
    id,
    question: "What should a blinded agent do: act at random, or by a perturbation that is plausible, or learned?",
    claim: "blinded agents act uniformly at random; learned perturbations are left to future work",
    version: 1,
    axes: (size) => ({
      environment: size === "quick" ? environments.slice(0, 2) : environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      budget: BUDGETS[size],
      perturbation: names,
    }),
    arms: ["perturbation"],
    config: sharingConfig,
    companion: novicePolicy,
    settings: (config) => {
      const { sharing: _, ...settings } = replaySettings(config);
      const { temperature, action, divergence, harm } = config.perturbation;
      return { ...settings, perturbation: { temperature, action, divergence, harm } };
    },
    work: (trials) => (trials[0].budget as number) * trials.length,
    pilots: (axes) => {
      const group = (budget: number): Coordinates[] =>
        axes.perturbation.map((name) => ({
          environment: axes.environment[0],
          seed: axes.seed[0],
          budget,
          perturbation: name,
        }));
      return [group(1000), group(4000)];
    },
    run: runPerturbations,
    report: reportOnPerturbation,
  };
}

const BUDGETS: Readonly<Record<Size, readonly number[]>> = {
  quick: [10_000],
  default: [10_000, 100_000],
  paper: [10_000, 100_000, 1_000_000],
};

async function* runPerturbations(
  trials: readonly Coordinates[],
  { frozen, truths, companion }: Subject,
): AsyncIterable<Measured<PerturbationFigures>> {
  const training = { ...frozen.config.training, copies: COPIES };
  const subject: FrozenTeam = { ...frozen, config: { ...frozen.config, training } };
  for (const { perturbation: name, budget } of trials) {
    const begun = performance.now();
    const ticks = Math.ceil((budget as number) / COPIES);
    const { own, spent } = await perturbationsOf(name as string, subject, companion, ticks);
    const blinded = { ...subject, world: { ...subject.world, perturbations: own } };
    const coin = await playByCoin(blinded, (ticks - spent) * COPIES);
    const made = postHocObjective(subject.config);
    const { explainers } = await learnFromCoin(blinded, made, coin, postHocSeed(subject.config));
    const learned = performance.now();
    const agents = frozen.world.spec.agents.map((agent, i) => {
      const { states, criticality, noise, plausibility } = perturbedTruth(truths[i], own[i]);
      const { scores } = scoresOf(explainers[i], states);
      const { criticality: even } = perturbedTruth(truths[i], frozen.world.perturbations[i]);
      const agreement = (truth: Float64Array): Agreement => ({
        auroc: orNull(auroc(scores, truth)),
        spearman: orNull(spearman(scores, truth)),
      });
      return {
        agent,
        loss: criticality.reduce((sum, value) => sum + value / states.count, 0),
        own: agreement(criticality),
        uniform: agreement(even),
        overlap: orNull(topOverlap(criticality, even)),
        plausibility,
        noise: orNull(noise),
      };
    });
    yield {
      steps: ticks * COPIES,
      figures: { agents },
      seconds: { shared: 0, learning: (learned - begun) / 1000, judging: (performance.now() - learned) / 1000 },
    };
  }
}

/** [N] ν by name, and the collector ticks that went into learning it. @throws unknown-name; as the perturbation */
async function perturbationsOf(
  name: string,
  subject: FrozenTeam,
  companion: FrozenTeam | undefined,
  ticks: number,
): Promise<{ readonly own: readonly Perturbation[]; readonly spent: number }> {
  const { config, world } = subject;
  const { spec } = world;
  const settings = settingsOf(config);
  const entry = byName("trainer/study-perturbation", "perturbation", perturbations, name);
  const seed = stream(postHocSeed(config), "scout").bits();
  if (entry.needs !== "advantages") {
    const peers = entry.needs === "peer" ? companion?.policies : undefined;
    const own = spec.agents.map((_, agent) =>
      entry.create({ spec, agent, seed, settings, ...(peers && { peer: peers[agent] }) }),
    );
    return { own, spent: 0 };
  }
  // The world's own ν is uniform; other play than that which masks learn from.
  const scout = { ...subject, config: { ...config, seed } };
  const spent = Math.ceil(FIRST_SHARE * ticks);
  const seen = await playByCoin(scout, spent * COPIES);
  const { masks } = await learnFromCoin(scout, postHocObjective(config, "advantage"), seen, seed);
  const own = masks.map(({ advantages }, agent) =>
    entry.create({ spec, agent, seed, settings, ...(advantages && { advantages }) }),
  );
  const rollouts = seen.evidence.map(({ rollout }) => rollout);
  fitLearned(own, rollouts, [...rollouts.keys()]);
  return { own, spent };
}
