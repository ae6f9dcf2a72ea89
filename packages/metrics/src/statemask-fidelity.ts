import {
  checkCount,
  distributionOf,
  type Environment,
  type Episode,
  type Explainer,
  hasChoice,
  MagicMaskError,
  type MakeEnvironment,
  maskWidth,
  type Perturbation,
  type Policy,
  play,
  stream,
} from "@magic-mask/core";
import { bootstrap } from "./bootstrap.ts";
import { checkShare } from "./checks.ts";
import { playContinuations } from "./continuations.ts";
import type { Interval } from "./interval.ts";
import { ascending } from "./ranks.ts";
import { returnRangeOf } from "./return-range.ts";
import { askPolicies, emptyStates, recordState, replay, type States } from "./states.ts";

export interface StatemaskFidelityOptions {
  readonly make: MakeEnvironment;
  /** [N] who plays which agent. */
  readonly policies: readonly Policy[];
  /** The one agent that is explained and blinded. */
  readonly agent: number;
  /** ν */
  readonly perturbation: Perturbation;
  readonly explainer: Explainer;
  /** Episodes to be replayed, ≥ 1. */
  readonly episodes: number;
  /** Replays of each with each window, ≥ 1. */
  readonly replays?: number;
  /** Share of an episode's decisions, in (0, 1), that the window is sought in. */
  readonly share?: number;
  /** Root of all chance. */
  readonly seed: number;
  /** As in `rewardDrop`. */
  readonly range?: number;
  /** Bootstrap draws per interval, ≥ 100. */
  readonly draws?: number;
  /** Copies of the world played side by side, ≥ 1. No effect on the result. */
  readonly copies?: number;
}

/** What replays with one kind of window came to. */
export interface WindowScore {
  /** ln(mean p_l) − ln(mean p_d); Infinity where no return changed. **Lower is better.** */
  readonly score: Interval;
  /** Mean p_d. */
  readonly change: Interval;
}

/** Intervals are 95 %, bootstrapped over episodes. */
export interface StatemaskFidelity {
  /** Mean p_l, in (0, 1]. */
  readonly length: number;
  /** The explainer's windows blinded. */
  readonly window: WindowScore;
  /** Windows of the same lengths at places drawn at random: what an explainer that knows nothing gets. */
  readonly random: WindowScore;
  /** The explainer's windows played again with nothing blinded: what chance alone does to the return. */
  readonly floor: WindowScore;
  /** Mean p_d of the explainer's windows less that of the random ones: positive = they change more. */
  readonly gain: Interval;
}

const SOURCE = "metrics/statemask-fidelity";

/**
 * StateMask's fidelity score (Cheng et al. 2023, after Guo et al. 2021, "EDGE"), for comparison:
 *
 *   score = ln(mean p_l) − ln(mean p_d),   means over episodes
 *
 * The window of an episode is the longest run of consecutive decisions (of the agent; forced moves are none) within the
 * share of them that scores highest; of equally long ones that of the higher total, then the earlier. p_l = decisions in
 * the window / decisions in the episode; p_d = |return with the window blinded − return| / return range, the episode being
 * played again from the window on with chance drawn afresh. Sign: lower is better, a short window that changes much.
 *
 * Unlike the public code (nuwuxian/RL-state_mask), whose window is off by one: its `random_replacement_steps` is last −
 * first (Cartpole/fidelity_score.py, for one), so that a run of one step has length 0; here it is last − first + 1. It also
 * replays each episode once and has nothing to hold the score against: replaying without any blinding changes the return
 * as well, and often as much.
 *
 * @throws invalid-option; unsupported if the world has no snapshots
 */
