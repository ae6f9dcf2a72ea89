import {
  box,
  checkCount,
  checkRange,
  discrete,
  type Environment,
  type Explainer,
  ILLEGAL,
  MagicMaskError,
  maskedLogSoftmax,
  type Policy,
  type Stream,
  stream,
} from "@magic-mask/core";
import { readSnapshot, requireEpisode } from "./checks.ts";
import { refuseUnknown } from "./options.ts";
import { agentColours, colours, shape, svgDocument, words } from "./svg.ts";

export interface PlantedOptions {
  /** N, 1 to 16. */
  readonly agents?: number;
  /** T, ticks in an episode, ≥ 1. */
  readonly ticks?: number;
  /** A, keys to choose from, ≥ 2. */
  readonly keys?: number;
  /** Locks that each agent meets in an episode, ≥ 0. */
  readonly locks?: number;
  /** Decoys that each agent meets in an episode, ≥ 0; locks + decoys ≤ ticks. */
  readonly decoys?: number;
  /** What luck adds to or takes from each agent's reward at every tick, a coin's toss; ≥ 0 and a multiple of 1/64, so that sums are exact. */
  readonly luck?: number;
}

const SOURCE = "environments/planted";
/** The agent sees no dial. */
const NO_DIAL = -1;

/**
 * A world whose critical moments are known exactly, to measure explainers against.
 *
 * At each tick each agent sees two wires, a clock and perhaps a dial. A dial points at one of the A keys and is a lock if
 * the wires differ, a decoy if they are equal; where there is no dial the wires are random as well. So a dial alone does
 * not tell what matters, nor do the wires alone, and a policy that has learned its keys may well be as sure of itself at
 * decoys as it is at locks.
 *
 * Agents act together, as they do not in board games: several decide in one tick and each earns from what the others do,
 * which is what makes the blinding of one agent a disturbance of the others.
 *
 * Observation: [A + 3] = wires (2), the dial's key as one-hot (A; zeros without a dial), tick / T.
 * Action: 0 … A − 1, the key; always all legal.
 * Reward: +1 to every agent for each lock whose owner chose the dial's key; ± luck to each agent, whatever anyone does.
 * Chance: an agent's locks and decoys lie at random ticks, all placements equally likely; dials and wires are uniform.
 * Ends: terminated after T ticks.
 *
 * What is drawn never depends on actions and pay follows at once, so choosing the key at a lock is worth exactly 1 and
 * choosing anything elsewhere exactly 0, whatever happens before and after: see `plantedCriticality`.
 *
 * @throws invalid-option, unknown-key
 */
