import { stream } from "@magic-mask/core";
import { postHocObjective } from "../../../assemble.ts";
import { learnFromCoin, playByCoin } from "../../../compare/learn.ts";
import { rangeOf } from "../../../figures/return-range.ts";
import { learningSettings, postHocSeed } from "../../../posthoc.ts";
import { judgePlanted, judgeSanity, type SanityOfAgent } from "../../../sanity.ts";
import { isStopped } from "../../../work/signals.ts";
import type { Coordinates, Measured, Study, Subject } from "../../study.ts";
import { BUDGETS, explainedConfig, PAPER_WORLDS } from "../common/explained-worlds.ts";
import { reportOnSanity } from "./report.ts";

/** One check of one agent; null where nothing could be measured, as where nothing is critical. */
interface Check {
  readonly agent: string;
  readonly name: string;
  /** What must come, stated beforehand. */
  readonly expected: string;
  readonly measured: number | null;
  /** 95 % interval of it; null likewise. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly passed: boolean;
  /** How probable it is at most that it fails by chance alone. */
  readonly byChance: number;
}

export interface SanityFigures {
  readonly checks: readonly Check[];
}

/** What can be changed of it. */
export interface SanityOptions {
  readonly id?: string;
  readonly environments?: readonly string[];
}

/** The world in which all is known beforehand. */
const PLANTED = "planted_v0";

/**
 * Do the figures see nonsense for what it is? Permuted scores, networks whose weights are drawn anew, random windows, budgets that grow,
 * and perturbations that withhold nothing: what must come of each is stated beforehand (`metrics/sanity.ts`). The explainer is
 * `mask.objective`, learned post hoc from what a coin blinded.
 */
export function sanity(options: SanityOptions = {}): Study<SanityFigures> {
  const { id = "sanity", environments = [PLANTED, ...PAPER_WORLDS] } = options;
  return {
    id,
    question: "Do the figures see nonsense for what it is: does each fall to chance where it must?",
    claim: "nothing of this kind is reported",
    version: 3,
    axes: (size) => ({
      environment: environments,
      seed: size === "quick" ? [1, 2] : [1, 2, 3, 4, 5],
      budget: [BUDGETS[size]],
    }),
    arms: [],
    // The default is what is asked about, not the `advantage` that studies of sharing keep to.
    config: (id, size) => ({ ...explainedConfig(id, size), mask: {} }),
    settings: (config) => ({
      objective: config.mask.objective,
      threshold: config.mask.threshold,
      learning: { ...learningSettings(config), copies: config.training.copies },
      judged: [config.evaluation.episodes, config.evaluation.dropEpisodes],
    }),
    work: ([{ budget }]) => budget as number,
    pilots: (axes) => {
      const at = (budget: number): Coordinates => ({ environment: axes.environment[0], seed: axes.seed[0], budget });
      return [[at(2000)], [at(20_000)]];
    },
    run: runBattery,
    report: reportOnSanity,
  };
}

async function* runBattery(trials: readonly Coordinates[], { frozen, truths, place }: Subject) {
  const { config, world, policies } = frozen;
  const objective = postHocObjective(config);
  const root = stream(config.seed, "study", "sanity", place.subjects.states).bits();
  const seedOf = (...key: (string | number)[]) => stream(root, ...key).bits();
  for (const { environment, budget } of trials) {
    const coin = await playByCoin(frozen, budget as number);
    const { explainers, wallSeconds, steps } = await learnFromCoin(frozen, objective, coin, postHocSeed(config));
    const begun = performance.now();
    const judged: SanityOfAgent[] = environment === PLANTED ? [judgePlanted(seedOf("planted"))] : [];
    for (const [agent, explainer] of explainers.entries()) {
      if (isStopped(place.signals)) return;
      const { states, truth } = truths[agent];
      const range = rangeOf(world, policies, agent, seedOf("range"));
      judged.push(judgeSanity(frozen, explainer, agent, { states, truth, policies, range, seedOf }));
    }
    const checks = judged.flatMap(({ agent, rows }) =>
      rows.map(({ measured: { estimate, low, high }, ...row }): Check => {
        const isKnown = !Number.isNaN(estimate);
        return { agent, ...row, measured: isKnown ? estimate : null, interval: isKnown ? [low, high] : null };
      }),
    );
    const measured: Measured<SanityFigures> = {
      steps,
      figures: { checks },
      seconds: { shared: 0, learning: wallSeconds, judging: (performance.now() - begun) / 1000 },
    };
    yield measured;
  }
}
