import { stackExplainers } from "@magic-mask/comm";
import { type Explainer, stream } from "@magic-mask/core";
import { controlsFor } from "@magic-mask/masking";
import { collectStates, klPerturbation, type MeasuredTruth, type States } from "@magic-mask/metrics";
import { exactTruths } from "./exact-truth.ts";
import { type CriticalRow, criticalOf } from "./figures/critical.ts";
import { CURVE, type DropRow, dropsOf, type StatemaskRow, statemaskOf } from "./figures/drops.ts";
import { actByGate, type Gated } from "./figures/gate.ts";
import { type Influence, influenceOf } from "./figures/influence.ts";
import { mean, sum } from "./figures/means.ts";
import { type OpponentRow, playOpponents } from "./figures/opponents.ts";
import { type Judged, type RankingRow, rank, rankPapers } from "./figures/ranking.ts";
import { rangeOf } from "./figures/return-range.ts";
import { compareSharing, type SharingFigures } from "./figures/sharing.ts";
import type { LoadedRun } from "./load-run.ts";
import { judgePlanted, judgeSanity, type SanityOfAgent } from "./sanity.ts";
import { createProgress } from "./terminal/progress.ts";
import { createBrancher, createWorkerBrancher } from "./truth/brancher.ts";
import { playersOf, type StateSet, truthOf } from "./truth/truth-of.ts";

/** Everything that the table prints; plain data, written as JSON. */
export interface Evaluation {
  /** Which held-out decisions: those that methods may be tuned on, or those to report on. */
  readonly states: StateSet;
  readonly opponents: readonly OpponentRow[];
  readonly kl: {
    /** kl/update, of several policies the largest: mean over the last iterations, and the largest of the run. */
    readonly update: { readonly last: number; readonly largest: number };
    /** [N] */
    readonly perturbation: readonly { readonly agent: string; readonly value: number }[];
  };
  readonly truth: readonly {
    readonly agent: string;
    readonly states: number;
    /** Continuations per legal action: mean, least and most over states. */
    readonly rollouts: { readonly mean: number; readonly least: number; readonly most: number };
    readonly batches: number;
    readonly reliability: number;
    /** Root mean square of the standard errors, game units. */
    readonly standardError: number;
    /** Simulated for it, the pilot's included. */
    readonly decisions: number;
  }[];
  readonly ranking: readonly RankingRow[];
  /** The same against what is at stake under perfect play, in worlds that are solved: of each agent, or of none. */
  readonly exact: readonly {
    readonly agent: string;
    readonly states: number;
    /** Held-out decisions too early in the game to be solved. */
    readonly early: number;
    /** Empty where fewer than two decisions were solved. */
    readonly ranking: readonly RankingRow[];
  }[];
  /** Of each agent's own mask. */
  readonly critical: readonly CriticalRow[];
  readonly drops: readonly DropRow[];
  readonly statemask: readonly StatemaskRow[];
  /** What it costs each agent to act by its mask's gate, in `evaluation.episodes` games. */
  readonly gate: readonly (Gated & { readonly agent: string })[];
  readonly fidelity: SharingFigures;
  readonly influence: Influence;
  readonly bytes: { readonly training: number; readonly postHoc: number; readonly perAgentPer1000Steps: number };
  /** Whether the figures see nonsense for what it is; empty unless asked for. */
  readonly sanity: readonly SanityOfAgent[];
}

export interface EvaluateOptions {
  readonly states?: StateSet;
  /** Worker threads for the truth; 0: none. No effect on the figures. */
  readonly workers?: number;
  /** Folder where truths are kept; none by default. */
  readonly truths?: string;
  /** Reward drops at 1, 2, 5, 10 and 20 % as well. */
  readonly curve?: boolean;
  /** The sanity battery as well. */
  readonly sanity?: boolean;
}

