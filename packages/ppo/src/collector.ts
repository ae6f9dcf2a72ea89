import {
  addList,
  allocateRollout,
  boxSize,
  CONTINUES,
  candidateWidth,
  clearRollout,
  clip,
  copyCandidates,
  copyDecision,
  copyRow,
  createCandidateStore,
  type Decisions,
  decisionTable,
  distributionOf,
  LAST_LOOK,
  MagicMaskError,
  maskWidth,
  OPEN,
  type Perturbation,
  type Policy,
  type Rollout,
  slotWidth,
  stream,
  TERMINATED,
  TRUNCATED,
  trajectoryHash,
  type VectorEnvironment,
} from "@magic-mask/core";
import { type Opponents, self } from "./opponents.ts";

/** Which decisions are made by the perturbation instead of the policy. */
export type Blinding =
  /**
   * With this probability per tick one of the deciding agents is drawn uniformly, and blinded; or, where `agent` is named, that one
   * and nobody else. Where it is steered, only with the probability that `steer` writes for its decision: what is logged is the
   * product.
   *
   * @param keep [B] written, each in [0, 1]
   */
  | {
      readonly kind: "coin";
      readonly probability: number;
      readonly agent?: number;
      steer?(decisions: Decisions, keep: Float32Array): void;
    }
  /**
   * Masks say how probable it is that their agent is blinded, at each of its decisions. In each episode one of the learning
   * agents alone may be, or nearly every transition would be disturbed by somebody: they take turns, in which each comes
   * up (copy + episode) mod n. Every fourth turn is nobody's, so that there is always play by the policies alone.
   *
   * @param probability [B] written
   */
  | { readonly kind: "mask"; blind(decisions: Decisions, probability: Float32Array): void };

export interface CollectorOptions {
  readonly vector: VectorEnvironment;
  /** [L] the policies whose decisions are recorded. */
  readonly policies: readonly Policy[];
  /** [N] which of `policies` plays which agent. Agents that share one must share spaces. */
  readonly players: readonly number[];
  /** [N] what each agent does when it is blinded. */
  readonly perturbations: readonly Perturbation[];
  /** Root of all chance in the collector. */
  readonly seed: number;
  readonly opponents?: Opponents;
  /** Number of the first of these copies among all that are played: streams and rows are named by it. */
  readonly firstCopy?: number;
  /** Gives memory for a column of the rollouts, in bytes; shared memory, say. */
  readonly allocate?: (bytes: number) => ArrayBufferLike;
}

/** An episode that ended while collecting. */
export interface FinishedEpisode {
  /** Counted from `firstCopy`. */
  readonly copy: number;
  readonly episode: number;
  /** [N] undiscounted. */
  readonly returns: readonly number[];
  /** Ticks. */
  readonly length: number;
  /** [N] 1 where the agent was played by one of the learning policies. */
  readonly learning: readonly boolean[];
}

/** What was played in one go. */
export interface Collected {
  /** [L] one rollout per policy, valid until the next call. Decisions that are still open lead the next rollout. */
  readonly rollouts: readonly Rollout[];
  readonly episodes: readonly FinishedEpisode[];
}

export interface Collector {
  /** Ticks so far; every tick steps all copies once. */
  readonly ticks: number;
  /** Digest of all actions, rewards and endings so far. */
  readonly hash: string;
  /** Steps every copy `ticks` times. */
  collect(ticks: number, blinding: Blinding): Collected;
  /**
   * A copy; yours to keep. Where the world has no snapshots it lacks the running episodes: whoever continues from it begins new ones,
   * and the decisions that were open are left out.
   */
  exportState(): CollectorState;
  /** Continues from a state of a collector with the same options. @throws shape-mismatch if its copies or policies are not as many */
  restoreState(state: CollectorState): void;
}

export interface CollectorState {
  readonly ticks: number;
  readonly hash: string;
  /** [C × snapshotBytes] */
  readonly worlds: Uint8Array;
  /** [C] */
  readonly episodes: Int32Array;
  /** [C × N] */
  readonly seats: Uint8Array;
  /** [C × N] row of the open decision in its policy's rollout, or −1. */
  readonly open: Int32Array;
  /** [C × N] return of the running episode. */
  readonly returns: Float64Array;
  /** [C] */
  readonly lengths: Int32Array;
  /** [C × 3 × 4] action, coin and perturbation streams. */
  readonly streams: Float64Array;
  /** [L] the open decisions alone. */
  readonly pending: readonly Rollout[];
}

