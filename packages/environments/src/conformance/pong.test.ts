import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { replayFixture } from "../conformance.ts";

interface Trace {
  name: string;
  sticky: number;
  ram: Record<string, number[]>;
  a: number[];
  r: number[];
  a2?: number[];
  r2?: number[];
  done: string;
}
interface Recording {
  header: { oracle: string };
  traces: Trace[];
}

const read = (name: string): Recording =>
  JSON.parse(
    gunzipSync(readFileSync(fileURLToPath(new URL(`../../fixtures/${name}.json.gz`, import.meta.url)))).toString(),
  );
const single = read("pong_1p");
const double = read("pong_2p");

/** The file with nothing but the first `steps` steps of one trace. */
function beginning(file: Recording, name: string, steps: number): Recording {
  const trace = structuredClone(file.traces.find((each) => each.name === name));
  if (!trace) throw new Error(`there is no trace ${name}`);
  for (const [column, values] of Object.entries(trace.ram)) trace.ram[column] = values.slice(0, steps + 1);
  for (const column of ["a", "r", "a2", "r2"] as const)
    if (trace[column]) trace[column] = trace[column].slice(0, steps);
  trace.done = trace.done.slice(0, steps);
  return { ...file, traces: [trace] };
}

/** What the replay says once `change` has been at the only trace. */
function after(file: Recording, change: (trace: Trace) => void) {
  const changed = structuredClone(file);
  change(changed.traces[0]);
  return replayFixture(changed);
}

const otherDone = (bits: string, t: number) => bits.slice(0, t) + (bits[t] === "1" ? "0" : "1") + bits.slice(t + 1);

describe("recordings of Pong", () => {
  it("with one player are met in every frame, and explained where chance went into them", () => {
    expect(replayFixture(single)).toEqual({ oracle: single.header.oracle, passed: 7, failed: 0, failures: [] });
  });

  it("with two players are met in every frame", () => {
    expect(replayFixture(double)).toEqual({ oracle: double.header.oracle, passed: 3, failed: 0, failures: [] });
  });

  it.each([
    ["random", single, 700],
    ["two-random", double, 400],
    ["v5-default-tracker", single, 400],
  ] as const)("of %s do not pass with a change in any column", (name, file, steps) => {
    const kept = beginning(file, name, steps);
    if (kept.traces[0].sticky === 0) expect(replayFixture(kept)).toMatchObject({ passed: 1, failed: 0 });
    for (const t of [0, Math.floor(steps / 2), steps - 1]) {
      for (const column of ["bx", "by", "vx", "vy", "pl", "pr", "sl", "sr", "hits", "targetA"]) {
        const { failed, failures } = after(kept, ({ ram }) => ram[column][t + 1]++);
        expect([column, t, failed]).toEqual([column, t, 1]);
        expect(failures[0]).toContain(kept.traces[0].sticky > 0 ? `step ${t}` : `row ${t + 1}, ${column}`);
      }
      expect(after(kept, ({ r }) => r[t]++).failures[0]).toContain(`step ${t}`);
      if (file === double) expect(after(kept, ({ r2 }) => r2 && r2[t]--).failures[0]).toContain(`step ${t}`);
      expect(
        after(kept, (trace) => {
          trace.done = otherDone(trace.done, t);
        }).failures[0],
      ).toContain(`step ${t}`);
    }
    expect(after(kept, ({ ram }) => ram.by[0]++).failures[0]).toContain("row 0, by");
    expect(after(kept, ({ ram }) => ram.targetB[steps]--).failures[0]).toContain(`row ${steps}, targetB`);
  });

  it("do not pass with another action, once its paddle is drawn", () => {
    for (const column of ["a", "a2"] as const) {
      const kept = beginning(double, "two-random", 400);
      const { failed } = after(kept, (trace) => {
        const actions = trace[column] as number[];
        actions.fill(actions[100] === 2 ? 3 : 2, 100, 110);
      });
      expect([column, failed]).toEqual([column, 1]);
    }
  });

  it("do not pass as stickier than they are, or as less", () => {
    const random = beginning(single, "v5-default-random", 300);
    // Without repeats there is one way to play, and this is not it.
    const frank = after(random, (trace) => {
      trace.sticky = 0;
    });
    expect(frank).toMatchObject({ passed: 0, failed: 1 });
    // Rallies of a player who hardly gets anything done are others.
    const tracker = single.traces.find(({ name }) => name === "v5-default-tracker") as Trace;
    const stuck = after({ ...single, traces: [tracker] }, (trace) => {
      trace.sticky = 0.97;
    });
    expect(stuck.failures[0]).toMatch(/contacts of \d+ rallies here and 42 recorded are 0\.\d+ apart/);
  });

  it.each<[string, (trace: Trace) => unknown]>([
    ["no actions", (trace) => trace.a.splice(0)],
    ["a row too few", ({ ram }) => ram.bx.pop()],
    ["no column", ({ ram }) => Object.assign(ram, { hits: undefined })],
    ["a reward too many", ({ r }) => r.push(0)],
    ["three players", (trace) => Object.assign(trace, { players: 3 })],
    ["two players and one's actions", (trace) => Object.assign(trace, { players: 2 })],
    ["no frames in a step", (trace) => Object.assign(trace, { frameskip: 0 })],
    ["no stickiness", (trace) => Object.assign(trace, { sticky: undefined })],
  ])("do not pass with %s", (_, change) => {
    expect(after(beginning(single, "noop", 20), change)).toMatchObject({ passed: 0, failed: 1 });
  });

  it("are named in failures, nameless and missing ones too", () => {
    const { failures } = replayFixture({ ...single, traces: [null, { name: "empty" }] });
    expect(failures).toEqual([
      "trace 0 (of no name): the recording has no actions",
      "trace 1 (empty): the recording has no actions",
    ]);
  });
});