/** Judges a run on held-out games; no seed here is one of training's, and none of the test states one of the development states'. */
export async function evaluate(run: LoadedRun, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { states: set = "test", workers = 0, truths: folder, curve = false, sanity = false } = options;
  const { config, world, team, postHoc } = run;
  const { spec, perturbations } = world;
  const { episodes, states: count, budget, bootstrap: draws } = config.evaluation;
  const root = stream(config.seed, "evaluation", set).bits();
  const seedOf = (...key: (string | number)[]) => stream(root, ...key).bits();
  const policies = team.players.map((k) => team.learners[k].policy);
  const agents = spec.agents.map((_, agent) => agent);
  const progress = createProgress({ label: "evaluate", total: 100, unit: "%" });

  const opponents = playOpponents(run, policies, episodes, seedOf("opponents"), draws);
  progress.update(10);

  const states = agents.flatMap((agent) =>
    collectStates({
      make: world.make,
      policies,
      perturbation: perturbations[agent],
      agents: [agent],
      count,
      seed: seedOf("states"),
    }),
  );
  const backend = run.record.backend?.name;
  const brancher = workers > 0 ? createWorkerBrancher(config, team, backend, workers) : createBrancher(world, policies);
  const truths: MeasuredTruth[] = [];
  try {
    for (const agent of agents) {
      const at = (share: number) => 10 + Math.round((50 * (agent + share)) / agents.length);
      truths.push(
        await truthOf({
          config,
          states: states[agent],
          seed: seedOf("truth", agent),
          brancher,
          cache: folder === undefined ? undefined : { folder, players: playersOf(team, backend) },
          // How many batches there will be is not known before they are done.
          onProgress: (share, batch) => progress.update(at(1 - (1 - share / 2) / (batch + 1)), { batch }),
        }),
      );
    }
  } finally {
    await brancher.close();
  }
  progress.update(60);

  const explainers = agents.map((agent) => explainersOf(run, agent, states[agent]));
  const resample = { draws, seed: seedOf("bootstrap") };
  const rankAll = (agent: number, of: States, truth: Judged) => [
    ...explainers[agent].map((explainer) => rank(spec.agents[agent], explainer, of, truth, resample)),
    rankPapers(run, agent, of, truth),
  ];
  const ranking = agents.flatMap((agent) => rankAll(agent, states[agent], truths[agent]));
  const exact = exactTruths(config, states).map((truth, agent) => ({
    agent: spec.agents[agent],
    states: truth.states.count,
    early: truth.early,
    ranking: truth.states.count < 2 ? [] : rankAll(agent, truth.states, truth),
  }));
  const own = agents.map((agent) => postHoc.explanation.masks[agent].explainer);
  const critical = agents.map((agent) =>
    criticalOf(run, policies, agent, own[agent], states[agent], seedOf("critical", agent)),
  );
  progress.update(70);

  const ranges = agents.map((agent) => rangeOf(world, policies, agent, seedOf("range")));
  const shares = curve ? [...new Set([...CURVE, budget])].sort((a, b) => a - b) : [budget];
  let parts = 0;
  const drops = agents.flatMap((agent) =>
    dropsOf(run, policies, agent, own[agent], ranges[agent], shares, seedOf, () =>
      progress.update(70 + Math.round((20 * ++parts) / (3 * agents.length))),
    ),
  );
  const statemask = agents.map((agent) =>
    statemaskOf(run, policies, agent, own[agent], ranges[agent], seedOf, resample),
  );
  const gate = agents.map((agent) => ({
    agent: spec.agents[agent],
    ...actByGate(world, policies, agent, postHoc.explanation.masks[agent], config.mask.threshold, {
      episodes,
      seed: seedOf("gate", agent),
    }),
  }));
  progress.update(93);

  const fidelity = compareSharing(run, states, truths, resample);
  const { recent = [], largest = Number.NaN } = run.saved?.kl ?? {};
  const training = sum(run.saved?.joint.explanation?.memory.channel.bytes ?? []);
  const checked = sanity
    ? [
        judgePlanted(seedOf("planted")),
        ...agents.map((agent) =>
          judgeSanity(run, own[agent], agent, {
            states: states[agent],
            truth: truths[agent],
            policies,
            range: ranges[agent],
            seedOf,
          }),
        ),
      ]
    : [];
  const simulated = truths.map(({ decisions, pilotDecisions }) => decisions + pilotDecisions);
  progress.done(`evaluated on ${count} held-out decisions per agent, ${sum(simulated)} simulated`);
  return {
    states: set,
    opponents,
    kl: {
      update: { last: mean(recent), largest },
      perturbation: agents.map((agent) => {
        const p = config.posthoc.probability / (spec.turnBased ? 1 : agents.length);
        return {
          agent: spec.agents[agent],
          value: klPerturbation(states[agent].decisions, spec.actionSpaces[agent], p),
        };
      }),
    },
    truth: truths.map(({ rollouts, batches, reliability, standardError }, agent) => ({
      agent: spec.agents[agent],
      states: count,
      rollouts: { mean: sum(rollouts) / count, least: Math.min(...rollouts), most: Math.max(...rollouts) },
      batches,
      reliability,
      standardError: Math.sqrt(sum(standardError.map((error) => error * error)) / count),
      decisions: simulated[agent],
    })),
    ranking,
    exact,
    critical,
    drops,
    statemask,
    gate,
    fidelity,
    influence: influenceOf(run, states),
    bytes: {
      training,
      postHoc: sum(postHoc.explanation.memory.channel.statistics.bytes),
      perAgentPer1000Steps: training === 0 ? 0 : (1000 * training) / run.record.steps / agents.length,
    },
    sanity: checked,
  };
}

/** Explainers of one agent that are compared, the run's own first. */
function explainersOf({ config, world, team, postHoc }: LoadedRun, agent: number, states: States): Explainer[] {
  const { explanation } = postHoc;
  const { policy } = team.learners[team.players[agent]];
  const context = { spec: world.spec, agent, policy, critic: explanation.critics[agent], seed: config.seed };
  const own = explanation.masks[agent].explainer;
  const stacked = stackExplainers({ explainers: [own, explanation.memory.heads[agent]], reference: states.decisions });
  return [
    own,
    { ...stacked, name: `${own.name}+shared` },
    ...controlsFor(world.spec.actionSpaces[agent]).map(({ create }) => create(context)),
  ];
}
