import { checkCount, type Episode, episodeReturn, MagicMaskError, play, stream } from "@magic-mask/core";
import { random } from "@magic-mask/masking";
import { benjaminiHochberg, tInterval } from "@magic-mask/metrics";
import { rangeOf as returnRangeOf } from "../figures/return-range.ts";
import { both } from "../figures/scores.ts";
import { createProgress } from "../terminal/progress.ts";
import { lookAhead } from "./ahead.ts";
import { ESTIMATORS, type Estimator } from "./estimators.ts";
import type { AgentExplanation, Decision, EpisodeExplanation, Moment, Range } from "./explanation.ts";
import { figure, figureOrNull } from "./figure.ts";
import { branchesAt, LEVEL, type Measured, measure, SIGNIFICANCE } from "./measure.ts";
import { packPictures } from "./pictures.ts";
import { type Met, type Replayed, replay } from "./replay.ts";
import type { Subject } from "./subject.ts";

export interface ExplainOptions {
  /** Which held-out game, 0, 1, … */
  readonly game: number;
  /** How many decisions of each agent are measured: those with the highest estimates, and as many at random. ≥ 1 */
  readonly moments: number;
  /** Continuations per legal action, ≥ 2. */
  readonly rollouts: number;
  /** Whose estimates are gone by: both by default, the mask where the world cannot be copied. */
  readonly by?: Estimator | undefined;
  /** The one agent whose decisions are measured; all by default. */
  readonly agent?: string | undefined;
  /** What made this, for the footer. */
  readonly command: string;
}

const nameOf = (by: Estimator, mask: string) => ({ both: `${mask}+lookahead`, lookahead: by, mask })[by];

/** A decision with what the explainers say of it. */
interface Scored extends Met {
  readonly decision: Decision;
  /** By the control that knows nothing. */
  readonly lot: number;
}

/**
 * Explains one held-out game: per agent the decisions that a look ahead, or the mask, ranks highest, and what each was worth by
 * rollouts that had no part in picking it. Where the world cannot be copied nothing is measured.
 *
 * @throws invalid-option, also if nobody had a choice in that game; unknown-name; unsupported for actions that cannot be branched on,
 *   and for looking ahead in a world that cannot be copied
 */
