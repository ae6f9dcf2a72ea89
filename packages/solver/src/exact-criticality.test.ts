import { describe, expect, it } from "@jest/globals";
import { ILLEGAL } from "@magic-mask/core";
import { exactCriticality } from "./exact-criticality.ts";
import { perfectPolicy } from "./perfect-policy.ts";
import { parsePosition } from "./position.ts";
import { solver } from "./solver.ts";

const perfect = solver({ tableBytes: 1024 * 1024 });

/** What the side to move sees of a position, as `planes`. */
function seen(moves: string): number[] {
  const { own, all } = parsePosition(moves);
  const cells = Array.from({ length: 42 }, (_, cell) => BigInt(7 * (cell % 7) + 5 - Math.floor(cell / 7)));
  return cells.flatMap((bit) => [Number((own >> bit) & 1n), Number(((own ^ all) >> bit) & 1n)]);
}

// Columns 4, 5 and 6 are open and win, lose and win: 36 stones.
const LATE = "572114222275723734465137157343453116";
// All are open; column 1 wins and every other one loses: 14 stones.
const EARLY = "13152313357737";
const LEGAL = [0, 0, 0, 1, 1, 1, 0];
const decisions = {
  count: 2,
  observations: Float32Array.from([...seen(LATE), ...seen(EARLY)]),
  legal: Uint8Array.from([...LEGAL, 1, 1, 1, 1, 1, 1, 1]),
};
const EVEN = [1, 1, 1, 1, 1, 1, 1].map((p) => Math.log(p / 7));
const rows = (probabilities: number[]) =>
  Float32Array.from([...probabilities.map((p) => (p === 0 ? ILLEGAL : Math.log(p))), ...EVEN]);

describe("exactCriticality", () => {
  it("is the best value minus the mean one", () => {
    const { criticality, values } = exactCriticality({ solver: perfect, decisions });
    // 1 − (1 − 1 + 1) / 3, and 1 − (1 − 6) / 7.
    // Rounded once, so that equal stakes are equal numbers.
    expect(criticality[0]).toBe(2 / 3);
    expect(criticality[1]).toBe(12 / 7);
    const none = Number.NaN;
    expect([...values]).toEqual([none, none, none, 1, -1, 1, none, 1, -1, -1, -1, -1, -1, -1]);
  });

  it("is Σ (π − ν)·value for any π and ν", () => {
    const policy = rows([0, 0, 0, 0.5, 0.25, 0.25, 0]);
    const perturbation = rows([0, 0, 0, 0.2, 0.5, 0.3, 0]);
    const both = exactCriticality({ solver: perfect, decisions, policy, perturbation }).criticality;
    // (.5 − .25 + .25) − (.2 − .5 + .3) = .5; equal rows: 0.
    expect(both[0]).toBeCloseTo(0.5, 6);
    expect(both[1]).toBeCloseTo(0, 6);
    // 1 − (.2 − .5 + .3)
    expect(exactCriticality({ solver: perfect, decisions, perturbation }).criticality[0]).toBeCloseTo(1, 6);
    // ½ − ⅓
    expect(exactCriticality({ solver: perfect, decisions, policy }).criticality[0]).toBeCloseTo(1 / 6, 6);
  });

  it("leaves out what is too early, and takes a part", () => {
    const [late, early] = exactCriticality({ solver: perfect, decisions, fromPly: 15 }).criticality;
    expect([late > 0, early]).toEqual([true, Number.NaN]);
    expect(exactCriticality({ solver: perfect, decisions, first: 1 }).criticality.length).toBe(1);
    expect(exactCriticality({ solver: perfect, decisions, first: 1, count: 1 }).criticality[0]).toBeCloseTo(12 / 7, 14);
  });

  it("refuses parts that there are not, and rows too few", () => {
    const code = (wanted: string) => expect.objectContaining({ code: wanted });
    const exact = (more: object) => () => exactCriticality({ solver: perfect, decisions, ...more });
    expect(exact({ first: 1, count: 2 })).toThrow(code("invalid-option"));
    expect(exact({ fromPly: 43 })).toThrow(code("invalid-option"));
    expect(exact({ policy: new Float32Array(13) })).toThrow(code("shape-mismatch"));
    expect(exact({ observation: "threats" })).toThrow(expect.anything());
  });
});

it("perfectPolicy is uniform over the moves that keep the value", () => {
  const parameters = new Float32Array(14);
  const values = new Float32Array(2);
  perfectPolicy({ solver: perfect }).evaluate(decisions, parameters, values);
  expect([...values]).toEqual([1, 1]);
  expect(Array.from(parameters, (row) => Number(Math.exp(row).toFixed(6)))).toEqual([
    ...[0, 0, 0, 0.5, 0, 0.5, 0],
    ...[1, 0, 0, 0, 0, 0, 0],
  ]);
});