export function planted({
  agents: N = 2,
  ticks: T = 24,
  keys: A = 4,
  locks = 3,
  decoys = 3,
  luck = 0.25,
  ...unknown
}: PlantedOptions = {}): Environment {
  refuseUnknown(SOURCE, unknown);
  checkCount(SOURCE, "agents", N, 1, 16);
  checkCount(SOURCE, "ticks", T);
  checkCount(SOURCE, "keys", A, 2);
  checkCount(SOURCE, "locks", locks, 0);
  checkCount(SOURCE, "decoys", decoys, 0);
  checkRange(SOURCE, "luck", luck, 0);
  checkCount(SOURCE, "64 × luck", 64 * luck, 0);
  if (locks + decoys > T) {
    throw new MagicMaskError(
      "invalid-option",
      SOURCE,
      `locks + decoys must be ≤ ticks, got ${locks} + ${decoys} > ${T}`,
    );
  }

  const agents = Array.from({ length: N }, (_, i) => `agent_${i}`);
  const space = box([A + 3], 0, 1);
  const actionSpace = discrete(
    A,
    Array.from({ length: A }, (_, key) => `key-${key}`),
  );
  const features = Array.from({ length: A + 3 }, (_, i) => i);

  // The whole state lies in one buffer, so that a snapshot is a copy of it.
  const state = new ArrayBuffer(N * 8 + (1 + 4 + 4 * N) * 4);
  const bytes = new Uint8Array(state);
  const rewards = new Float64Array(state, 0, N);
  let word = N * 8;
  const integers = (length: number) => {
    const view = new Int32Array(state, word, length);
    word += length * 4;
    return view;
  };
  /** Ticks played; −1 before `reset`. */
  const clock = integers(1).fill(-1);
  const randomState = integers(4);
  const locksLeft = integers(N);
  const decoysLeft = integers(N);
  const dials = integers(N);
  /** 0 … 3, two bits. */
  const wires = integers(N);

  const acting = new Uint8Array(N);
  const terminated = new Uint8Array(N);
  const own = stream(0, SOURCE);
  /** Where chance comes from: `own`, or the stream of the last `restore`. */
  let chance: Stream = own;

  const publish = () => {
    const over = clock[0] === T;
    acting.fill(over ? 0 : 1);
    terminated.fill(over ? 1 : 0);
  };

  /** Draws what the agents see at this tick: as many draws whatever comes, and each placement of locks and decoys as likely. */
  const drawScene = () => {
    for (let i = 0; i < N; i++) {
      const place = chance.below(T - clock[0]);
      const key = chance.below(A);
      const bits = chance.bits();
      const isLock = place < locksLeft[i];
      const isDecoy = !isLock && place < locksLeft[i] + decoysLeft[i];
      const first = bits & 1;
      const second = isLock ? 1 - first : isDecoy ? first : (bits >> 1) & 1;
      if (isLock) locksLeft[i]--;
      if (isDecoy) decoysLeft[i]--;
      dials[i] = isLock || isDecoy ? key : NO_DIAL;
      wires[i] = first + 2 * second;
    }
  };

  const isLock = (i: number) => dials[i] !== NO_DIAL && (wires[i] === 1 || wires[i] === 2);

  return {
    id: "planted_v0",
    agents,
    roles: agents.map(() => "agent"),
    observationSpaces: agents.map(() => space),
    actionSpaces: agents.map(() => actionSpace),
    turnBased: false,
    zeroSum: false,
    returnRange: [0 - luck * T, N * locks + luck * T],
    commonFeatures: agents.map(() => features),
    chance: "steps",
    snapshotBytes: bytes.length,
    acting,
    rewards,
    terminated,
    truncated: new Uint8Array(N),

    reset(seed) {
      own.rekey(seed, SOURCE);
      chance = own;
      clock[0] = 0;
      locksLeft.fill(locks);
      decoysLeft.fill(decoys);
      rewards.fill(0);
      drawScene();
      publish();
    },

    observe(agent, out, offset) {
      out[offset] = wires[agent] & 1;
      out[offset + 1] = wires[agent] >> 1;
      for (let key = 0; key < A; key++) out[offset + 2 + key] = dials[agent] === key ? 1 : 0;
      out[offset + 2 + A] = clock[0] / T;
    },

    legal(agent, out, offset) {
      out.fill(acting[agent], offset, offset + A);
      return acting[agent] * A;
    },

    step(actions) {
      requireEpisode(SOURCE, clock[0] >= 0 && clock[0] < T);
      for (let i = 0; i < N; i++) {
        if (!(Number.isInteger(actions[i]) && actions[i] >= 0 && actions[i] < A)) {
          throw new MagicMaskError(
            "illegal-action",
            SOURCE,
            `${agents[i]} may choose key 0 to ${A - 1}, got ${actions[i]}`,
          );
        }
      }
      let opened = 0;
      for (let i = 0; i < N; i++) if (isLock(i) && actions[i] === dials[i]) opened++;
      for (let i = 0; i < N; i++) rewards[i] = opened + (chance.bits() & 1 ? luck : -luck);
      clock[0]++;
      if (clock[0] < T) drawScene();
      else dials.fill(NO_DIAL);
      publish();
    },

    snapshot(out, offset) {
      randomState.set(chance.exportState());
      out.set(bytes, offset);
    },

    restore(from, offset, random) {
      readSnapshot(SOURCE, from, offset, bytes);
      chance = random ?? own;
      if (!random) own.restoreState(Array.from(randomState, (bits) => bits >>> 0));
      publish();
    },

    render() {
      const scenes = agents.map((name, i) => {
        const kind = dials[i] === NO_DIAL ? "nothing" : `${isLock(i) ? "lock" : "decoy"}, dial at ${dials[i]}`;
        return `${name}: ${kind}, wires ${wires[i] & 1}${wires[i] >> 1}`;
      });
      return [`tick ${clock[0]} of ${T}`, ...scenes].join("\n");
    },

    svg() {
      // A row an agent: the dial's keys, the two wires, and what that makes of the moment.
      const width = 110 + 22 * A + 150;
      const head = words(10, 20, `tick ${Math.max(clock[0], 0)} of ${T}`);
      const rows = agents.flatMap((name, i) => {
        const y = 44 + 30 * i;
        const keys = Array.from({ length: A }, (_, key) => {
          const fill = dials[i] === key ? agentColours[i % agentColours.length] : "none";
          return shape("circle", { cx: 100 + 22 * key, cy: y, r: 8, fill, stroke: colours.line });
        });
        const wire = (k: number) => {
          const fill = (wires[i] >> k) & 1 ? colours.ink : "none";
          return shape("rect", {
            x: 110 + 22 * A + 18 * k,
            y: y - 8,
            width: 12,
            height: 16,
            fill,
            stroke: colours.line,
          });
        };
        const kind = dials[i] === NO_DIAL ? "nothing" : isLock(i) ? "lock" : "decoy";
        return [words(10, y + 4, name), ...keys, wire(0), wire(1), words(160 + 22 * A, y + 4, kind)];
      });
      return svgDocument(width, 40 + 30 * N, [head, ...rows]);
    },
  };
}