export function explainEpisode(
  subject: Subject,
  options: ExplainOptions,
): { readonly explanation: EpisodeExplanation; readonly episode: Episode } {
  const { game, moments, rollouts, agent: only, command } = options;
  const { world, policies, discount, source } = subject;
  const { make, spec } = world;
  checkCount("trainer/explain", "game", game, 0);
  checkCount("trainer/explain", "moments", moments);
  checkCount("trainer/explain", "rollouts", rollouts, 2);
  if (only !== undefined && !spec.agents.includes(only)) {
    const message = `${spec.id} has no agent ${JSON.stringify(only)}; it has ${spec.agents.join(", ")}`;
    throw new MagicMaskError("unknown-name", "trainer/explain", message);
  }
  const measurable = spec.snapshotBytes > 0;
  const by = options.by ?? (measurable ? "both" : "mask");
  if (!ESTIMATORS.includes(by)) {
    const message = `by must be one of ${ESTIMATORS.join(", ")}, got ${JSON.stringify(by)}`;
    throw new MagicMaskError("unknown-name", "trainer/explain", message);
  }
  if (by !== "mask" && !measurable) {
    const message = `${spec.id} cannot be copied, so there is no looking ahead in it; go by the mask`;
    throw new MagicMaskError("unsupported", "trainer/explain", message);
  }
  const seed = stream(source.seed, "explain").bits();
  const episode = play({ make, policies, episodes: game + 1, seed })[game];
  const replayed = replay(subject, episode);
  if (replayed.met.length === 0) {
    throw new MagicMaskError(
      "invalid-option",
      "trainer/explain",
      `nobody had a choice in game ${game}; pick another game`,
    );
  }

  const { scored, looked } = scoreAll(
    subject,
    replayed,
    stream(seed, "baseline", game).bits(),
    by,
    stream(seed, "look", game).bits(),
  );
  const lists = spec.agents.map((name, agent) => {
    const own = scored.filter((each) => each.agent === agent);
    const first = (by: (each: Scored) => number) =>
      measurable && (only === undefined || only === name)
        ? [...own].sort((a, b) => by(b) - by(a)).slice(0, moments)
        : [];
    return { own, top: first(({ decision }) => decision.estimate), lots: first(({ lot }) => lot) };
  });
  const picked = new Set(lists.flatMap(({ top, lots }) => [...top, ...lots]));
  const measured = measureAll(subject, [...picked], rollouts, stream(seed, "effects", game).bits());

  const ranked = lists.flatMap(({ top }) => top);
  const corrected = benjaminiHochberg(ranked.map((each) => (measured.get(each) as Measured).effect.p));
  const adjusted = new Map(ranked.map((each, i) => [each, figure(corrected[i])]));
  const scale = scaleOf(subject);
  const agents = lists.map(({ own, top, lots }, agent): AgentExplanation => {
    const range = scale.rangeOf(agent);
    const momentsOf = (list: readonly Scored[], claims: boolean) =>
      list.map((each, i) =>
        momentOf(each, i + 1, measured.get(each) as Measured, claims ? (adjusted.get(each) as number) : null, range),
      );
    const finalReturn = episodeReturn(episode, agent);
    const drawn = momentsOf(lots, false);
    const space = spec.actionSpaces[agent];
    return {
      name: spec.agents[agent],
      return: figure(finalReturn),
      outcome: spec.zeroSum ? (["lost", "drew", "won"] as const)[Math.sign(finalReturn) + 1] : null,
      choices: space.kind === "discrete" ? (space.labels ?? Array.from({ length: space.n }, (_, a) => `${a}`)) : null,
      range: range === null ? null : figure(range),
      decisions: own.map(({ decision }) => decision),
      moments: momentsOf(top, true),
      baseline: { moments: drawn, effect: meanEffect(drawn) },
    };
  });
  const explanation: EpisodeExplanation = {
    format: "magic-mask/episode",
    version: 2,
    title: `${spec.id}, held-out game ${game}`,
    source: { ...source, command, episodeSeed: episode.seed },
    game,
    steps: episode.ticks,
    method: {
      explainer: nameOf(by, subject.masks[0].explainer.name),
      perturbation: world.perturbations[0].name,
      discount,
      rollouts,
      level: LEVEL,
      significance: SIGNIFICANCE,
      looked,
      simulated: [...measured.values()].reduce((sum, { simulated }) => sum + simulated, 0),
      measurable,
    },
    scale: scale.kind,
    agents,
    pictures: packPictures(replayed.kind, replayed.drawn, new Set([...picked].map(({ step }) => step))),
  };
  return { explanation, episode };
}

