import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { replayFixture } from "../conformance.ts";

/** A recording; `list` is where its tests stand. */
function recording(name: string, list: string) {
  const path = fileURLToPath(new URL(`../../fixtures/${name}.json.gz`, import.meta.url));
  const file = JSON.parse(gunzipSync(readFileSync(path)).toString());
  // biome-ignore lint/suspicious/noExplicitAny: damaged on purpose below, in ways that no type of a recording has
  const entries: any[] = file[list];
  const outcome = (changed: readonly unknown[]) => {
    const { passed, failed } = replayFixture({ ...file, [list]: changed });
    return [passed, failed];
  };
  return { entries, outcome };
}

/** Copies an entry and damages the copy. */
function damaged<T>(entry: T, damage: (copy: T) => void): T {
  const copy = structuredClone(entry);
  damage(copy);
  return copy;
}

/** Flips the first bit of a hexadecimal digit. */
const flip = (bits: string, digit: number) =>
  bits.slice(0, digit) + (Number.parseInt(bits[digit], 16) ^ 8).toString(16) + bits.slice(digit + 1);

describe("RLCard's table of moves", () => {
  const { entries, outcome } = recording("doudizhu_actions", "actions");

  it("is the table here, entry by entry", () => {
    expect(outcome(entries)).toEqual([27_472, 0]);
  });

  it("is not if cards, types, weights or the order differ", () => {
    const few = entries.slice(0, 20);
    expect(outcome(few)).toEqual([20, 0]);
    expect(outcome([entries[1], entries[0], ...few.slice(2)])).toEqual([18, 2]);
    const changes = [
      ["34", few[3][1]],
      [few[3][0], [["pair", "3"]]],
      [few[3][0], [["solo", "4"]]],
      [few[3][0], []],
      null,
    ];
    for (const change of changes) expect(outcome(few.with(3, change))).toEqual([19, 1]);
  });
});

describe("recorded hands", () => {
  const { entries, outcome } = recording("doudizhu_legal", "situations");

  it("have the recorded moves by both rules", () => {
    expect(outcome(entries)).toEqual([4440, 0]);
  });

  it("have others if any column differs", () => {
    const differs = entries.find(({ dzOnly, l }) => dzOnly.length > 1 && l !== "");
    for (const one of [differs, entries.find(({ rlOnly }) => rlOnly.length > 0)]) {
      const changes = [
        damaged(one, (s) => s.a.pop()),
        damaged(one, (s) => s.a.push(1)),
        damaged(one, (s) => s.rlOnly.push("3")),
        damaged(one, (s) => s.dzOnly.push("3")),
        damaged(one, (s) => {
          s.h = s.h.slice(3);
        }),
        damaged(one, (s) => {
          s.l = "";
        }),
        damaged(one, (s) => {
          s.l = "34";
        }),
        null,
        {},
      ];
      for (const change of changes) expect(outcome([one, change])).toEqual([1, 1]);
    }
  });
});

describe("games recorded from RLCard", () => {
  const { entries, outcome } = recording("doudizhu_games", "games");

  it("are played here too", () => {
    expect(outcome(entries)).toEqual([60, 0]);
  });

  it("are not if any column differs, at the start and at the end", () => {
    for (const game of [entries.find(({ winner }) => winner === 0), entries.find(({ winner }) => winner > 0)]) {
      const changes = [0, game.steps.length - 1].flatMap((t) => [
        damaged(game, ({ steps }) => {
          steps[t][0] = (steps[t][0] + 1) % 3;
        }),
        damaged(game, ({ steps }) => {
          steps[t][1] = `${steps[t][1]}R`;
        }),
        damaged(game, ({ steps }) => steps[t][2].pop()),
        ...[0, 60, game.steps[t][3].length - 1].map((digit) =>
          damaged(game, ({ steps }) => {
            steps[t][3] = flip(steps[t][3], digit);
          }),
        ),
        damaged(game, ({ steps }) => {
          steps[t][4] = 27_471;
        }),
      ]);
      changes.push(
        damaged(game, (g) => g.hands.reverse()),
        damaged(game, (g) => {
          g.seen = "BBB";
        }),
        damaged(game, (g) => {
          g.landlord = 1;
        }),
        damaged(game, (g) => {
          g.winner = 3 - g.winner;
        }),
        damaged(game, (g) => g.payoffs.reverse().push(0)),
        damaged(game, (g) => {
          g.finalObs[2] = flip(g.finalObs[2], 0);
        }),
        damaged(game, (g) => g.steps.pop()),
        damaged(game, (g) => {
          g.steps = [];
        }),
      );
      for (const change of changes) expect(outcome([change])).toEqual([0, 1]);
    }
    expect(outcome([null, 7, {}])).toEqual([0, 3]);
  });
});

describe("games recorded from DouZero", () => {
  const { entries, outcome } = recording("douzero_games", "games");

  it("are played here too", () => {
    expect(outcome(entries)).toEqual([12, 0]);
  });

  it("are not if any column differs, at the start and at the end", () => {
    const [won, lost] = ["landlord", "farmer"].map((side) => entries.find(({ winner }) => winner === side));
    for (const [game, other] of [
      [won, lost],
      [lost, won],
    ]) {
      const changes = [0, game.steps.length - 1].flatMap((t) => [
        ...[0, 1].map((column) =>
          damaged(game, ({ steps }) => {
            steps[t][column] = "landlord_upR";
          }),
        ),
        damaged(game, ({ steps }) => steps[t][2].push("44445555")),
        ...[3, 4].map((column) =>
          damaged(game, ({ steps }) => {
            steps[t][column] = flip(steps[t][column], 50);
          }),
        ),
        damaged(game, ({ steps }) => {
          steps[t][5] = "";
        }),
      ]);
      changes.push(
        { ...game, deal: other.deal },
        damaged(game, ({ deal }) => {
          deal.three_landlord_cards = "BBB";
        }),
        { ...game, winner: other.winner },
        { ...game, bombs: game.bombs + 1 },
        { ...game, utility: other.utility },
        { ...game, scores: { landlord: 3, farmer: -3 } },
        { ...game, steps: game.steps.slice(0, -1) },
      );
      for (const change of changes) expect(outcome([change])).toEqual([0, 1]);
    }
    expect(outcome([null, 7, {}])).toEqual([0, 3]);
  });
});
