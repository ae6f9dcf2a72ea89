import { describe, expect, it } from "@jest/globals";
import type { Result } from "../../study.ts";
import { reportOnTeams } from "./report.ts";
import type { TeamFigures } from "./teams.ts";

const axes = {
  environment: ["pong"],
  seed: [1, 2, 3],
  budget: [1000],
  peers: ["none", "friends", "one_poison"],
  trust: ["off", "on"],
};
/** Three agents; the first knows .2 less than the others, and lies where anybody does. */
const result = (peers: string, trust: string, seed: number, area: number): Result<TeamFigures> => ({
  at: { environment: "pong", seed, budget: 1000, peers, trust },
  steps: 1000,
  figures: {
    agents: [area - 0.2, area, area].map((stacked, i) => ({ agent: `a${i}`, own: 0.7, head: stacked, stacked })),
    fidelity: { all: area, sameRole: area, crossRole: null },
    matrix: [
      [null, 0, 0],
      [0.6, null, 0.8],
      [0.6, null, null],
    ],
    bytes: 500,
    delivery: 1,
    received: 50,
    age: { onArrival: null, atUse: null },
    redundancy: null,
    hostile: peers === "one_poison" ? [0] : [],
    trust:
      trust === "off"
        ? null
        : [
            [1, 1, 1],
            [0.1, 1, 0.9],
            [0.3, 0.7, 1],
          ],
    course:
      trust === "off"
        ? null
        : [0.5, 1].map((at) => ({ at, honest: 0.8, liars: peers === "one_poison" ? 0.6 - 0.4 * at : null })),
  },
  seconds: { shared: 0, learning: 0, judging: 0 },
});

describe("the report on teams", () => {
  // Seed by seed none .7, friends .03 more, and with the poisoner .1 less, or .01 less where trust is on.
  const { tables, judgements, sentences, scores, pictures } = reportOnTeams(
    axes,
    [1, 2, 3].flatMap((seed) =>
      ["off", "on"].flatMap((trust) => [
        result("none", trust, seed, 0.7 + seed / 100),
        result("friends", trust, seed, 0.73 + seed / 100),
        result("one_poison", trust, seed, (trust === "on" ? 0.69 : 0.6) + seed / 100),
      ]),
    ),
  );
  const rows = tables[0].body;
  const gain = (row: number) => (rows[row][3] as { estimate: number }).estimate;

  it("draws how trust came about", () => {
    expect(pictures.map(({ name }) => name)).toEqual(["pong-trust-1000.svg"]);
    const [{ svg }] = pictures;
    expect([svg.includes("friends"), svg.includes("liars, one_poison")]).toEqual([true, true]);
  });

  it("holds honest agents against what the same agents know alone", () => {
    expect(rows.map(([peers, trust]) => `${peers} ${trust}`)).toEqual([
      "none ",
      "friends off",
      "friends on",
      "one_poison off",
      "one_poison on",
    ]);
    // Over all three agents none would be .2/3 lower.
    expect([gain(1), gain(2)]).toEqual([expect.closeTo(0.03, 10), expect.closeTo(0.03, 10)]);
    expect([gain(3), gain(4)]).toEqual([expect.closeTo(-0.1, 10), expect.closeTo(-0.01, 10)]);
    // The last two agents: (.6 + .8 + .6)/3, whatever the liar says of them.
    expect((rows[4][6] as { estimate: number }).estimate).toBeCloseTo(2 / 3, 10);
    // In each other .9 and .7, in the liar .1 and .3.
    expect(rows[4].slice(8, 10)).toEqual([expect.closeTo(0.8, 10), expect.closeTo(0.2, 10)]);
    expect(rows[3].slice(8, 10)).toEqual([Number.NaN, Number.NaN]);
  });

  it("hands on what those know who lie in no arm", () => {
    expect(scores?.runs).toHaveLength(5 * 3);
    // Of the last two agents, where the first one tells the truth, too: with it none's .71 would be .2/3 lower.
    expect(scores?.runs[0]).toEqual({
      environment: "pong",
      arm: "none",
      seed: 1,
      steps: 1000,
      values: { auroc: expect.closeTo(0.71, 12), fidelity: expect.closeTo(2 / 3, 12) },
    });
    expect(scores?.runs[14]).toMatchObject({
      arm: "one_poison, trust on",
      values: { auroc: expect.closeTo(0.72, 12) },
    });
  });

  it("says what is lost", () => {
    expect(judgements.map(({ why }) => why.split("; ")[1])).toEqual([
      "no more than 0.02 lost",
      "no more than 0.02 lost",
      "more than 0.02 lost",
      "no more than 0.02 lost",
    ]);
    expect(sentences[0]).toContain("one_poison −0.01 [−0.01, −0.01] (no more than 0.02 lost)");
  });

  it.each([
    // Mean gain over three seeds and its spread s: the interval is mean ± 4.303·s/√3, that is ± 2.484·s.
    ["on average 0, ± .037", 0, 0.015, "no more than 0.02 lost on average, and no more than 0.05 at the bound"],
    ["on average 0, ± .062", 0, 0.025, "a loss of 0.05 is not ruled out"],
    ["on average −.03, ± .037", -0.03, 0.015, "a loss of 0.02 is not ruled out"],
    ["on average −.03, ± .025", -0.03, 0.01, "something lost, and more than 0.02 not ruled out"],
    ["on average −.03, ± .005", -0.03, 0.002, "more than 0.02 lost"],
    ["on average 0, ± .012", 0, 0.005, "no more than 0.02 lost"],
  ] as const)("holds it against what was aimed at: %s", (_, mean, spread, word) => {
    const own = { ...axes, peers: ["none", "friends"], trust: ["on"] };
    const made = [-1, 0, 1].flatMap((k, i) => [
      result("none", "on", i + 1, 0.7),
      result("friends", "on", i + 1, 0.7 + mean + k * spread),
    ]);
    expect(reportOnTeams(own, made).judgements[0].why).toBe(`the paper leaves it open; ${word}`);
  });
});
