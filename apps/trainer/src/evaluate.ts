import { stackExplainers } from "@magic-mask/comm";
import { type ActionSpace, type Explainer, maskWidth, type Policy, play, stream } from "@magic-mask/core";
import { withRandomOpening } from "@magic-mask/environments";
import { controls } from "@magic-mask/masking";
import {
  auroc,
  bootstrap,
  bootstrapMean,
  branchingTruth,
  collectStates,
  episodeReturns,
  type Interval,
  interAgentFidelity,
  joinTruth,
  klPerturbation,
  type RewardDrop,
  rewardDrop,
  type States,
  spearman,
  type Truth,
  tInterval,
} from "@magic-mask/metrics";
import type { LoadedRun } from "./load-run.ts";
import { greedy, randomPlayer } from "./policies.ts";
import { scriptedPlayer } from "./scripted.ts";
import { createProgress } from "./terminal/progress.ts";

/** How an explainer ranks one agent's held-out decisions against the truth. */
interface RankingRow {
  readonly agent: string;
  readonly explainer: string;
  readonly auroc: Interval;
  readonly spearman: Interval;
}

/** Everything that the table prints; plain data, written as JSON. */
export interface Evaluation {
  readonly opponents: readonly {
    readonly opponent: string;
    readonly play: "sampled" | "greedy";
    readonly metric: "win_rate" | "return";
    readonly value: Interval;
  }[];
  readonly kl: {
    /** kl/update of the first policy: mean over the last iterations, and the largest of the run. */
    readonly update: { readonly last: number; readonly largest: number };
    /** [N] */
    readonly perturbation: readonly { readonly agent: string; readonly value: number }[];
  };
  readonly truth: readonly {
    readonly agent: string;
    readonly states: number;
    readonly rollouts: number;
    readonly reliability: number;
    readonly decisions: number;
  }[];
  readonly ranking: readonly RankingRow[];
  readonly drops: readonly {
    readonly agent: string;
    readonly order: "top" | "random" | "bottom";
    readonly drop: Interval;
    readonly budget: number;
    /** The realised budget is further than half a percentage point from the one asked for: more episodes are needed. */
    readonly missed: boolean;
  }[];
  readonly fidelity: {
    readonly shared: number;
    readonly unshared: number;
    readonly gain: Interval;
    /** Records that agents had from peers in the sharing arm. */
    readonly received: number;
  };
  readonly bytes: { readonly training: number; readonly postHoc: number; readonly perAgentPer1000Steps: number };
}

/** Judges a run on held-out games; no seed here is one of training's. */
export function evaluate(run: LoadedRun): Evaluation {
  const { config, world, team, postHoc } = run;
  const { spec, perturbations } = world;
  const { episodes, states: count, rollouts, budget, dropEpisodes, bootstrap: draws } = config.evaluation;
  const root = stream(config.seed, "evaluation").bits();
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
  const truths = agents.map((agent) =>
    sliced(count, (first, length) => {
      progress.update(10 + Math.round((50 * (agent * count + first)) / (agents.length * count)));
      return branchingTruth({
        make: world.make,
        policies,
        states: states[agent],
        rollouts,
        seed: seedOf("truth", agent),
        discount: config.training.discount,
        first,
        count: length,
      });
    }),
  );
  progress.update(60);

  const explainers = agents.map((agent) => explainersOf(run, agent, states[agent]));
  const resample = { draws, seed: seedOf("bootstrap") };
  const ranking = agents.flatMap((agent) => [
    ...explainers[agent].map((explainer) =>
      rank(spec.agents[agent], explainer, states[agent], truths[agent], resample),
    ),
    rankPapers(run, agent, states[agent], truths[agent]),
  ]);
  progress.update(70);

  const drops = agents.flatMap((agent) =>
    (["top", "random", "bottom"] as const).map((order, i) => {
      progress.update(70 + Math.round((25 * (3 * agent + i)) / (3 * agents.length)));
      const range = spec.returnRange ? undefined : returnGap(run, policies, agent, seedOf("range"));
      const result: RewardDrop = rewardDrop({
        make: world.make,
        policies,
        agent,
        perturbation: perturbations[agent],
        explainer: postHoc.explanation.masks[agent].explainer,
        share: budget,
        order,
        episodes: dropEpisodes,
        calibrationEpisodes: 2 * dropEpisodes,
        seed: seedOf("drop", agent),
        ...(range !== undefined && { range }),
      });
      const missed = Math.abs(result.budget - budget) > BUDGET_TOLERANCE;
      return { agent: spec.agents[agent], order, drop: result.drop, budget: result.budget, missed };
    }),
  );

  const fidelity = compareSharing(run, states, truths, resample);
  const training = sum(run.saved.joint.explanation?.memory.channel.bytes ?? []);
  progress.done(
    `evaluated on ${count} held-out decisions per agent, ${truths.reduce((sum, truth) => sum + truth.decisions, 0)} simulated`,
  );
  return {
    opponents,
    kl: {
      update: { last: mean(run.saved.kl.recent), largest: run.saved.kl.largest },
      perturbation: agents.map((agent) => {
        const p = config.posthoc.probability / (spec.turnBased ? 1 : agents.length);
        return {
          agent: spec.agents[agent],
          value: klPerturbation(states[agent].decisions, spec.actionSpaces[agent], p),
        };
      }),
    },
    truth: truths.map((truth, agent) => ({
      agent: spec.agents[agent],
      states: count,
      rollouts,
      reliability: truth.reliability,
      decisions: truth.decisions,
    })),
    ranking,
    drops,
    fidelity,
    bytes: {
      training,
      postHoc: sum(postHoc.explanation.memory.channel.statistics.bytes),
      perAgentPer1000Steps: (1000 * training) / run.record.steps / agents.length,
    },
  };
}

