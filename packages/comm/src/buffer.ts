import { checkCount, checkRange, MagicMaskError } from "@magic-mask/core";
import { createCellIndex } from "./cell-index.ts";
import { createNearRows } from "./near-rows.ts";
import { type CriticalRecord, checkRecord } from "./record.ts";
import { createRowHeap } from "./row-heap.ts";
import { checkSignatureLength, SIGNATURE_LENGTH } from "./signature.ts";
import type { StateArrays } from "./state.ts";

const SOURCE = "comm/buffer";
/** Kernel widths beyond which two states are taken to have nothing in common (similarity below .012). */
const HORIZON = 3;
/** Squared distance that nothing is within. */
const NOWHERE = -1;
/** Width of a cell in which duplicates are looked for, in merge radii h·√(−2 ln δ). */
const CELL = 4;
/** 2³⁰ parts of one, by which weights are summed: whole ones add up to the same in any order. */
const PARTS = 1_073_741_824;
/** Rows of a cell that are looked at for a duplicate, the newest: crowded cells hold hundreds. */
const LOOKED_AT = 24;

export interface RecordBufferOptions {
  /** Most rows, 1 … 2²⁴. */
  readonly capacity?: number;
  /** δ in (0, 1]: records at least this similar are merged; 1 merges equal signatures alone. */
  readonly similarity?: number;
  /** h in [.001, 100], the kernel's width in units of σ / 127. */
  readonly bandwidth?: number;
  /** Collector ticks after which a record counts half, > 0. */
  readonly halfLife?: number;
  /** L, entries of a signature, a multiple of 4 in [8, 112]. */
  readonly signatureLength?: number;
}

/**
 * What a buffer holds, in columns. A row stands for one record, or for several of one agent and one action with nearly the
 * same signature: then σ is the first one's, the statistics are over all, and the rest is the newest one's.
 */
export interface RecordRows {
  /** R, rows in use; the arrays are longer. */
  readonly length: number;
  readonly agents: Uint8Array;
  readonly roles: Uint8Array;
  readonly policyVersions: Uint32Array;
  /** [R] collector tick of the newest. */
  readonly steps: Uint32Array;
  readonly episodes: Uint32Array;
  /** [R × L] */
  readonly signatures: Int8Array;
  readonly actions: Uint32Array;
  /** [R] ln π(a) */
  readonly logProbs: Float32Array;
  /** [R] ln ν(a) */
  readonly perturbationLogProbs: Float32Array;
  /** [R] p */
  readonly blindProbability: Float32Array;
  /** [R] m */
  readonly ranks: Float32Array;
  /** [R] records merged into the row. */
  readonly counts: Uint32Array;
  /** [R] what they weigh together at tick `steps`: each 1 when it was made, halved every half-life. */
  readonly masses: Float64Array;
  /** [R] mean of their advantages. */
  readonly means: Float64Array;
  /** [R] sum of squared deviations from that mean: the variance is squares / (counts − 1). */
  readonly squares: Float64Array;
}

/** One agent's memory of critical states, its own and those that peers told of. */
export interface RecordBuffer {
  readonly capacity: number;
  readonly signatureLength: number;
  readonly rows: RecordRows;
  /**
   * Takes a record in: merged into the most similar row that it finds of its agent and action (the lowest of equals) if their
   * similarity is ≥ δ, else as a new row. A full buffer loses the row of least weight, of equals the oldest; that may be
   * the newcomer.
   *
   * @returns the row, or −1 if the newcomer weighs least
   * @throws not-finite, invalid-option, shape-mismatch as `checkRecord`
   */
  insert(record: Readonly<CriticalRecord>): number;
  /** What a row weighs at tick `now`. */
  weight(row: number, now: number): number;
  /**
   * The k rows most similar to `signature` [L], best first; of equals the lowest. Tens of microseconds at 10⁵ rows that
   * have been sorted in. Rows that have changed are looked at one by one, until a query sorts them in, a tenth of a second at 10⁵: when
   * looking has taken as long.
   */
  nearest(signature: Int8Array, k: number): Int32Array;
  /**
   * How well the surroundings of `signature` [L] are known at tick `now`: Σ_rows weight · similarity, rows beyond three
   * bandwidths left out, each counted to a billionth. One fresh record of the very state counts 1. A look at every row within
   * reach: for every decision there is `createCoverageMap`.
   *
   * @param except an agent whose rows do not count
   * @param enough what settles the question: where there is as much, some number no less than that comes back, and sooner
   */
  coverage(signature: Int8Array, now: number, except?: number, enough?: number): number;
  /**
   * Whose records the surroundings of `signature` [L] are known from at tick `now`: `coverage` by sender.
   *
   * @param out [N] written, more than any sender's number long
   */
  senders(signature: Int8Array, now: number, out: Float64Array): void;
  /** The k rows of highest rank m, highest first; of equals the newest, then the lowest. Microseconds however many there are. */
  top(k: number): Int32Array;
  exportState(): StateArrays;
  /** @throws corrupt-file if the arrays are not those of a buffer of this capacity */
  restoreState(state: StateArrays): void;
}

