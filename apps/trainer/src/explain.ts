import {
  actionWidth,
  addList,
  type Box,
  boxSize,
  candidateWidth,
  checkCount,
  clip,
  createCandidateStore,
  DRAWS,
  distributionOf,
  drawActions,
  type Episode,
  episodeReturn,
  hasChoice,
  MagicMaskError,
  maskWidth,
  play,
  slotWidth,
  standardDraws,
  stream,
} from "@magic-mask/core";
import { branchingTruth, type States, type Truth } from "@magic-mask/metrics";
import type { LoadedRun } from "./load-run.ts";

/** One decision of one game and what was at stake in it. */
export interface Moment {
  /** Held-out game. */
  readonly game: number;
  readonly tick: number;
  readonly agent: string;
  /** Name of ν, what the policy is compared with. */
  readonly perturbation: string;
  /** What the mask says: estimated loss of return if ν had taken this decision, with its standard deviation. */
  readonly estimate: number;
  readonly spread: number;
  /** m in [0, 1] */
  readonly mask: number;
  /** Measured by fresh rollouts after the moment was picked, with the 95 % interval. */
  readonly effect: {
    readonly estimate: number;
    readonly low: number;
    readonly high: number;
    readonly rollouts: number;
  };
  /** Per legal action: its label, π(a), and the mean return of playing on from it. Where actions are continuous, some that were drawn, with their densities. */
  readonly actions: readonly {
    readonly label: string;
    readonly probability: number;
    readonly value: number;
    readonly taken: boolean;
  }[];
  /** The world before the decision, drawn. */
  readonly picture: string;
  /** The agent's return of the whole game. */
  readonly finalReturn: number;
  /** What that means where there are winners; null elsewhere. */
  readonly outcome: "won" | "drew" | "lost" | null;
}

export interface ExplainOptions {
  /** Which held-out game, 0, 1, … */
  readonly game: number;
  /** Continuations per legal action for the effect. */
  readonly rollouts: number;
}

/**
 * The most critical decision of one held-out game by the masks. Its effect is measured by rollouts that had no part in picking it.
 *
 * @throws invalid-option if nobody had a choice in that game
 */
export function explainGame(
  run: LoadedRun,
  { game, rollouts }: ExplainOptions,
): { readonly moment: Moment; readonly episode: Episode } {
  const { config, world, team, postHoc } = run;
  const { make, spec } = world;
  checkCount("trainer/explain", "game", game, 0);
  checkCount("trainer/explain", "rollouts", rollouts, 2);
  const seed = stream(config.seed, "explain").bits();
  const policies = team.players.map((k) => team.learners[k].policy);
  const episode = play({ make, policies, episodes: game + 1, seed })[game];
  const scored = decisionsOf(run, episode).map((decision) => {
    const [estimate, spread, mask] = [new Float32Array(1), new Float32Array(1), new Float32Array(1)];
    const learned = postHoc.explanation.masks[decision.agent];
    learned.explainer.score(decision.states.decisions, estimate, spread);
    learned.mask(decision.states.decisions, mask);
    return { ...decision, estimate: estimate[0], spread: spread[0], mask: mask[0] };
  });
  if (scored.length === 0) {
    throw new MagicMaskError(
      "invalid-option",
      "trainer/explain",
      `nobody had a choice in game ${game}; pick another game`,
    );
  }
  const top = scored.reduce((best, each) => (each.estimate > best.estimate ? each : best));

  const { agent, tick, states } = top;
  const { discount } = config.training;
  const truth = branchingTruth({
    make,
    policies,
    states,
    rollouts,
    seed: stream(seed, "effect", game).bits(),
    discount,
  });
  const space = spec.actionSpaces[agent];
  const slot = (tick * spec.agents.length + agent) * slotWidth(spec);
  const taken = episode.actions.subarray(slot, slot + actionWidth(space));
  const finalReturn = episodeReturn(episode, agent);
  const half = 1.96 * truth.standardError[0];
  const moment: Moment = {
    game,
    tick,
    agent: spec.agents[agent],
    perturbation: world.perturbations[agent].name,
    estimate: top.estimate,
    spread: top.spread,
    mask: top.mask,
    effect: {
      estimate: truth.criticality[0],
      low: truth.criticality[0] - half,
      high: truth.criticality[0] + half,
      rollouts,
    },
    actions:
      space.kind === "box"
        ? drawnAlternatives(states, space, taken, (of) =>
            branchingTruth({
              make,
              policies,
              states: of,
              rollouts,
              seed: stream(seed, "drawn", game).bits(),
              discount,
            }),
          )
        : legalAlternatives(states, truth, taken[0], top.labels),
    picture: top.picture,
    finalReturn,
    outcome: spec.zeroSum ? (["lost", "drew", "won"] as const)[Math.sign(finalReturn) + 1] : null,
  };
  return { moment, episode };
}