export function statemaskFidelity(options: StatemaskFidelityOptions): StatemaskFidelity {
  const { make, policies, agent, perturbation, explainer, episodes, replays = 4, share = 0.1, seed } = options;
  const { draws = 1000, copies } = options;
  checkCount(SOURCE, "replays", replays);
  checkShare(SOURCE, "share", share);
  const range = returnRangeOf(SOURCE, make, options.range);
  const world = make();
  if (world.snapshotBytes === 0) {
    throw new MagicMaskError("unsupported", SOURCE, `needs a world with snapshots; ${world.id} has none`);
  }
  const side = copies !== undefined ? { copies } : {};
  const places = stream(seed, "window");
  const windows = play({ make, policies, episodes, seed: stream(seed, "episodes").bits(), ...side }).flatMap(
    (episode) => {
      const { states, before, total } = decisionsOf(world, episode, agent);
      if (states.count === 0) return [];
      askPolicies(states, policies[agent], perturbation);
      const scores = new Float32Array(states.count);
      explainer.score(states.decisions, scores, new Float32Array(states.count));
      const { first, length } = longestRun(scores, share);
      const at = (row: number) => ({
        snapshot: states.snapshots.slice(row * world.snapshotBytes, (row + 1) * world.snapshotBytes),
        before: before[row],
      });
      const elsewhere = places.below(states.count - length + 1);
      return [{ length, share: length / states.count, total, chosen: at(first), elsewhere: at(elsewhere) }];
    },
  );
  world.close?.();
  if (windows.length === 0) {
    throw new MagicMaskError("invalid-option", SOURCE, "the agent made no decision; raise the number of episodes");
  }

  const distribution = distributionOf(world.actionSpaces[agent]);
  let withheld = new Float32Array(0);
  /** [E] p_d of replays from these places on. */
  const changes = (place: "chosen" | "elsewhere", blinded: (window: number) => number) => {
    const snapshots = new Uint8Array(windows.length * world.snapshotBytes);
    windows.forEach((window, e) => {
      snapshots.set(window[place].snapshot, e * world.snapshotBytes);
    });
    const windowOf = (job: number) => Math.floor(job / replays);
    const { returns } = playContinuations({
      make,
      policies,
      agent,
      snapshots,
      states: windows.length,
      jobs: windows.length * replays,
      seed: stream(seed, "replay").bits(),
      discount: 1,
      horizon: Number.POSITIVE_INFINITY,
      ...side,
      stateOf: windowOf,
      rolloutOf: (job) => job % replays,
      prepare(group) {
        if (withheld.length < group.parameters.length) withheld = new Float32Array(group.parameters.length);
        perturbation.evaluate(group, group.parameters, withheld);
      },
      act(job, made, _, row, random, actions, slot) {
        if (made >= blinded(windowOf(job))) return false;
        distribution.at(withheld, row * distribution.width).sample(random, actions, slot);
        return true;
      },
    });
    return Float64Array.from(windows, ({ total, [place]: { before } }, e) => {
      let sum = 0;
      for (let r = 0; r < replays; r++) sum += Math.abs(before + returns[e * replays + r] - total);
      return sum / replays / range;
    });
  };
  const whole = (e: number) => windows[e].length;
  const chosen = changes("chosen", whole);
  const elsewhere = changes("elsewhere", whole);
  const unblinded = changes("chosen", () => 0);

  const over = (values: ArrayLike<number>, of: (length: number, mean: number) => number) =>
    bootstrap({
      count: windows.length,
      draws,
      seed,
      statistic(indices) {
        let [length, sum] = [0, 0];
        for (let k = 0; k < indices.length; k++) {
          length += windows[indices[k]].share;
          sum += values[indices[k]];
        }
        return of(length / indices.length, sum / indices.length);
      },
    });
  const scoreOf = (values: Float64Array): WindowScore => ({
    score: over(values, (length, change) => Math.log(length) - Math.log(change)),
    change: over(values, (_, change) => change),
  });
  return {
    length: windows.reduce((sum, window) => sum + window.share, 0) / windows.length,
    window: scoreOf(chosen),
    random: scoreOf(elsewhere),
    floor: scoreOf(unblinded),
    gain: over(
      chosen.map((value, e) => value - elsewhere[e]),
      (_, difference) => difference,
    ),
  };
}

/** Every decision of one agent in an episode, with what it had earned before each and in all. */
function decisionsOf(world: Environment, episode: Episode, agent: number) {
  const N = world.agents.length;
  const legal = new Uint8Array(maskWidth(world.actionSpaces[agent]));
  const decides = () => hasChoice(world.actionSpaces[agent], world.legal(agent, legal, 0));
  let count = 0;
  replay(world, episode, () => {
    if (world.acting[agent] && decides()) count++;
  });
  const states: States = emptyStates(world, agent, count);
  const before = new Float64Array(count);
  let [row, total] = [0, 0];
  replay(world, episode, (tick) => {
    // What the last step paid; nothing before the first.
    if (tick > 0) total += episode.rewards[(tick - 1) * N + agent];
    if (!world.acting[agent] || !decides()) return;
    before[row] = total;
    recordState(world, states, row++, 0, tick);
  });
  return { states, before, total: total + episode.rewards[(episode.ticks - 1) * N + agent] };
}

/**
 * The longest run of consecutive entries within the top ⌊share·n⌋ (one at least) of `scores`; equal scores at the cut: the
 * earlier.
 */
export function longestRun(
  scores: ArrayLike<number>,
  share: number,
): { readonly first: number; readonly length: number } {
  const n = scores.length;
  const order = ascending(scores);
  // Ascending by value, then by place: taken from behind, equals would come last place first.
  const cut = scores[order[n - Math.max(1, Math.floor(share * n))]];
  let room = Math.max(1, Math.floor(share * n));
  const above = Array.from({ length: n }, (_, i) => scores[i] > cut);
  for (const inside of above) if (inside) room--;
  const member = above.map((inside, i) => inside || (scores[i] === cut && room-- > 0));
  let best = { first: 0, length: 0, total: Number.NEGATIVE_INFINITY };
  for (let from = 0; from < n; from++) {
    if (!member[from]) continue;
    let [to, total] = [from, 0];
    for (; to < n && member[to]; to++) total += scores[to];
    const length = to - from;
    if (length > best.length || (length === best.length && total > best.total)) best = { first: from, length, total };
    from = to;
  }
  return best;
}
