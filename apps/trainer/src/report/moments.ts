import { join } from "node:path";
import { type ActionSpace, boxSize, stream } from "@magic-mask/core";
import { takeStates } from "@magic-mask/metrics";
import { unpackPictures } from "../../page/pictures.js";
import { type Subjects, truthsOf } from "../compare/plan.ts";
import { type FrozenTeam, isTrained, loadPolicy } from "../compare/policies.ts";
import { hasTruth, loadTruth, type TruthSet } from "../compare/truth.ts";
import type { Action, Alternative, EpisodeExplanation, Range } from "../explanation/explanation.ts";
import { measure } from "../explanation/measure.ts";
import { choicesOf } from "../explanation/replay.ts";
import { keep, read } from "../study/store.ts";
import { createProgress } from "../terminal/progress.ts";
import { addressOf } from "../work/address.ts";

/** A decision on which much depends, with what each action was worth by rollouts that had no part in picking it. Plain data. */
export interface CriticalMoment {
  readonly environment: string;
  /** Whose policy, and who acts. */
  readonly policy: string;
  readonly agent: string;
  /** Ticks since the start of the episode. */
  readonly step: number;
  /** ν */
  readonly perturbation: string;
  readonly effect: Range & { readonly rollouts: number };
  /** The likelier ones of the policy first. */
  readonly alternatives: readonly Alternative[];
  readonly picture: { readonly kind: "svg" | "text"; readonly text: string };
  /** What picked it. */
  readonly picked: string;
}

/** Moments of a world that are shown, and continuations per action of each. */
const SHOWN = 3;
const ROLLOUTS = 64;
/** Actions that are listed. */
const LISTED = 6;
const FORMAT = 1;

/**
 * The decisions with most at stake among those whose truth is known: of the first policy of a world that has all its truths, the states
 * with the highest criticality, measured afresh. Kept in the cache. None where no policy was frozen or nothing is at stake.
 *
 * @throws io, corrupt-file
 */
export async function momentsOf(subjects: Subjects, cache: string): Promise<readonly CriticalMoment[]> {
  for (const [policy, source] of subjects.policies.entries()) {
    const truths = truthsOf(subjects).filter((truth) => truth.policy === policy);
    const known = await Promise.all(truths.map((truth) => hasTruth(truth, cache)));
    if (truths.length === 0 || known.includes(false) || !(await isTrained(source, cache))) continue;
    const folder = join(cache, "moments");
    const about = { format: FORMAT, is: "moments", truths: truths.map(({ address }) => address), SHOWN, ROLLOUTS };
    const kept = (await read(folder, addressOf(about))) as { readonly moments: readonly CriticalMoment[] } | undefined;
    if (kept) return kept.moments;
    const sets = await Promise.all(truths.map((truth) => loadTruth(truth, cache)));
    const moments = measureMoments(subjects, source.label, await loadPolicy(source, cache), sets);
    await keep(folder, addressOf(about), { moments });
    return moments;
  }
  return [];
}

function measureMoments(
  { environment }: Subjects,
  policy: string,
  frozen: FrozenTeam,
  truths: readonly TruthSet[],
): CriticalMoment[] {
  const { world, policies, config } = frozen;
  const all = truths.flatMap(({ states, truth }, agent) =>
    Array.from(truth.criticality, (criticality, row) => ({ agent, row, criticality, episode: states.episodes[row] })),
  );
  const picked: typeof all = [];
  for (const each of all.sort((a, b) => b.criticality - a.criticality)) {
    if (picked.length === SHOWN || each.criticality <= 0) break;
    // Neighbours of one episode are hardly two moments.
    if (!picked.some(({ agent, episode }) => agent === each.agent && episode === each.episode)) picked.push(each);
  }
  const progress = createProgress({ label: `${environment.id}: moments`, total: picked.length, unit: "moments" });
  const seed = stream(config.seed, "moments").bits();
  const game = world.make();
  const moments = picked.map(({ agent, row }, i): CriticalMoment => {
    progress.update(i);
    const { states } = truths[agent];
    const one = takeStates(states, [row]);
    game.restore(one.snapshots, 0, stream(seed, "picture"));
    const choices = choicesOf(game, agent);
    const { effect, alternatives } = measure(
      { world, policies, discount: config.training.discount },
      {
        agent,
        step: states.ticks[row],
        states: one,
        choices,
        taken: likeliest(world.spec.actionSpaces[agent], one.decisions.policy, choices),
        board: "",
      },
      ROLLOUTS,
      stream(seed, "effect", agent, row).bits(),
    );
    return {
      environment: environment.id,
      policy: `policy ${policy}`,
      agent: world.spec.agents[agent],
      step: states.ticks[row],
      perturbation: world.perturbations[agent].name,
      effect,
      alternatives: likelier(alternatives),
      picture: game.svg ? { kind: "svg", text: game.svg() } : { kind: "text", text: game.render() },
      picked: `among the ${all.length} decisions whose truth is known`,
    };
  });
  game.close?.();
  if (picked.length > 0) progress.done(`${environment.id}: ${picked.length} moments measured`);
  return moments.sort((a, b) => b.effect.estimate - a.effect.estimate);
}

/** What was done there is not kept; what the policy does most often is. @param policy as a distribution's parameters */
function likeliest(space: ActionSpace, policy: Float32Array, choices: readonly string[]): Action {
  if (space.kind === "box") return { label: "", action: Array.from(policy.subarray(0, boxSize(space))) };
  const a = policy.indexOf(Math.max(...policy));
  return { label: choices[a], action: [a] };
}

/** Those of explained games that cost most, of those that are significant. */
export function momentsOfGames(games: readonly EpisodeExplanation[]): CriticalMoment[] {
  const all = games.flatMap(({ title, agents, method, pictures, source }) => {
    const picture = unpackPictures(pictures);
    return agents.flatMap(({ name, moments }) =>
      moments
        .filter(({ significant, effect }) => significant && effect.estimate > 0)
        .map(
          ({ step, effect, alternatives }): CriticalMoment => ({
            environment: source.environment.id,
            policy: source.run,
            agent: name,
            step,
            perturbation: method.perturbation,
            effect,
            alternatives: likelier(alternatives),
            picture: { kind: pictures.kind, text: picture(step).text },
            picked: `by ${method.explainer} in ${title}`,
          }),
        ),
    );
  });
  return all.sort((a, b) => b.effect.estimate - a.effect.estimate).slice(0, SHOWN);
}

const likelier = (alternatives: readonly Alternative[]): readonly Alternative[] =>
  [...alternatives].sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0)).slice(0, LISTED);
