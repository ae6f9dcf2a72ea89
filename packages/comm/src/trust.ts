import { type EnvironmentSpec, MagicMaskError, type Stream } from "@magic-mask/core";
import type { RecordBuffer } from "./buffer.ts";
import { areComparable } from "./peers.ts";
import { recordInputs, recordWeights } from "./record-inputs.ts";
import { solveRidge } from "./ridge.ts";
import type { StateArrays } from "./state.ts";

const SOURCE = "comm/trust";
/** Random features of a peer's model. */
const FEATURES = 48;
/** Outcomes of the agent's own that a peer is judged by, at most. */
const OWN_ROWS = 8192;
/** Records that the models of all peers are fitted on together, at most, and each one's share of them. */
const PEER_ROWS = 16_384;
const MOST_ROWS = 4096;
const FEWEST_ROWS = 256;
/** Episodes below which there is no telling. */
const FEWEST_EPISODES = 8;
/** Penalties to choose from, per row. */
const PENALTIES = [0.003, 0.03, 0.3, 3, 30];
/** Trust is ½ where the evidence is so many standard errors against a peer, and changes so steeply there. */
const DOUBT = 2.5;
const STEEPNESS = 3;
/** Root mean square of a sender's advantages, in the middle one's of all, up to which they are nothing strange. */
const LOUDEST = 4;
/** Mass of a peer's records, in the middle peer's, up to which it is nothing strange. */
const MOST_BUSY = 2;
/** Weights below this are none. */
const LEAST = 0.01;
/** Calls of `update` from one look at what peers foretell to the next, at most. */
const LOOK_EVERY = 8;
/** Of what a peer's records weighed then, what they may weigh before there is another look. */
const GROWN = 1.5;

export interface TrustOptions {
  readonly spec: EnvironmentSpec;
  /** Whose trust it is. */
  readonly agent: number;
  /** Its memory. */
  readonly buffer: RecordBuffer;
  /** The random features come from here. */
  readonly random: Stream;
  /** As the record head's. */
  readonly versionHalfLife?: number;
}

/** What one agent thinks of the records of its peers. */
export interface Trust {
  /** [N] what a record of each counts, in [0, 1]; the agent's own 1, and all 1 before the first look. */
  readonly weights: Float64Array;
  /** [N] standard errors by which the agent's outcomes were foretold better with each peer's records than without; NaN where there is no telling. */
  readonly evidence: Float64Array;
  /** Looks at the buffer as it stands: at how much and how loudly each peer speaks, and at what it foretells. @param now collector tick */
  refresh(now: number): void;
  /**
   * The same, but at what peers foretell only where a peer is heard for the first time or has told half as much again, and at every
   * eighth call since the last look: for whoever is about to learn from the buffer. @param now collector tick
   */
  update(now: number): void;
  exportState(): StateArrays;
  /** @throws corrupt-file */
  restoreState(state: StateArrays): void;
}

/**
 * Learned trust: does the agent foretell better what happened to itself with what a peer told it than without?
 *
 * For each peer j a small model f_j of its records alone, ridge regression on 48 random features max(0, u·x + c) of what the
 * record head reads (Rahimi & Recht 2008, "Weighted sums of random kitchen sinks"), is held against the agent's own outcomes y, drawn
 * as the head weighs them. The first part s of f_j that a stack takes in changes its squared error by −2s·Σ y f_j: with j it
 * foretells better than without if that sum is positive, whatever scale j speaks on. With both centred, by episode e
 *
 *   D_e = Σ_rows (f_j − mean f_j)·(y − mean y),   z = Σ_e D_e / √(Σ_e (D_e − mean D)²),   trust = 1 / (1 + exp(−3·(z + 2.5)))
 *
 * Episodes fall into two halves. f_j is fitted on one half of them and judged on the other, both ways, so no record of an episode
 * judges one of the same. Its penalty is the one with which the peer's own halves foretell each other best. Thus little data or noise
 * (z near 0) cost a friend nothing, and records that mislead (z ≪ 0) count less the surer that is. What counts is
 *
 *   weight_j = trust_j · min(1, mass of the agent's own records / mass of j's, 2·mass of the middle peer's / mass of j's)
 *            · min(1, 16·mean y² of the middle sender / mean y² of j's)
 *
 * so that nobody is heard more than the agent itself, or than twice what peers commonly are, however much it sends; and wild numbers,
 * which foretell nothing and so show in no model, are not heard at all. The middle is the median, over peers or over all who are
 * remembered: where little happens to oneself, others are loud. The work is bounded: at most 8,192 own rows and 16,384 of all peers
 * are looked at, drawn in proportion to their weight (systematic resampling, Kitagawa 1996).
 */