/** Explainers of one agent that are compared, the run's own first. */
function explainersOf({ config, world, postHoc }: LoadedRun, agent: number, states: States): Explainer[] {
  const { explanation } = postHoc;
  const space = world.spec.actionSpaces[agent];
  const own = explanation.masks[agent].explainer;
  const stacked = stackExplainers({ explainers: [own, explanation.memory.heads[agent]], reference: states.decisions });
  return [
    own,
    { ...stacked, name: `${own.name}+shared` },
    ...Object.values(controlsOf(space)).map((control) => control({ actions: maskWidth(space), seed: config.seed })),
  ];
}

/** The others are sums over probabilities, of which a density has none. */
const controlsOf = (space: ActionSpace) => (space.kind === "box" ? { random: controls.random } : controls);

type Resample = { readonly draws: number; readonly seed: number };

function scoresOf(explainer: Explainer, { decisions, count }: States): Float32Array {
  const scores = new Float32Array(count);
  explainer.score(decisions, scores, new Float32Array(count));
  return scores;
}

/** Rank agreement with intervals over episodes: states of one game are resampled together. */
function rank(
  agent: string,
  explainer: Explainer,
  states: States,
  { criticality }: Truth,
  { draws, seed }: Resample,
): RankingRow {
  const scores = scoresOf(explainer, states);
  const over = (statistic: (a: ArrayLike<number>, b: ArrayLike<number>) => number) =>
    bootstrap({
      count: states.count,
      clusters: states.episodes,
      draws,
      seed,
      statistic: (indices) =>
        statistic(
          Float64Array.from(indices, (i) => scores[i]),
          Float64Array.from(indices, (i) => criticality[i]),
        ),
    });
  return { agent, explainer: explainer.name, auroc: over((a, b) => auroc(a, b)), spearman: over(spearman) };
}

/** The published loss: mean and t-interval over initialisations, as one alone may rank well by luck. */
function rankPapers({ postHoc, world }: LoadedRun, agent: number, states: States, { criticality }: Truth): RankingRow {
  const scores = postHoc.papers.map((masks) => scoresOf(masks[agent].explainer, states));
  // Unknown where nothing is critical, as for a policy that no single action can bring down.
  const over = (values: number[]) => (values.some(Number.isNaN) ? UNKNOWN : tInterval(values));
  return {
    agent: world.spec.agents[agent],
    explainer: "paper",
    auroc: over(scores.map((each) => auroc(each, criticality))),
    spearman: over(scores.map((each) => spearman(each, criticality))),
  };
}