/**
 * A bounded critical-state buffer. Two signatures are similar by s = exp(−‖σ − σ′‖² / 2h²) in (0, 1], entries in units of
 * 1/127; means and variances run as in Welford (1962, doi:10.1080/00401706.1962.10490022).
 *
 * Duplicates are looked for among the newest rows of one cell of a grid over six entries of σ, so that an insertion costs the
 * same however full the buffer is. The price: of pairs similar enough, up to about three in ten lie astride a border and keep
 * two rows, and so do pairs with many others of their cell between them.
 *
 * @throws invalid-option
 */
export function createRecordBuffer(options: RecordBufferOptions = {}): RecordBuffer {
  const { capacity = 8192, similarity = 0.95, bandwidth = 0.25, halfLife = 10_000 } = options;
  const { signatureLength = SIGNATURE_LENGTH } = options;
  checkSignatureLength(SOURCE, signatureLength);
  checkCount(SOURCE, "capacity", capacity, 1, 16_777_216);
  checkRange(SOURCE, "similarity", similarity, Number.MIN_VALUE, 1);
  checkRange(SOURCE, "bandwidth", bandwidth, 0.001, 100);
  checkRange(SOURCE, "halfLife", halfLife, Number.MIN_VALUE);

  const rows = {
    length: 0,
    agents: new Uint8Array(capacity),
    roles: new Uint8Array(capacity),
    policyVersions: new Uint32Array(capacity),
    steps: new Uint32Array(capacity),
    episodes: new Uint32Array(capacity),
    signatures: new Int8Array(capacity * signatureLength),
    actions: new Uint32Array(capacity),
    logProbs: new Float32Array(capacity),
    perturbationLogProbs: new Float32Array(capacity),
    blindProbability: new Float32Array(capacity),
    ranks: new Float32Array(capacity),
    counts: new Uint32Array(capacity),
    masses: new Float64Array(capacity),
    means: new Float64Array(capacity),
    squares: new Float64Array(capacity),
  };
  const { length: _, ...columns } = rows;
  const { agents, actions, steps, signatures, masses, ranks } = rows;
  /** [R] how many rows were begun before this one. */
  const ages = new Float64Array(capacity);
  let begun = 0;

  const fade = Math.LN2 / halfLife;
  const decay = (ticks: number) => Math.exp(-fade * ticks);
  // All weights fade alike, so their order stands still between insertions: ln(weight) at tick 0 tells it.
  const lasting = (mass: number, step: number) => Math.log(mass) + fade * step;
  const keys = new Float64Array(capacity);
  const lightest = createRowHeap(capacity, (a, b) => keys[a] < keys[b] || (keys[a] === keys[b] && ages[a] < ages[b]));
  const highest = createRowHeap(capacity, (a, b) => {
    if (ranks[a] !== ranks[b]) return ranks[a] > ranks[b];
    return steps[a] !== steps[b] ? steps[a] > steps[b] : a < b;
  });

  const spread = 2 * (127 * bandwidth) * (127 * bandwidth);
  const mergeDistance = -Math.log(similarity) * spread;
  const horizon = (HORIZON * HORIZON * spread) / 2;
  const index = createCellIndex(capacity, Math.max(1, Math.ceil(CELL * Math.sqrt(mergeDistance))));
  const near = createNearRows(capacity, signatures, signatureLength);
  const keyOf = (agent: number, action: number) => Math.imul(action, 256) + agent;

  /** ‖σ − σ_row‖² in quanta; once it exceeds `limit`, any number above that. From the end: rows of one cell agree at the start. */
  const distance = (signature: Int8Array, row: number, limit: number) => {
    let sum = 0;
    for (let k = signatureLength - 4, at = row * signatureLength + k; k >= 0 && sum <= limit; k -= 4, at -= 4) {
      const a = signature[k] - signatures[at];
      const b = signature[k + 1] - signatures[at + 1];
      const c = signature[k + 2] - signatures[at + 2];
      const d = signature[k + 3] - signatures[at + 3];
      sum += a * a + b * b + c * c + d * d;
    }
    return sum;
  };

  let sought: Readonly<CriticalRecord>;
  let match = -1;
  let matchDistance = 0;
  const consider = (row: number) => {
    const d = distance(sought.signature, row, matchDistance);
    if (d > matchDistance || (d === matchDistance && match >= 0 && match < row)) return;
    if (agents[row] !== sought.agent || actions[row] !== sought.action) return;
    match = row;
    matchDistance = d;
  };

  const describe = (row: number, record: Readonly<CriticalRecord>) => {
    rows.roles[row] = record.role;
    rows.policyVersions[row] = record.policyVersion;
    steps[row] = record.step;
    rows.episodes[row] = record.episode;
    rows.logProbs[row] = record.logProb;
    rows.perturbationLogProbs[row] = record.perturbationLogProb;
    rows.blindProbability[row] = record.blindProbability;
    ranks[row] = record.rank;
  };

  const merge = (row: number, record: Readonly<CriticalRecord>) => {
    const later = record.step - steps[row];
    masses[row] = later >= 0 ? masses[row] * decay(later) + 1 : masses[row] + decay(-later);
    if (later >= 0) describe(row, record);
    const off = record.advantage - rows.means[row];
    rows.means[row] += off / ++rows.counts[row];
    rows.squares[row] += off * (record.advantage - rows.means[row]);
    keys[row] = lasting(masses[row], steps[row]);
    lightest.moved(row);
    highest.moved(row);
  };

  const begin = (row: number, record: Readonly<CriticalRecord>) => {
    describe(row, record);
    agents[row] = record.agent;
    actions[row] = record.action;
    signatures.set(record.signature, row * signatureLength);
    rows.counts[row] = 1;
    masses[row] = 1;
    rows.means[row] = record.advantage;
    rows.squares[row] = 0;
    ages[row] = begun++;
    keys[row] = lasting(1, record.step);
    index.add(row, keyOf(record.agent, record.action), signatures, row * signatureLength);
    near.changed(row);
  };

  const weight = (row: number, now: number) => masses[row] * decay(now - steps[row]);

  /** weight · similarity of a row, in parts of one: 0 beyond the horizon. */
  const partsOf = (row: number, signature: Int8Array, now: number) => {
    const d = distance(signature, row, horizon);
    return d <= horizon ? Math.round(PARTS * Math.exp(-d / spread) * weight(row, now)) : 0;
  };

  return {
    capacity,
    signatureLength,
    rows,
    weight,
    insert(record) {
      checkRecord(SOURCE, record, signatureLength);
      sought = record;
      match = -1;
      matchDistance = mergeDistance;
      index.near(keyOf(record.agent, record.action), record.signature, 0, LOOKED_AT, consider);
      if (match >= 0) {
        merge(match, record);
        return match;
      }
      if (rows.length < capacity) {
        const row = rows.length++;
        begin(row, record);
        lightest.add(row);
        highest.add(row);
        return row;
      }
      const row = lightest.first();
      if (lasting(1, record.step) < keys[row]) return -1;
      index.remove(row);
      begin(row, record);
      lightest.moved(row);
      highest.moved(row);
      return row;
    },
    nearest(signature, k) {
      const best = new Int32Array(Math.min(k, rows.length));
      const distances = new Float64Array(best.length).fill(Number.POSITIVE_INFINITY);
      const last = best.length - 1;
      const isNearer = (d: number, row: number, at: number) =>
        d < distances[at] || (d === distances[at] && row < best[at]);
      const look = (row: number) => {
        const d = distance(signature, row, distances[last]);
        if (!isNearer(d, row, last)) return;
        let at = last;
        for (; at > 0 && isNearer(d, row, at - 1); at--) {
          best[at] = best[at - 1];
          distances[at] = distances[at - 1];
        }
        best[at] = row;
        distances[at] = d;
      };
      if (last >= 0) near.visit(signature, () => distances[last], look);
      return best;
    },
    coverage(signature, now, except = -1, enough = Number.POSITIVE_INFINITY) {
      let sum = 0;
      const reach = () => (sum < enough * PARTS ? horizon : NOWHERE);
      near.visit(signature, reach, (row) => {
        if (agents[row] !== except) sum += partsOf(row, signature, now);
      });
      return sum / PARTS;
    },
    senders(signature, now, out) {
      out.fill(0);
      const reach = () => horizon;
      near.visit(signature, reach, (row) => {
        out[agents[row]] += partsOf(row, signature, now) / PARTS;
      });
    },
    top: highest.leading,
    exportState() {
      const state: Record<string, StateArrays[string]> = {
        begun: Float64Array.of(begun),
        ages: ages.slice(0, rows.length),
      };
      for (const [name, column] of Object.entries(columns)) {
        state[name] = column.slice(0, (column.length / capacity) * rows.length);
      }
      return state;
    },
    restoreState(state) {
      const length = state.ages?.length ?? -1;
      const fits = Object.entries(columns).every(
        ([name, column]) => state[name]?.length === (column.length / capacity) * length,
      );
      if (!fits || length > capacity || state.begun?.length !== 1) {
        throw new MagicMaskError(
          "corrupt-file",
          SOURCE,
          `the state is not that of a record buffer with room for ${capacity} rows`,
        );
      }
      for (const [name, column] of Object.entries(columns)) column.set(state[name]);
      ages.set(state.ages);
      begun = state.begun[0];
      rows.length = length;
      lightest.clear();
      highest.clear();
      index.clear();
      near.clear();
      // Oldest first, as they were filed: the index looks at the newest.
      for (const row of Uint32Array.from({ length }, (_, row) => row).sort((a, b) => ages[a] - ages[b])) {
        keys[row] = lasting(masses[row], steps[row]);
        index.add(row, keyOf(agents[row], actions[row]), signatures, row * signatureLength);
        near.changed(row);
        lightest.add(row);
        highest.add(row);
      }
    },
  };
}