/** @param by whose estimates @param seed, lookSeed of the control that knows nothing, and of looking ahead */
function scoreAll(subject: Subject, { met }: Replayed, seed: number, by: Estimator, lookSeed: number) {
  const { world, masks, critics } = subject;
  const control = random({ seed });
  const lot = new Float32Array(1);
  const [estimate, spread, mask, value] = [0, 1, 2, 3].map(() => new Float32Array(1));
  const looks = world.spec.agents.map((_, agent) => {
    const own = met.filter((each) => each.agent === agent);
    if (by === "mask" || own.length === 0) return undefined;
    const { told: ahead, ticks } = lookAhead(subject, own, stream(lookSeed, agent).bits());
    if (by === "lookahead") return { own, ahead, ticks };
    const said = { scores: new Float32Array(own.length), spread: new Float32Array(own.length) };
    own.forEach(({ states }, at) => {
      masks[agent].explainer.score(
        states.decisions,
        said.scores.subarray(at, at + 1),
        said.spread.subarray(at, at + 1),
      );
    });
    return { own, ahead: both(ahead, said), ticks };
  });
  const scored = met.map((each): Scored => {
    const { agent, states, step, taken, choices } = each;
    const { decisions } = states;
    const look = looks[agent];
    if (look) {
      const at = look.own.indexOf(each);
      [estimate[0], spread[0]] = [look.ahead.scores[at], look.ahead.spread[at]];
    } else masks[agent].explainer.score(decisions, estimate, spread);
    masks[agent].mask(decisions, mask);
    critics[agent].values(decisions.observations, 1, value);
    control.score(decisions, lot, new Float32Array(1));
    const decision: Decision = {
      step,
      estimate: figure(estimate[0]),
      spread: figureOrNull(spread[0]),
      mask: figure(mask[0]),
      value: figure(value[0]),
      taken,
      ...(world.spec.actionSpaces[agent].kind === "candidates" && { choices }),
      probabilities: choices.map((_, a) => (decisions.legal[a] ? figure(Math.exp(decisions.policy[a])) : null)),
    };
    return { ...each, decision, lot: lot[0] };
  });
  return { scored, looked: looks.reduce((sum, look) => sum + (look?.ticks ?? 0), 0) };
}

function measureAll(subject: Subject, picked: readonly Scored[], rollouts: number, seed: number) {
  const branches = picked.map((each) => branchesAt(each, subject.world.spec.actionSpaces[each.agent]));
  const total = rollouts * branches.reduce((sum, count) => sum + count, 0);
  const progress = createProgress({ label: "explain", total, unit: "rollouts" });
  const measured = new Map<Scored, Measured>();
  let done = 0;
  picked.forEach((each, i) => {
    progress.update(done);
    measured.set(each, measure(subject, each, rollouts, seed));
    done += rollouts * branches[i];
  });
  progress.done(`explained: ${picked.length} decisions measured by ${total} rollouts`);
  return measured;
}

/** What effects are held against: the chance to win where returns are wins and losses, else the return's range. */
function scaleOf({ world, policies, source }: Subject): {
  readonly kind: EpisodeExplanation["scale"];
  readonly rangeOf: (agent: number) => number | null;
} {
  const { spec } = world;
  const { returnRange, zeroSum } = spec;
  if (returnRange) {
    const [low, high] = returnRange;
    const kind = zeroSum && low === -1 && high === 1 ? "win chance" : "return range";
    return { kind, rangeOf: () => high - low };
  }
  const kind = "gap to random play";
  if (spec.snapshotBytes === 0) return { kind, rangeOf: () => null };
  const seed = stream(source.seed, "explain", "range").bits();
  const gaps = policies.map((_, agent) => returnRangeOf(world, policies, agent, seed) ?? 0);
  return { kind, rangeOf: (agent) => (gaps[agent] > 0 ? gaps[agent] : null) };
}

function momentOf(
  { step, decision, board }: Scored,
  rank: number,
  { effect, alternatives }: Measured,
  adjusted: number | null,
  range: number | null,
): Moment {
  const { estimate, spread, mask } = decision;
  const significant = adjusted !== null && adjusted <= SIGNIFICANCE;
  const share = range === null ? null : figure(effect.estimate / range);
  const size = significant && share !== null ? sizeOf(share) : 0;
  return {
    rank,
    step,
    estimate,
    spread,
    mask,
    effect: { ...effect, adjusted },
    significant,
    share,
    size,
    alternatives,
    board,
  };
}

const sizeOf = (share: number) => (share >= 0.3 ? 3 : share >= 0.2 ? 2 : share >= 0.1 ? 1 : 0);

function meanEffect(moments: readonly Moment[]): Range | null {
  if (moments.length < 2) return null;
  const { estimate, low, high } = tInterval(moments.map(({ effect }) => effect.estimate));
  return { estimate: figure(estimate), low: figure(low), high: figure(high) };
}