const SOURCE = "ppo/collector";
/** One turn in so many is nobody's where masks decide. */
const FREE_TURNS = 4;
/** Streams of each copy, and words of each stream's state. */
const STREAMS = 3;
const WORDS = 4;

/**
 * Plays many copies of a world and records every decision of the learning policies.
 *
 * All chance of an episode comes from streams named by (seed, role, copy, episode), so what happens does not depend on who
 * else is playing or how the copies are spread over threads.
 *
 * @throws invalid-option if a policy plays nobody; shape-mismatch; unsupported if agents with different spaces would have to
 *   share a policy
 */
export function createCollector(options: CollectorOptions): Collector {
  const { vector, policies, players, perturbations, seed, opponents = self(), firstCopy = 0, allocate } = options;
  const { spec, copies: C } = vector;
  const N = spec.agents.length;
  const W = slotWidth(spec);
  const L = policies.length;
  /** Whether copies can be saved as they stand. */
  const saves = spec.snapshotBytes > 0;
  const sizes = spec.observationSpaces.map(boxSize);
  const masks = spec.actionSpaces.map(maskWidth);
  const listed = spec.actionSpaces.map(candidateWidth);
  const distributions = spec.actionSpaces.map(distributionOf);
  /** [L] which agents each policy plays. */
  const played = policies.map((_, k) => players.flatMap((player, agent) => (player === k ? [agent] : [])));
  checkPlayers();

  const seats = new Uint8Array(C * N);
  const table = decisionTable(vector, [...policies, ...opponents.policies], seats);
  const withheld = table.groups.slice(0, L).map((group) => new Float32Array(group.parameters.length));
  const scratch = new Float32Array(Math.max(...withheld.map((nu) => nu.length)));
  const actions = new Float32Array(C * N * W);
  const deciding = new Uint8Array(C);
  const chosen = new Int16Array(C);
  /** [C] the one agent that its mask may blind in this episode, or −1. */
  const subjects = new Int16Array(C);
  /** [C × N] what was asked about each agent's decision at this tick: how probable it is that a mask blinds it, or a coin that fell on it. */
  const willing = new Float32Array(C * N);
  /** [L] made when masks are first asked. */
  const asking: ReturnType<typeof askedDecisions>[] = [];
  const open = new Int32Array(C * N).fill(-1);
  const episodes = new Int32Array(C).fill(-1);
  const lengths = new Int32Array(C);
  const returns = new Float64Array(C * N);
  const drawing = Array.from({ length: C }, () => ({ action: stream(0), coin: stream(0), perturbation: stream(0) }));
  const hash = trajectoryHash();
  let finished: FinishedEpisode[] = [];
  let rollouts: Rollout[] = policies.map((_, k) => emptyRollout(k, 0));
  let spare: Rollout[] = rollouts;
  let tick = 0;

  function checkPlayers() {
    for (const [name, { length }] of Object.entries({ players, perturbations })) {
      if (length === N) continue;
      throw new MagicMaskError("shape-mismatch", SOURCE, `needs ${N} ${name}, one per agent; got ${length}`);
    }
    if (players.some((k) => !policies[k])) {
      const message = `players must name one of ${L} policies for each agent, got [${players}]`;
      throw new MagicMaskError("invalid-option", SOURCE, message);
    }
    const idle = played.findIndex((agents) => agents.length === 0);
    if (idle >= 0) {
      throw new MagicMaskError("invalid-option", SOURCE, `policy ${idle} plays no agent; players are [${players}]`);
    }
    const anywhere = opponents.policies.length > 0 && !opponents.bySeat;
    for (const agents of anywhere ? [spec.agents.map((_, agent) => agent)] : played) {
      const other = agents.find((i) => [sizes, masks, listed].some((widths) => widths[i] !== widths[agents[0]]));
      if (other === undefined) continue;
      const pair = `${spec.agents[agents[0]]} and ${spec.agents[other]}`;
      throw new MagicMaskError("unsupported", SOURCE, `${pair} have different spaces, so no policy can play both`);
    }
  }

  function emptyRollout(k: number, capacity: number): Rollout {
    const [agent] = played[k];
    const widths = {
      observation: sizes[agent],
      legal: masks[agent],
      parameters: distributions[agent].width,
      action: W,
      ...(listed[agent] > 0 && { candidate: listed[agent] }),
    };
    return allocateRollout(widths, capacity, allocate);
  }

  function begin(copy: number) {
    const episode = ++episodes[copy];
    const name = firstCopy + copy;
    lengths[copy] = 0;
    for (let agent = 0; agent < N; agent++) {
      seats[copy * N + agent] = players[agent];
      returns[copy * N + agent] = 0;
      open[copy * N + agent] = -1;
    }
    if (opponents.policies.length > 0) {
      opponents.seat(seats.subarray(copy * N, (copy + 1) * N), L, stream(seed, "seat", name, episode));
    }
    subjects[copy] = subjectOf(copy);
    drawing[copy].action.rekey(seed, "action", name, episode);
    drawing[copy].coin.rekey(seed, "coin", name, episode);
    drawing[copy].perturbation.rekey(seed, "perturbation", name, episode);
    vector.reset(copy, stream(seed, "environment", name, episode).bits());
  }

  /** Whose turn it is to be blinded by its mask in the running episode. */
  function subjectOf(copy: number): number {
    const learning: number[] = [];
    for (let agent = 0; agent < N; agent++) if (seats[copy * N + agent] < L) learning.push(agent);
    const turn = firstCopy + copy + episodes[copy];
    const isFree = Math.floor(turn / learning.length) % FREE_TURNS === FREE_TURNS - 1;
    return learning.length === 0 || isFree ? -1 : learning[turn % learning.length];
  }

  /** Room for the decisions of one policy that a mask is asked about. */
  function askedDecisions(k: number) {
    const { observations, legal, parameters, copies, candidates } = table.groups[k];
    return {
      copies: new Int32Array(copies.length),
      observations: new Float32Array(observations.length),
      legal: new Uint8Array(legal.length),
      ...(candidates && { candidates: createCandidateStore(candidates.width, copies.length) }),
      policy: new Float32Array(parameters.length),
      perturbation: new Float32Array(parameters.length),
      probability: new Float32Array(copies.length),
    };
  }

  /** Who is blinded this tick, per copy: an agent, or −1. */
  function flipCoins(probability: number, only: number | undefined) {
    deciding.fill(0);
    for (let k = 0; k < L; k++) {
      const { count, free, agents, copies } = table.groups[k];
      for (let row = 0; row < count; row++) {
        if (free[row] && (only === undefined || agents[row] === only)) deciding[copies[row]]++;
      }
    }
    for (let copy = 0; copy < C; copy++) {
      chosen[copy] = -1;
      if (deciding[copy] === 0 || probability === 0) continue;
      const { coin } = drawing[copy];
      if (coin.uniform() < probability) chosen[copy] = deciding[copy] === 1 ? 0 : coin.below(deciding[copy]);
    }
  }

  /** Writes ν for every row of one learning policy's group, by the perturbation of the row's agent. */
  function withhold(k: number) {
    const group = table.groups[k];
    const nu = withheld[k];
    const [first, ...others] = played[k];
    const P = distributions[first].width;
    perturbations[first].evaluate(group, group.parameters, nu);
    for (const agent of others) {
      if (perturbations[agent] === perturbations[first]) continue;
      perturbations[agent].evaluate(group, group.parameters, scratch);
      for (let row = 0; row < group.count; row++) if (group.agents[row] === agent) copyRow(scratch, row, nu, row, P);
    }
  }

  /** Draws an action for every row of one learning policy's group and records the decisions. */
  function decide(k: number, blinding: Blinding) {
    const group = table.groups[k];
    if (group.count === 0) return;
    const distribution = distributions[played[k][0]];
    const nu = withheld[k];
    const rollout = rollouts[k];
    const { observation: D, legal: A, parameters: P } = rollout.widths;
    for (let row = 0; row < group.count; row++) {
      const copy = group.copies[row];
      const agent = group.agents[row];
      const slot = (copy * N + agent) * W;
      if (!group.free[row]) {
        distribution.at(group.parameters, row * P).mode(actions, slot);
        continue;
      }
      const { action, perturbation: replacing, coin } = drawing[copy];
      let p = 0;
      let blind = false;
      if (blinding.kind === "coin") {
        if (blinding.agent === undefined || blinding.agent === agent) {
          p = blinding.probability / deciding[copy];
          blind = chosen[copy]-- === 0;
        }
        if (blinding.steer && p > 0) {
          const keep = willing[copy * N + agent];
          p *= keep;
          blind = blind && coin.uniform() < keep;
        }
      } else if (agent === subjects[copy]) {
        p = willing[copy * N + agent];
        blind = coin.uniform() < p;
      }
      if (blind) distribution.at(nu, row * P).sample(replacing, actions, slot);
      else distribution.at(group.parameters, row * P).sample(action, actions, slot);

      const r = rollout.length++;
      copyRow(group.observations, row, rollout.observations, r, D);
      copyRow(group.legal, row, rollout.legal, r, A);
      if (group.candidates && rollout.candidates) copyCandidates(group.candidates, row, rollout.candidates, r);
      copyRow(group.parameters, row, rollout.policy, r, P);
      copyRow(nu, row, rollout.perturbation, r, P);
      for (let i = 0; i < W; i++) rollout.actions[r * W + i] = actions[slot + i];
      rollout.values[r] = group.values[row];
      rollout.logProbs[r] = distribution.at(group.parameters, row * P).logProb(actions, slot);
      rollout.blinded[r] = blind ? 1 : 0;
      rollout.blindProbability[r] = p;
      rollout.rewards[r] = 0;
      rollout.disturbed[r] = 0;
      rollout.ended[r] = OPEN;
      rollout.next[r] = -1;
      rollout.agents[r] = agent;
      rollout.copies[r] = firstCopy + copy;
      rollout.episodes[r] = episodes[copy];
      rollout.ticks[r] = tick;

      const before = open[copy * N + agent];
      if (before >= 0) {
        rollout.ended[before] = CONTINUES;
        rollout.next[before] = r;
      }
      open[copy * N + agent] = r;
      // What was drawn is recorded, and what the world can do is played.
      clip(spec.actionSpaces[agent], actions, slot);
    }
  }

  /** Asks masks about the decisions of those whose turn it is, or what steers a coin about those that it may fall on. */
  function ask(k: number, blinding: Blinding) {
    const isMask = blinding.kind === "mask";
    const answer = isMask ? blinding.blind : blinding.steer;
    if (!answer) return;
    const group = table.groups[k];
    asking[k] ??= askedDecisions(k);
    const { copies, candidates, probability, ...columns } = asking[k];
    const { observation: D, legal: A, parameters: P } = rollouts[k].widths;
    for (const agent of played[k]) {
      if (!isMask && blinding.agent !== undefined && blinding.agent !== agent) continue;
      let count = 0;
      if (candidates) {
        candidates.length = 0;
        candidates.width = listed[agent];
      }
      for (let row = 0; row < group.count; row++) {
        if (group.agents[row] !== agent || !group.free[row]) continue;
        if (isMask && subjects[group.copies[row]] !== agent) continue;
        copies[count] = group.copies[row];
        copyRow(group.observations, row, columns.observations, count, D);
        copyRow(group.legal, row, columns.legal, count, A);
        copyRow(group.parameters, row, columns.policy, count, P);
        copyRow(withheld[k], row, columns.perturbation, count, P);
        if (group.candidates && candidates) copyCandidates(group.candidates, row, candidates, count);
        count++;
      }
      if (count === 0) continue;
      answer({ agent, count, ...columns, ...(listed[agent] > 0 && candidates && { candidates }) }, probability);
      for (let row = 0; row < count; row++) {
        const p = probability[row];
        if (!(p >= 0 && p <= 1)) {
          const who = isMask ? "the mask" : "what steers the blinding";
          const message = `${who} of ${spec.agents[agent]} must give probabilities in [0, 1], got ${p}`;
          throw new MagicMaskError("invalid-option", SOURCE, message);
        }
        willing[copies[row] * N + agent] = p;
      }
    }
  }

  /** Marks the open decisions of everyone else in a copy where somebody was blinded at this tick. */
  function disturb() {
    for (let k = 0; k < L; k++) {
      const rollout = rollouts[k];
      for (let r = rollout.length - 1; r >= 0 && rollout.ticks[r] === tick; r--) {
        if (!rollout.blinded[r]) continue;
        const copy = rollout.copies[r] - firstCopy;
        for (let agent = 0; agent < N; agent++) {
          const row = open[copy * N + agent];
          if (row >= 0 && agent !== rollout.agents[r]) rollouts[players[agent]].disturbed[row] = 1;
        }
      }
    }
  }

  /** Books rewards and endings after a step, and starts new episodes where one is over. */
  function settle() {
    for (let copy = 0; copy < C; copy++) {
      let over = true;
      for (let agent = 0, at = copy * N; agent < N; agent++, at++) {
        if (vector.acting[at]) over = false;
        const reward = vector.rewards[at];
        if (reward - reward !== 0) {
          throw new MagicMaskError(
            "not-finite",
            `environments/${spec.id}`,
            `the reward of ${spec.agents[agent]} is ${reward}`,
          );
        }
        returns[at] += reward;
        const row = open[at];
        if (row < 0) continue;
        const rollout = rollouts[players[agent]];
        rollout.rewards[row] += reward;
        if (vector.terminated[at]) {
          rollout.ended[row] = TERMINATED;
          open[at] = -1;
        } else if (vector.truncated[at]) {
          rollout.ended[row] = TRUNCATED;
          rollout.next[row] = lastLook(copy, agent);
          open[at] = -1;
        }
      }
      lengths[copy]++;
      if (!over) continue;
      finished.push({
        copy: firstCopy + copy,
        episode: episodes[copy],
        returns: Array.from(returns.subarray(copy * N, (copy + 1) * N)),
        length: lengths[copy],
        learning: players.map((_, agent) => seats[copy * N + agent] < L),
      });
      begin(copy);
    }
  }

  /** Records what an agent saw when the clock ran out. @returns its row */
  function lastLook(copy: number, agent: number): number {
    const k = players[agent];
    const rollout = rollouts[k];
    const { observation: D, legal: A, parameters: P } = rollout.widths;
    const r = rollout.length++;
    vector.observe(copy, agent, rollout.observations, r * D);
    const { candidates } = rollout;
    rollout.legal.fill(candidates ? 0 : 1, r * A, (r + 1) * A);
    if (candidates) {
      // Nothing is to be chosen, and V depends on what is seen alone.
      rollout.legal[r * A] = 1;
      const offset = addList(candidates, r, 1);
      candidates.features.fill(0, offset, offset + candidates.width);
    }
    const look = {
      count: 1,
      observations: rollout.observations.subarray(r * D, (r + 1) * D),
      legal: rollout.legal.subarray(r * A, (r + 1) * A),
      ...(candidates && {
        candidates: {
          features: candidates.features,
          starts: candidates.starts.subarray(r),
          counts: candidates.counts.subarray(r),
        },
      }),
    };
    policies[k].evaluate(look, rollout.policy.subarray(r * P, (r + 1) * P), rollout.values.subarray(r, r + 1));
    rollout.perturbation.set(rollout.policy.subarray(r * P, (r + 1) * P), r * P);
    rollout.ended[r] = LAST_LOOK;
    rollout.next[r] = -1;
    rollout.agents[r] = agent;
    rollout.copies[r] = firstCopy + copy;
    rollout.episodes[r] = episodes[copy];
    rollout.ticks[r] = tick;
    rollout.actions.fill(0, r * W, (r + 1) * W);
    rollout.logProbs[r] = 0;
    rollout.blinded[r] = 0;
    rollout.blindProbability[r] = 0;
    rollout.disturbed[r] = 0;
    rollout.rewards[r] = 0;
    return r;
  }

  /** Starts rollouts for `ticks` ticks with the decisions that are still open in the old ones. */
  function turnPage(ticks: number) {
    const old = rollouts;
    // Each decision, and each one that is still open, may end in a last look.
    const capacity = 2 * (C * N + ticks * (spec.turnBased ? C : C * N));
    const fits = (page: Rollout, k: number) => page.ended.length === capacity && page !== old[k];
    rollouts = spare.map((page, k) => (fits(page, k) ? page : emptyRollout(k, capacity)));
    open.set(carryOver(old, rollouts));
    spare = old;
  }

  /** Copies the open decisions to the start of other pages. @returns [C × N] `open` for those */
  function carryOver(from: readonly Rollout[], to: readonly Rollout[]): Int32Array {
    const moved = new Int32Array(C * N).fill(-1);
    for (const page of to) clearRollout(page);
    for (let at = 0; at < C * N; at++) {
      if (open[at] < 0) continue;
      const k = players[at % N];
      moved[at] = to[k].length++;
      copyDecision(from[k], open[at], to[k], moved[at]);
    }
    return moved;
  }

  for (let copy = 0; copy < C; copy++) begin(copy);

  return {
    get ticks() {
      return tick;
    },
    get hash() {
      return hash.digest();
    },
    collect(ticks, blinding) {
      turnPage(ticks);
      finished = [];
      for (let t = 0; t < ticks; t++, tick++) {
        table.gather();
        actions.fill(0);
        if (blinding.kind === "coin") flipCoins(blinding.probability, blinding.agent);
        for (let k = 0; k < L; k++) {
          if (table.groups[k].count > 0) withhold(k);
          ask(k, blinding);
        }
        for (let k = 0; k < L; k++) decide(k, blinding);
        disturb();
        for (let k = L; k < table.groups.length; k++) actByItself(k);
        vector.step(actions);
        hash.update(actions);
        hash.update(vector.rewards);
        hash.update(vector.terminated);
        hash.update(vector.truncated);
        settle();
      }
      return { rollouts, episodes: finished };
    },
    exportState() {
      const worlds = new Uint8Array(C * spec.snapshotBytes);
      for (let copy = 0; saves && copy < C; copy++) vector.snapshot(copy, worlds, copy * spec.snapshotBytes);
      const pending = policies.map((_, k) => emptyRollout(k, saves ? C * N : 0));
      const moved = saves ? carryOver(rollouts, pending) : new Int32Array(C * N).fill(-1);
      return {
        ticks: tick,
        hash: hash.digest(),
        worlds,
        episodes: episodes.slice(),
        seats: seats.slice(),
        open: moved,
        returns: returns.slice(),
        lengths: lengths.slice(),
        streams: Float64Array.from(
          drawing.flatMap((_, copy) => streamsOf(copy).flatMap((random) => random.exportState())),
        ),
        pending,
      };
    },
    restoreState(state) {
      if (state.worlds.length !== C * spec.snapshotBytes || state.pending.length !== L) {
        const wanted = `${C} copies of ${spec.snapshotBytes} bytes and ${L} policies`;
        const came = `${state.worlds.length} bytes and ${state.pending.length} policies`;
        throw new MagicMaskError(
          "shape-mismatch",
          SOURCE,
          `the state is of another run: wanted ${wanted}, got ${came}`,
        );
      }
      tick = state.ticks;
      hash.restore(state.hash);
      episodes.set(state.episodes);
      seats.set(state.seats);
      open.set(state.open);
      returns.set(state.returns);
      lengths.set(state.lengths);
      for (let copy = 0; copy < C; copy++) {
        if (!saves) {
          begin(copy);
          continue;
        }
        subjects[copy] = subjectOf(copy);
        vector.restore(copy, state.worlds, copy * spec.snapshotBytes);
        streamsOf(copy).forEach((random, i) => {
          const at = (copy * STREAMS + i) * WORDS;
          random.restoreState(Array.from(state.streams.subarray(at, at + WORDS)));
        });
      }
      rollouts = policies.map((_, k) => emptyRollout(k, C * N));
      open.set(carryOver(state.pending, rollouts));
      spare = rollouts;
    },
  };

  function streamsOf(copy: number) {
    const { action, coin, perturbation } = drawing[copy];
    return [action, coin, perturbation];
  }

  /** Opponents act by their own policies; nothing is recorded. */
  function actByItself(k: number) {
    const group = table.groups[k];
    for (let row = 0; row < group.count; row++) {
      const copy = group.copies[row];
      const agent = group.agents[row];
      const distribution = distributions[agent];
      distribution
        .at(group.parameters, row * distribution.width)
        .sample(drawing[copy].action, actions, (copy * N + agent) * W);
      clip(spec.actionSpaces[agent], actions, (copy * N + agent) * W);
    }
  }
}
