import { discrete, type Explainer, type Policy, stream } from "@magic-mask/core";
import { makeEnvironment, plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { entropy, random, uniform } from "@magic-mask/masking";
import {
  auroc,
  branchingTruth,
  chanceCurve,
  collectStates,
  equalWindows,
  nothingDropped,
  orderedCurves,
  permutedScores,
  randomisedPolicy,
  replayFloor,
  type SanityRow,
  type States,
  type Truth,
} from "@magic-mask/metrics";
import { assembleTeam } from "./assemble.ts";
import { scoresOf } from "./figures/scores.ts";
import type { LoadedRun } from "./load-run.ts";
import { isLearned } from "./perturbations.ts";

/** What the battery found for one agent, or in the planted world. */
export interface SanityOfAgent {
  readonly agent: string;
  readonly rows: readonly SanityRow[];
}

interface Judged {
  readonly states: States;
  readonly truth: Truth;
  /** [N] */
  readonly policies: readonly Policy[];
  /** Of the agent's returns, where the world declares none. */
  readonly range: number | undefined;
  seedOf(...key: (string | number)[]): number;
}

/** Networks with weights drawn anew. */
const REDRAWN = 20;
/** Budgets of the K-curves. */
const SHARES = [0.02, 0.1, 0.2];

/** The sanity battery on one agent of a team: an explanation of it, and a random one, against what must come by chance. */
export function judgeSanity(
  { config, world, create }: Pick<LoadedRun, "config" | "world" | "create">,
  explainer: Explainer,
  agent: number,
  { states, truth, policies, range, seedOf }: Judged,
): SanityOfAgent {
  const { make, spec, perturbations } = world;
  const unknowing = random({ seed: seedOf("sanity", "random", agent) });
  const perturbation = perturbations[agent];
  // A perturbation that is learned knows the trained policy: told of it, nobody would be asked without.
  const neutral = isLearned(config) ? uniform(spec.actionSpaces[agent]) : perturbation;
  const shared = { make, policies, agent, seed: seedOf("sanity", agent), ...(range !== undefined && { range }) };
  // Networks that differ from the run's in their weights alone.
  const redrawn = Array.from({ length: REDRAWN }, (_, k) => {
    const seed = stream(seedOf("sanity", "policy"), k).below(MOST_SEEDS);
    const { learners, players } = assembleTeam({ ...config, seed }, world, create);
    return learners[players[agent]].policy;
  });
  const { episodes } = config.evaluation;
  const curve = { ...shared, perturbation, shares: SHARES, episodes: Math.ceil(config.evaluation.dropEpisodes / 4) };
  return {
    agent: spec.agents[agent],
    rows: [
      permutedScores(scoresOf(explainer, states).scores, truth.criticality, shared.seed),
      randomisedPolicy({
        explainer,
        states,
        truth: truth.criticality,
        perturbation: neutral,
        policies: redrawn,
      }),
      equalWindows({ ...shared, perturbation, explainer: unknowing, episodes }),
      replayFloor({ ...shared, explainer, episodes }),
      nothingDropped({ ...shared, explainer, shares: SHARES, episodes }),
      ...chanceCurve({ ...curve, explainer: unknowing }),
      ...orderedCurves({ ...curve, explainer }),
    ],
  };
}

const MOST_SEEDS = 2 ** 31 - 1;

/**
 * The battery in the planted world, where all is known beforehand: the best policy, locks that matter, decoys that look alike to it
 * and do not.
 */
export function judgePlanted(seed: number): SanityOfAgent {
  const make = () => makeEnvironment("planted_v0", {});
  const { actionSpaces } = make();
  const policies = actionSpaces.map(() => plantedOptimal());
  const perturbation = uniform(actionSpaces[0]);
  const [states] = collectStates({ make, policies, perturbation, agents: [0], count: 400, seed });
  const truth = branchingTruth({ make, policies, states, rollouts: 8, seed, discount: 0.99 });
  const exact = scoresOf(plantedCriticality(), states).scores;
  const { observations } = states.decisions;
  const D = observations.length / states.count;
  // Wires (2), the dial's key as one of four, the clock.
  const dials = [...exact.keys()].filter((s) => observations.subarray(s * D + 2, s * D + 6).includes(1));
  const locks = dials.filter((s) => exact[s] > 0);
  const decoys = dials.filter((s) => exact[s] === 0);
  const most = (values: number[]) => Math.max(...values.map(Math.abs));
  const among = (explainer: Explainer, of: number[]) => {
    const { scores } = scoresOf(explainer, states);
    const top = locks.length / of.length;
    return auroc(
      of.map((s) => scores[s]),
      of.map((s) => truth.criticality[s]),
      { top },
    );
  };
  const row = (name: string, expected: string, value: number, passed: boolean): SanityRow => ({
    name,
    expected,
    measured: { estimate: value, low: value, high: value },
    passed,
    byChance: 0,
  });
  const error = most([...truth.criticality].map((value, s) => value - exact[s]));
  const atDecoys = most(decoys.map((s) => truth.criticality[s]));
  const known = among(plantedCriticality(), [...exact.keys()]);
  const sure = among(entropy(discrete(4)), dials);
  return {
    agent: "planted world",
    rows: [
      // Luck is common to all branches, and π is a float32.
      row("largest error of the truth", "0, to 6 digits", error, error < 1e-6),
      row("largest truth at a decoy", "0, exactly", atDecoys, atDecoys === 0),
      row("AUROC of the locks, by the exact explanation", "1", known, known === 1),
      row("AUROC of locks among dials, by the policy's entropy", "½: it is as sure at decoys", sure, sure === 0.5),
    ],
  };
}