/** The team against random and scripted players, in every seat in turn, as it samples and greedily. */
function playOpponents(
  { config, world }: LoadedRun,
  policies: readonly Policy[],
  episodes: number,
  seed: number,
  draws: number,
): Evaluation["opponents"] {
  const { spec, make } = world;
  const scripted = scriptedPlayer(config);
  const others = [
    { name: spec.agents.length > 1 ? "random" : "nobody", policies: spec.actionSpaces.map(randomPlayer) },
    ...(scripted ? [scripted] : []),
  ];
  return others.flatMap(({ name, policies: opposing }) =>
    (["sampled", "greedy"] as const).map((style) => {
      const own =
        style === "sampled" ? policies : policies.map((policy, agent) => greedy(policy, spec.actionSpaces[agent]));
      // Two random plies, or greedy players of a game without chance would play one game over and over.
      const variant = style === "greedy" && spec.turnBased ? withRandomOpening(make, 2) : make;
      const points = spec.agents.flatMap((_, seat) => {
        const seated = opposing.map((policy, agent) => (agent === seat ? own[seat] : policy));
        const played = play({
          make: variant,
          policies: seated,
          episodes,
          seed: stream(seed, name, style, seat).bits(),
        });
        const returns = Array.from(episodeReturns(played, seat));
        return spec.zeroSum ? returns.map((value) => (Math.sign(value) + 1) / 2) : returns;
      });
      const metric = spec.zeroSum ? ("win_rate" as const) : ("return" as const);
      return { opponent: name, play: style, metric, value: bootstrapMean(points, { seed, draws }) };
    }),
  );
}

/** Inter-agent fidelity of the record heads, with what peers sent and without: same rollouts, steps and seeds. */
function compareSharing(
  { world, postHoc }: LoadedRun,
  states: readonly States[],
  truths: readonly Truth[],
  { draws, seed }: Resample,
): Evaluation["fidelity"] {
  const { roles } = world.spec;
  const arms = [postHoc.explanation.memory, postHoc.unshared].map(({ heads }) =>
    heads.map((head, i) => states.map((of, j) => (i === j ? null : scoresOf(head, of)))),
  );
  // One list of all agents' states; games are resampled, with the states of all agents in them.
  const owners = states.flatMap(({ count }, j) => new Array<number>(count).fill(j));
  const places = states.flatMap(({ count }) => Array.from({ length: count }, (_, s) => s));
  const games = states.flatMap(({ episodes }) => Array.from(episodes));
  const fidelityOf = (scores: (typeof arms)[number], indices: Iterable<number>) => {
    const picked: number[][] = states.map(() => []);
    for (const index of indices) picked[owners[index]].push(places[index]);
    const pick = (values: ArrayLike<number>, j: number) => Float64Array.from(picked[j], (s) => values[s]);
    return interAgentFidelity({
      scores: scores.map((row) => row.map((each, j) => each && pick(each, j))),
      truths: truths.map(({ criticality }, j) => pick(criticality, j)),
      roles,
    }).mean;
  };
  const statistic = (indices: Iterable<number>) => fidelityOf(arms[0], indices) - fidelityOf(arms[1], indices);
  return {
    shared: fidelityOf(arms[0], owners.keys()),
    unshared: fidelityOf(arms[1], owners.keys()),
    gain: bootstrap({ count: owners.length, clusters: games, draws, seed, statistic }),
    received: sum(postHoc.explanation.memory.sharing.counters.received),
  };
}

/** What an agent's policy earns above random play in its seat: the scale of drops in worlds that declare no range. */
function returnGap({ world }: LoadedRun, policies: readonly Policy[], agent: number, seed: number): number {
  const { make, spec } = world;
  const returnOf = (seated: readonly Policy[]) =>
    mean(Array.from(episodeReturns(play({ make, policies: seated, episodes: 200, seed }), agent)));
  return returnOf(policies) - returnOf(policies.with(agent, randomPlayer(spec.actionSpaces[agent])));
}

/** Truth a slice at a time, so that progress can be shown; the same figures as in one go. */
function sliced(count: number, truthOf: (first: number, length: number) => Truth): Truth {
  const parts: Truth[] = [];
  for (let first = 0; first < count; first += SLICE) parts.push(truthOf(first, Math.min(SLICE, count - first)));
  return joinTruth(parts);
}

const UNKNOWN: Interval = { estimate: Number.NaN, low: Number.NaN, high: Number.NaN };
/** How far a realised budget may be from the one asked for. */
const BUDGET_TOLERANCE = 0.005;
/** States per slice. */
const SLICE = 50;

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