export function createTrust({ spec, agent, buffer, random, versionHalfLife = 100 }: TrustOptions): Trust {
  const N = spec.agents.length;
  const { width: D, write } = recordInputs(spec.actionSpaces[agent], buffer.signatureLength);
  const M = FEATURES + 1;
  const weigh = recordWeights(buffer, N, versionHalfLife);
  const comparable = spec.agents.map((_, j) => areComparable(spec, agent, j));
  const weights = new Float64Array(N).fill(1);
  const evidence = new Float64Array(N).fill(Number.NaN);
  /** [N] what a peer's records weighed at the last look. */
  const judged = new Float64Array(N);
  /** Calls until the next look. */
  let left = 0;
  /** [D × F] u, and [F] c. */
  const directions = Float64Array.from({ length: D * FEATURES }, () => (1.5 * random.normal()) / Math.sqrt(D));
  const offsets = Float64Array.from({ length: FEATURES }, () => random.normal());
  const inputs = new Float32Array(D);

  const describe = (row: number, out: Float64Array, at: number) => {
    const { signatures, actions, logProbs } = buffer.rows;
    write(inputs, 0, signatures, row * buffer.signatureLength, actions[row], logProbs[row]);
    // ln π reaches from −10 to 0: as wide as the rest.
    inputs[D - 2] /= 5;
    for (let f = 0; f < FEATURES; f++) out[at + f] = offsets[f];
    for (let k = 0; k < D; k++) {
      const x = inputs[k];
      if (x !== 0) for (let f = 0; f < FEATURES; f++) out[at + f] += directions[k * FEATURES + f] * x;
    }
    for (let f = 0; f < FEATURES; f++) out[at + f] = Math.max(0, out[at + f]);
    out[at + FEATURES] = 1;
  };

  /** Rows by sender, and what they weigh together. */
  const sort = () => {
    const { rows } = buffer;
    const lists = Array.from({ length: N }, (): number[] => []);
    const masses = new Float64Array(N);
    const each = new Float64Array(rows.length);
    for (let row = 0; row < rows.length; row++) {
      const sender = rows.agents[row];
      if (!comparable[sender]) continue;
      each[row] = weigh.balance(row) * weigh.presence(row);
      masses[sender] += each[row];
      lists[sender].push(row);
    }
    return { lists, masses, each };
  };

  /** Of a sender's rows at most `most`, each as often as it weighs. */
  const pick = (list: readonly number[], mass: number, each: Float64Array, most: number) => {
    const count = Math.min(most, list.length);
    const step = mass / count;
    const chosen = new Int32Array(count);
    let size = 0;
    let sum = 0;
    for (const row of list) {
      sum += each[row];
      while (size < count && (size + 0.5) * step <= sum) chosen[size++] = row;
    }
    return chosen.subarray(0, size);
  };

  /** Mean y² of some rows. */
  const meanSquare = (chosen: Int32Array) =>
    averageOf(chosen, (row) => buffer.rows.means[row] * buffer.rows.means[row]);

  /** β [2][M]: of each half of the episodes the model that the other half's records make. */
  const fit = (chosen: Int32Array): Float64Array[] => {
    const grams = [new Float64Array(M * M), new Float64Array(M * M)];
    const products = [new Float64Array(M), new Float64Array(M)];
    const counts = [0, 0];
    const phi = new Float64Array(M);
    for (const row of chosen) {
      describe(row, phi, 0);
      const half = halfOf(buffer.rows.episodes[row]);
      const [gram, product] = [grams[half], products[half]];
      const y = buffer.rows.means[row];
      counts[half]++;
      for (let i = 0; i < M; i++) {
        if (phi[i] === 0) continue;
        product[i] += phi[i] * y;
        for (let j = 0; j <= i; j++) gram[i * M + j] += phi[i] * phi[j];
      }
    }
    let best = Number.POSITIVE_INFINITY;
    let models: Float64Array[] = [new Float64Array(M), new Float64Array(M)];
    for (const penalty of PENALTIES) {
      const tried = [1, 0].map((other) => solveRidge(grams[other], products[other], penalty * (counts[other] + 1)));
      const error = excess(tried[0], grams[0], products[0]) + excess(tried[1], grams[1], products[1]);
      if (error < best) {
        best = error;
        models = tried;
      }
    }
    return models;
  };

  /** z of a peer's models at the agent's own rows. */
  const judge = (models: readonly Float64Array[], own: Int32Array, features: Float64Array): number => {
    const { means, episodes } = buffer.rows;
    const foretold = Float64Array.from(own, (row, i) => {
      const beta = models[halfOf(episodes[row])];
      let f = 0;
      for (let k = 0; k < M; k++) f += beta[k] * features[i * M + k];
      return f;
    });
    const [meant, came] = [averageOf(foretold), averageOf(own, (row) => means[row])];
    const byEpisode = new Map<number, number>();
    own.forEach((row, i) => {
      const gain = (foretold[i] - meant) * (means[row] - came);
      byEpisode.set(episodes[row], (byEpisode.get(episodes[row]) ?? 0) + gain);
    });
    if (byEpisode.size < FEWEST_EPISODES) return Number.NaN;
    let sum = 0;
    for (const gain of byEpisode.values()) sum += gain;
    const mean = sum / byEpisode.size;
    let squares = 0;
    for (const gain of byEpisode.values()) squares += (gain - mean) * (gain - mean);
    return squares > 0 ? sum / Math.sqrt(squares) : 0;
  };

  const forget = () => {
    evidence.fill(Number.NaN);
    judged.fill(0);
  };

  /** What the records of those who are heard foretell of the agent's own outcomes. */
  const look = (heard: readonly number[], told: readonly Int32Array[], own: Int32Array, masses: Float64Array) => {
    const features = new Float64Array(own.length * M);
    own.forEach((row, i) => {
      describe(row, features, i * M);
    });
    forget();
    heard.forEach((j, k) => {
      evidence[j] = judge(fit(told[k]), own, features);
      judged[j] = masses[j];
    });
  };

  const update = (now: number) => {
    weigh.begin(now);
    const { lists, masses, each } = sort();
    const heard = lists.flatMap((list, j) => (j !== agent && list.length > 0 ? [j] : []));
    weights.fill(1);
    if (heard.length === 0 || lists[agent].length === 0) {
      forget();
      return;
    }
    const own = pick(lists[agent], masses[agent], each, OWN_ROWS);
    const most = Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, Math.floor(PEER_ROWS / heard.length)));
    const told = heard.map((j) => pick(lists[j], masses[j], each, most));
    if (left === 0 || heard.some((j) => masses[j] > GROWN * judged[j])) {
      look(heard, told, own, masses);
      left = LOOK_EVERY;
    }
    left--;
    const loudness = told.map(meanSquare);
    const loud = LOUDEST * LOUDEST * middleOf([...loudness, meanSquare(own)]);
    const busy = Math.min(masses[agent], MOST_BUSY * middleOf(heard.map((j) => masses[j])));
    heard.forEach((j, k) => {
      const z = Number.isNaN(evidence[j]) ? 0 : evidence[j];
      const trust = 1 / (1 + Math.exp(-STEEPNESS * (z + DOUBT)));
      const weight = trust * cut(masses[j], busy) * cut(loudness[k], loud);
      weights[j] = weight < LEAST ? 0 : weight;
    });
  };

  return {
    weights,
    evidence,
    refresh(now) {
      left = 0;
      update(now);
    },
    update,
    exportState: () => ({
      weights: weights.slice(),
      evidence: evidence.slice(),
      judged: judged.slice(),
      left: Float64Array.of(left),
    }),
    restoreState(state) {
      const columns = { weights, evidence, judged };
      const fits = Object.entries(columns).every(([name, column]) => state[name]?.length === column.length);
      if (!fits || state.left?.length !== 1) {
        throw new MagicMaskError("corrupt-file", SOURCE, `the state is not that of trust in ${N} agents`);
      }
      for (const [name, column] of Object.entries(columns)) column.set(state[name]);
      left = state.left[0];
    },
  };
}

/** The half that an episode falls into; all agents in it agree. */
const halfOf = (episode: number) => Math.imul(episode + 1, 0x9e3779b1) >>> 31;

const averageOf = (values: Int32Array | Float64Array, of = (value: number) => value) => {
  let sum = 0;
  for (const value of values) sum += of(value);
  return sum / values.length;
};

/** The median; of two in the middle the lesser. */
const middleOf = (values: readonly number[]) => [...values].sort((a, b) => a - b)[(values.length - 1) >> 1];

/** What of `amount` is within `most`, as a share. */
const cut = (amount: number, most: number) => (amount > most ? most / amount : 1);

/** Σ (y − β·φ)² − Σ y² over the rows that made `gram` (its lower triangle) and `product`. */
function excess(beta: Float64Array, gram: Float64Array, product: Float64Array): number {
  const M = beta.length;
  let sum = 0;
  for (let i = 0; i < M; i++) {
    sum += beta[i] * (gram[i * M + i] * beta[i] - 2 * product[i]);
    for (let j = 0; j < i; j++) sum += 2 * beta[i] * beta[j] * gram[i * M + j];
  }
  return sum;
}
