import { createRecordBuffer, createSignature, emptyRecord, type RecordBuffer } from "@magic-mask/comm";
import {
  boxSize,
  completeRows,
  maskedLogSoftmax,
  maskWidth,
  type Policy,
  shuffle,
  stream,
  vectorize,
} from "@magic-mask/core";
import { highwayFast } from "@magic-mask/environments";
import { selectDecisions, uniform } from "@magic-mask/masking";
import { createCollector } from "@magic-mask/ppo";
import { createCoverageMap } from "../../packages/comm/src/coverage-map.ts";
import { digits, markdownTable, times } from "../measure/table.ts";
import type { Part } from "../part.ts";

const ROWS = [8192, 100_000];
const QUERIES = 2000;
const NEAREST = 8;
const COPIES = 64;

interface Timed {
  readonly work: string;
  /** Microseconds of one call. */
  readonly median: number;
  readonly p99: number;
  readonly slowest: number;
}

/** What a buffer of critical states answers, and how fast. */
export const recordsPart: Part = {
  help: "a buffer of 8,192 and of 100,000 records: insertions and queries, beside a look at every row",
  async run({ effort, progress }) {
    const queries = Math.max(100, Math.round(QUERIES * effort));
    const status = progress(ROWS.length);
    const signatures = driven(Math.max(...ROWS) + 6 * queries);
    const sizes = ROWS.map((rows, k) => {
      const size = timeBuffer(signatures, rows, queries);
      status.update(k + 1, { work: `${rows} records` });
      return size;
    });
    const text = sizes.map(({ rows, timed, ratio }) =>
      [
        `${rows.toLocaleString("en-US")} records, microseconds of wall-clock:`,
        markdownTable(
          ["work", "median", "99 %", "slowest"],
          timed.map(({ work, median, p99, slowest }) => [work, digits(median), digits(p99), digits(slowest)]),
        ),
        `The ${NEAREST} nearest by a look at every row take ${times(ratio)} as long, in the same run.`,
      ].join("\n\n"),
    );
    return {
      results: sizes,
      text: [`Signatures of decisions on the highway, ${queries} queries.`, ...text].join("\n\n"),
    };
  },
};

/** Signatures of as many decisions of drivers who weigh what they see at random, shuffled. */
function driven(count: number): Int8Array[] {
  const random = stream(1, "bench records");
  const make = () => highwayFast();
  const vector = vectorize(make, COPIES);
  const { spec } = vector;
  const [D, n] = [boxSize(spec.observationSpaces[0]), maskWidth(spec.actionSpaces[0])];
  const weights = Float64Array.from({ length: D * n }, () => random.normal());
  const policy: Policy = {
    evaluate({ count: rows, observations, legal }, parameters, values) {
      values.fill(0, 0, rows);
      parameters.fill(0, 0, rows * n);
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < D; k++) {
          for (let a = 0; a < n; a++) parameters[row * n + a] += observations[row * D + k] * weights[k * n + a];
        }
        maskedLogSoftmax(parameters, row * n, legal, row * n, n);
      }
    },
  };
  const { collect } = createCollector({
    vector,
    policies: [policy],
    players: spec.agents.map(() => 0),
    perturbations: spec.actionSpaces.map(uniform),
    seed: 1,
  });
  const signature = createSignature(spec, { seed: 1 });
  const signatures: Int8Array[] = [];
  while (signatures.length < count) {
    const [rollout] = collect(64, { kind: "coin", probability: 0.2 }).rollouts;
    for (const agent of spec.agents.keys()) {
      const rows = completeRows(rollout, agent);
      const { observations, policy: logits } = selectDecisions(rollout, rows, agent);
      for (let b = 0; b < rows.length; b++) {
        const sigma = new Int8Array(signature.length);
        signature.write(agent, observations, b * D, logits, b * n, random.normal() / 4, sigma, 0);
        signatures.push(sigma);
      }
    }
  }
  return Array.from(shuffle(Int32Array.from(signatures.keys()), random), (i) => signatures[i]);
}

function timeBuffer(signatures: readonly Int8Array[], rows: number, queries: number) {
  const signatureLength = signatures[0].length;
  const buffer = createRecordBuffer({ capacity: rows, similarity: 1, signatureLength });
  let next = 0;
  const drawn = () => signatures[next++];
  const record = emptyRecord(signatureLength);
  let now = 0;
  const insert = () => {
    const signature = drawn();
    const begun = performance.now();
    buffer.insert({ ...record, agent: now % 4, action: now, step: now++, signature });
    return performance.now() - begun;
  };
  for (let i = 0; i < rows; i++) insert();
  const map = createCoverageMap(buffer, 4, 0);
  const refreshing = timed("a map of what is covered: made anew", 20, () => map.refresh(now));
  const out = new Float64Array(4);
  const ask = (work: string, query: (signature: Int8Array) => unknown) => {
    const asked = Array.from({ length: queries }, drawn);
    return timed(work, queries, (k) => query(asked[k]));
  };
  // They are sorted in when queries have looked at each of them often enough.
  for (let i = 0; i < 200; i++) buffer.nearest(signatures[i], NEAREST);
  const nearest = ask(`the ${NEAREST} nearest`, (signature) => buffer.nearest(signature, NEAREST));
  const all = ask("", (signature) => scan(buffer, signature));
  const inserting = summarise("an insertion into the full buffer", Float64Array.from({ length: queries }, insert));
  return {
    rows,
    ratio: all.median / nearest.median,
    timed: [
      inserting,
      nearest,
      ask("coverage, by a map of it", (signature) => map.at(signature, 0)),
      refreshing,
      ask("coverage, whether it is one", (signature) => buffer.coverage(signature, now, -1, 1)),
      ask("coverage, exactly", (signature) => buffer.coverage(signature, now)),
      ask("coverage by sender", (signature) => buffer.senders(signature, now, out)),
      ask("the 8 most critical", () => buffer.top(8)),
    ],
  };
}

/** The nearest by a look at every row. */
function scan({ rows, signatureLength: L }: RecordBuffer, signature: Int8Array): number[] {
  const best: { readonly row: number; readonly distance: number }[] = [];
  for (let row = 0; row < rows.length; row++) {
    const limit = best.length < NEAREST ? Number.POSITIVE_INFINITY : best[NEAREST - 1].distance;
    let distance = 0;
    for (let k = 0; k < L && distance < limit; k++) distance += (signature[k] - rows.signatures[row * L + k]) ** 2;
    if (distance >= limit) continue;
    const at = best.findIndex((each) => distance < each.distance);
    best.splice(at < 0 ? best.length : at, 0, { row, distance });
    best.length = Math.min(best.length, NEAREST);
  }
  return best.map(({ row }) => row);
}

function timed(work: string, count: number, once: (k: number) => unknown): Timed {
  const took = Float64Array.from({ length: count }, (_, k) => {
    const begun = performance.now();
    once(k);
    return performance.now() - begun;
  });
  return summarise(work, took);
}

function summarise(work: string, milliseconds: Float64Array): Timed {
  const sorted = milliseconds.toSorted();
  const at = (share: number) => 1000 * sorted[Math.floor(share * (sorted.length - 1))];
  return { work, median: at(0.5), p99: at(0.99), slowest: at(1) };
}