/** All legal choices. */
function legalAlternatives(
  { decisions }: States,
  { q }: Truth,
  taken: number,
  labels: readonly string[] | undefined,
): Moment["actions"] {
  const legal = Array.from(q.keys()).filter((a) => decisions.legal[a] === 1);
  return legal.map((a) => ({
    label: labels?.[a] ?? String(a),
    probability: Math.exp(decisions.policy[a]),
    value: q[a],
    taken: a === taken,
  }));
}

/** What was done, and what else the policy and the perturbation might have drawn, the lowest first entry first. */
function drawnAlternatives(
  { decisions, snapshots, ticks, episodes }: States,
  space: Box,
  taken: Float32Array,
  truthOf: (states: States) => Truth,
): Moment["actions"] {
  const distribution = distributionOf(space);
  const k = taken.length;
  const drawn = new Float32Array(DRAWS * k);
  const z = standardDraws(k, stream(0, "alternatives"));
  const alternatives = [decisions.policy, decisions.perturbation].flatMap((rows) => {
    drawActions(z, rows, 0, drawn, 0);
    return Array.from({ length: ALTERNATIVES }, (_, i) => drawn.slice(i * k, (i + 1) * k));
  });
  for (const action of alternatives) clip(space, action, 0);
  const all = [taken, ...alternatives].sort((a, b) => a[0] - b[0]);
  const times = <T extends Float32Array | Uint8Array | Int32Array>(column: T): T => {
    const out = new (column.constructor as new (length: number) => T)(column.length * all.length);
    for (let i = 0; i < all.length; i++) out.set(column, i * column.length);
    return out;
  };
  // ν without deviation is one action: its branch of the truth is the value of that.
  const point = Float32Array.from(all.flatMap((action) => [...action, ...Array(k).fill(Number.NEGATIVE_INFINITY)]));
  const { q } = truthOf({
    count: all.length,
    decisions: {
      ...decisions,
      count: all.length,
      observations: times(decisions.observations),
      policy: times(decisions.policy),
      perturbation: point,
    },
    snapshots: times(snapshots),
    episodes: times(episodes),
    ticks: times(ticks),
  });
  return all.map((action, i) => ({
    label: Array.from(action, (x) => x.toFixed(2)).join(", "),
    probability: Math.exp(distribution.at(decisions.policy, 0).logProb(action, 0)),
    value: q[2 * i + 1],
    taken: action === taken,
  }));
}

/** Continuous actions that are shown of the policy and of the perturbation, each. */
const ALTERNATIVES = 4;

/** Every decision of an episode, as a set of one state each. */
function decisionsOf({ world, team }: LoadedRun, episode: Episode) {
  const { spec, make, perturbations } = world;
  const N = spec.agents.length;
  const replay = make();
  const width = N * slotWidth(spec);
  const found: {
    readonly agent: number;
    readonly tick: number;
    readonly picture: string;
    readonly labels: readonly string[] | undefined;
    readonly states: States;
  }[] = [];
  replay.reset(episode.seed);
  for (let tick = 0; tick < episode.ticks; tick++) {
    for (let agent = 0; agent < N; agent++) {
      if (!replay.acting[agent]) continue;
      const observations = new Float32Array(boxSize(spec.observationSpaces[agent]));
      const space = spec.actionSpaces[agent];
      const legal = new Uint8Array(maskWidth(space));
      const choices = replay.legal(agent, legal, 0);
      if (!hasChoice(space, choices)) continue;
      replay.observe(agent, observations, 0);
      const policy = new Float32Array(distributionOf(space).width);
      const perturbation = new Float32Array(policy.length);
      const labels = space.kind === "discrete" ? space.labels : replay.candidateLabels?.(agent);
      const width = candidateWidth(space);
      const candidates = width > 0 ? createCandidateStore(width, 1) : undefined;
      if (candidates) {
        const offset = addList(candidates, 0, choices);
        replay.candidates?.(agent, candidates.features, offset);
      }
      const batch = { count: 1, observations, legal, ...(candidates && { candidates }) };
      team.learners[team.players[agent]].policy.evaluate(batch, policy, new Float32Array(1));
      perturbations[agent].evaluate(batch, policy, perturbation);
      const snapshots = new Uint8Array(spec.snapshotBytes);
      replay.snapshot(snapshots, 0);
      const states: States = {
        count: 1,
        decisions: { ...batch, agent, policy, perturbation },
        snapshots,
        episodes: Int32Array.of(0),
        ticks: Int32Array.of(tick),
      };
      found.push({ agent, tick, picture: replay.render(), labels, states });
    }
    replay.step(episode.actions.subarray(tick * width, (tick + 1) * width));
  }
  return found;
}
