import { describe, expect, it } from "@jest/globals";
import { resolveConfig } from "../config.ts";
import { STOPPED } from "../diagnostics/watch.ts";
import type { Evaluation } from "../evaluate.ts";
import { diagnoseRun } from "./diagnostics.ts";
import type { RunSource } from "./sources.ts";

const config = resolveConfig({ flags: { environment: { id: "tictactoe_v0" } } });

/** A run of 30 iterations, of which each is `row`. */
const source = (row: (i: number) => Record<string, number | null>, evaluation?: object): RunSource => ({
  kind: "run",
  path: "runs/r",
  record: { id: "r", warnings: [] } as unknown as RunSource["record"],
  config,
  metrics: Array.from({ length: 30 }, (_, i) => ({ steps: i, ...row(i) })),
  explanations: [],
  ...(evaluation && { evaluation: evaluation as Evaluation }),
});
const interval = (estimate: number) => ({ estimate, low: estimate - 0.01, high: estimate + 0.01 });
const drops = (top: number, random: number) =>
  Object.entries({ top, random }).map(([order, drop]) => ({ agent: "a", order, share: 0.1, drop: interval(drop) }));

const warningsOf = (run: RunSource) =>
  diagnoseRun(run)
    .filter(({ state }) => state === "warning")
    .map(({ what, value }) => [what, value]);

describe("diagnoseRun", () => {
  it("says nothing of a run where nothing is wrong", () => {
    const fine = source((i) => ({ "kl/update": 0.02, "charts/episodic_return": i, "charts/blinding": 0.1 }), {
      fidelity: { shared: 0.8, unshared: 0.7 },
      drops: drops(0.2, 0.05),
      gate: [{ agent: "a", drop: 0.2, blinded: 0.4 }],
    });
    expect(warningsOf(fine)).toEqual([]);
    expect(diagnoseRun(fine).filter(({ state }) => state === "unknown")).toEqual([]);
  });

  it("warns of large updates, with how many there were", () => {
    const steep = source((i) => ({ "kl/update": i < 3 ? 0.2 : null }));
    expect(warningsOf(steep)).toEqual([["kl/update, largest", "0.20, in 3 of 3 iterations above"]]);
  });

  it("warns of a return that is flat while agents are blinded more than 1.5 times as often as in the end", () => {
    // ± 1 by turns: no rise. The floor is .05.
    const at = (blinding: number) =>
      source((i) => ({ "kl/update": 0, "charts/episodic_return": i % 2 ? 1 : -1, "charts/blinding": blinding }));
    expect(warningsOf(at(0.076))).toEqual([
      [expect.stringContaining("last third"), expect.stringContaining("p_t 0.076")],
    ]);
    expect(warningsOf(at(0.074))).toEqual([]);
  });

  it("warns of fidelity below .70, of sharing that gains less than 5 %, and of a drop that is small and not above random", () => {
    const poor = (top: number, random: number) =>
      source(() => ({ "kl/update": 0 }), { fidelity: { shared: 0.69, unshared: 0.67 }, drops: drops(top, random) });
    // .69/.67 − 1 = 3 %.
    expect(warningsOf(poor(0.07, 0.065))).toEqual([
      ["inter-agent fidelity with sharing", "0.69"],
      ["gain of fidelity by sharing, relative", "3 %"],
      ["reward drop at 10 % of the decisions", "7 %; at random: 6.5 %"],
    ]);
    // Small, yet above random: its interval begins at .06.
    expect(warningsOf(poor(0.07, 0.05))).toHaveLength(2);
    expect(warningsOf(poor(0.08, 0.08))).toHaveLength(2);
  });

  it("warns of a gate that costs more than a fifth of the range, and calls it unknown where it was not measured", () => {
    const gated = (gate?: object[]) =>
      source(() => ({ "kl/update": 0 }), {
        fidelity: { shared: 0.8, unshared: 0.7 },
        drops: [],
        ...(gate && { gate }),
      });
    expect(warningsOf(gated([{ agent: "a", drop: 0.21, blinded: 0.5 }]))).toEqual([
      [expect.stringContaining("gate"), "21 %, with 50 % of the decisions blinded"],
    ]);
    const older = diagnoseRun(gated()).filter(({ what }) => what.includes("gate"));
    expect(older.map(({ state }) => state)).toEqual(["unknown"]);
  });

  it("tells what ended a run", () => {
    const run = source(() => ({ "kl/update": 0 }));
    const warning = { steps: 9, what: STOPPED, value: "a loss is NaN", limit: "finite", advice: "less" };
    const stopped = { ...run, record: { ...run.record, warnings: [warning, { ...warning, what: "kl/update" }] } };
    expect(warningsOf(stopped)).toEqual([[STOPPED, "a loss is NaN"]]);
  });

  it("calls unknown what nobody has measured", () => {
    const bare = diagnoseRun(source(() => ({})));
    expect(bare.map(({ state }) => state)).toEqual(bare.map(() => "unknown"));
  });
});
