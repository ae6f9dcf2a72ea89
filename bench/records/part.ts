import { createRecordBuffer, emptyRecord, type RecordBuffer, SIGNATURE_LENGTH } from "@magic-mask/comm";
import { stream } from "@magic-mask/core";
import { createCoverageMap } from "../../packages/comm/src/coverage-map.ts";
import { digits, markdownTable, times } from "../measure/table.ts";
import type { Part } from "../part.ts";

const ROWS = [8192, 100_000];
const QUERIES = 2000;
const NEAREST = 8;

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
    const sizes = ROWS.map((rows, k) => {
      const size = timeBuffer(rows, queries);
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
      text: [`Signatures as of states that four numbers tell, ${queries} queries.`, ...text].join("\n\n"),
    };
  },
};

function timeBuffer(rows: number, queries: number) {
  const random = stream(1, "bench records");
  const buffer = createRecordBuffer({ capacity: rows, similarity: 1 });
  const drawn = () => {
    const z = Float64Array.from({ length: 4 }, () => random.uniform() - 0.5);
    return Int8Array.from({ length: SIGNATURE_LENGTH }, (_, k) => Math.round(160 * (z[k % 4] + 0.4 * z[(k + 1) % 4])));
  };
  const record = emptyRecord();
  let now = 0;
  const insert = () => {
    const signature = drawn();
    const begun = performance.now();
    buffer.insert({ ...record, agent: now % 4, action: now % 7, step: now++, signature });
    return performance.now() - begun;
  };
  while (buffer.rows.length < rows) insert();
  const map = createCoverageMap(buffer, 4, 0);
  const refreshing = timed("a map of what is covered: made anew", 20, () => map.refresh(now));
  const out = new Float64Array(4);
  const ask = (work: string, query: (signature: Int8Array) => unknown) => {
    const asked = Array.from({ length: queries }, drawn);
    return timed(work, queries, (k) => query(asked[k]));
  };
  // The first query after many insertions sorts them in.
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