/**
 * The best policy in `planted`: the dial's key wherever there is a dial, decoys included (they cost nothing), and any key
 * elsewhere. Its values are 0.
 *
 * @param keys A, as in `PlantedOptions`
 */
export function plantedOptimal({ keys: A = 4 }: Pick<PlantedOptions, "keys"> = {}): Policy {
  return {
    evaluate({ count, observations, legal }, parameters, values) {
      values.fill(0, 0, count);
      for (let row = 0; row < count; row++) {
        const key = dialOf(observations, row * (A + 3), A);
        for (let a = 0; a < A; a++) {
          // The key's logit is so far above the others' that nothing else is drawn.
          parameters[row * A + a] = a === key ? 0 : key === NO_DIAL ? 0 : ILLEGAL;
        }
        maskedLogSoftmax(parameters, row * A, legal, row * A, A);
      }
    },
  };
}

/**
 * The truth about `planted`, as an explainer: criticality is exactly E[G ∣ a ~ π] − E[G ∣ a ~ ν] in the agent's own
 * undiscounted return, for this one decision and whatever everybody does before and after:
 *
 *   Δ(o) = π(k∣o) − ν(k∣o) at a lock whose dial points at k; 0 at decoys and elsewhere.
 *
 * The spread is 0.
 *
 * @param keys A, as in `PlantedOptions`
 */
export function plantedCriticality({ keys: A = 4 }: Pick<PlantedOptions, "keys"> = {}): Explainer {
  return {
    name: "planted_truth",
    score({ count, observations, policy, perturbation }, criticality, spread) {
      for (let row = 0; row < count; row++) {
        const at = row * (A + 3);
        const key = dialOf(observations, at, A);
        const isLock = key !== NO_DIAL && observations[at] !== observations[at + 1];
        const gap = isLock ? Math.exp(policy[row * A + key]) - Math.exp(perturbation[row * A + key]) : 0;
        criticality[row] = gap;
        spread[row] = 0;
      }
    },
  };
}

/** The key that the dial of the observation at `offset` points at, or `NO_DIAL`. */
function dialOf(observations: Float32Array, offset: number, keys: number): number {
  for (let key = 0; key < keys; key++) if (observations[offset + 2 + key] === 1) return key;
  return NO_DIAL;
}
