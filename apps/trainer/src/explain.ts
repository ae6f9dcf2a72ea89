import {
  addList,
  boxSize,
  candidateWidth,
  checkCount,
  createCandidateStore,
  type Episode,
  episodeReturn,
  MagicMaskError,
  maskWidth,
  play,
  requireChoices,
  slotWidth,
  stream,
} from "@magic-mask/core";
import { branchingTruth, type States } from "@magic-mask/metrics";
import type { LoadedRun } from "./load-run.ts";

/** One decision of one game and what was at stake in it. */
export interface Moment {
  /** Held-out game. */
  readonly game: number;
  readonly tick: number;
  readonly agent: string;
  /** What the mask says: estimated loss of return if this decision had been random, with its standard deviation. */
  readonly estimate: number;
  readonly spread: number;
  /** m in [0, 1] */
  readonly mask: number;
  /** Measured by fresh rollouts after the moment was picked, with the 95 % interval; null where the world cannot be copied. */
  readonly effect: {
    readonly estimate: number;
    readonly low: number;
    readonly high: number;
    readonly rollouts: number;
  } | null;
  /** Per legal action: its label, π(a), and the mean return of playing on from it, null where the effect is. */
  readonly actions: readonly {
    readonly label: string;
    readonly probability: number;
    readonly value: number | null;
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
  const effectSeed = stream(seed, "effect", game).bits();
  const truth =
    spec.snapshotBytes > 0
      ? branchingTruth({ make, policies, states, rollouts, seed: effectSeed, discount })
      : undefined;
  const n = requireChoices("trainer/explain", spec.actionSpaces[agent]);
  const taken = episode.actions[(tick * spec.agents.length + agent) * slotWidth(spec)];
  const legal = Array.from({ length: n }, (_, a) => a).filter((a) => states.decisions.legal[a] === 1);
  const finalReturn = episodeReturn(episode, agent);
  const half = truth ? 1.96 * truth.standardError[0] : 0;
  const moment: Moment = {
    game,
    tick,
    agent: spec.agents[agent],
    estimate: top.estimate,
    spread: top.spread,
    mask: top.mask,
    effect: truth
      ? {
          estimate: truth.criticality[0],
          low: truth.criticality[0] - half,
          high: truth.criticality[0] + half,
          rollouts,
        }
      : null,
    actions: legal.map((a) => ({
      label: top.labels?.[a] ?? String(a),
      probability: Math.exp(states.decisions.policy[a]),
      value: truth?.q[a] ?? null,
      taken: a === taken,
    })),
    picture: top.picture,
    finalReturn,
    outcome: spec.zeroSum ? (["lost", "drew", "won"] as const)[Math.sign(finalReturn) + 1] : null,
  };
  return { moment, episode };
}

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
      const legal = new Uint8Array(maskWidth(spec.actionSpaces[agent]));
      const choices = replay.legal(agent, legal, 0);
      if (choices < 2) continue;
      replay.observe(agent, observations, 0);
      const policy = new Float32Array(legal.length);
      const perturbation = new Float32Array(legal.length);
      const space = spec.actionSpaces[agent];
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
      if (snapshots.length > 0) replay.snapshot(snapshots, 0);
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
  replay.close?.();
  return found;
}
