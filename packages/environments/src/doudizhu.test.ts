import { describe, expect, it } from "@jest/globals";
import { isOver, stream } from "@magic-mask/core";
import fc from "fast-check";
import { listMoves, MOST_MOVES } from "./doudizhu/legal.ts";
import { countCards, highWord, isBomb, lowWord, moveTable, nameOf, PASS, RANKS } from "./doudizhu/moves.ts";
import { type Doudizhu, type DoudizhuOptions, doudizhu, doudizhuMove, doudizhuMoveId } from "./doudizhu.ts";

const DECK = [...RANKS].map((card, rank) => card.repeat(rank < 13 ? 4 : 1)).join("");

/** Ids of what a hand may play; to lead, `toBeat` is the pass. */
function idsOf(hand: string, toBeat: number, rules = "rlcard"): number[] {
  const counts = countCards(hand);
  const out = new Uint16Array(2 * MOST_MOVES);
  return [...out.subarray(0, listMoves(rules === "douzero", lowWord(counts, 0), highWord(counts, 0), toBeat, out))];
}

const list = (hand: string, toBeat = "", rules = "rlcard") =>
  idsOf(hand, doudizhuMoveId(toBeat), rules).map((id) => doudizhuMove(id).cards || "pass");

describe("the table of moves", () => {
  it("has as many moves of each type as can be counted by hand", () => {
    const counts: Record<string, number> = {};
    for (let id = 0; id <= PASS; id++) {
      const { type } = doudizhuMove(id);
      counts[type] = (counts[type] ?? 0) + 1;
    }
    expect(counts).toMatchObject({
      solo: 15,
      pair: 13,
      trio: 13,
      trio_solo: 13 * 14,
      trio_pair: 13 * 12,
      // Twelve ranks form chains: 12 − n + 1 of n.
      solo_chain_5: 8,
      solo_chain_12: 1,
      pair_chain_3: 10,
      pair_chain_10: 3,
      trio_chain_2: 11,
      trio_chain_6: 7,
      // Beside two trios: a pair of 11 ranks, two of these 11, or one of them and a joker.
      trio_solo_chain_2: 11 * (11 + 55 + 22),
      // Beside three, of 10 ranks: three; two and a joker; a pair with one of 9 others or a joker; a trio, but of 8 ranks only where
      // two are next to the plane, of 9 where one is, with 3s or aces at its end.
      trio_solo_chain_3: 10 * (120 + 45 * 2 + 10 * 11) + 8 * 8 + 2 * 9,
      trio_pair_chain_2: 11 * 55,
      trio_pair_chain_3: 10 * 120,
      trio_pair_chain_4: 9 * 126,
      // Beside four of a rank: a pair of 12, two of 12, one of them and a joker.
      four_two_solo: 13 * (12 + 66 + 24),
      four_two_pair: 13 * 66,
      bomb: 13,
      rocket: 1,
      pass: 1,
    });
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(27_472);
  });

  it("finds moves by their cards in any order, and names them by rank", () => {
    // Id 512 is the first move of two trios and two single cards, after 512 solos, pairs, trios and chains.
    expect(doudizhuMove(512)).toEqual({ id: 512, cards: "33344455", type: "trio_solo_chain_2", rank: 0 });
    expect(doudizhuMoveId("54434353")).toBe(512);
    expect(doudizhuMove(doudizhuMoveId("2A222R"))).toMatchObject({ cards: "A2222R", type: "four_two_solo", rank: 12 });
    expect([doudizhuMoveId("RB"), doudizhuMoveId("")]).toEqual([27_470, 27_471]);
    const all = Array.from(moveTable().groupOf, (_, id) => id);
    expect(all.filter((id) => doudizhuMoveId(doudizhuMove(id).cards) !== id)).toEqual([]);
  });

  it("says which cards are no move, and which ids", () => {
    const unknown = expect.objectContaining({ code: "unknown-name" });
    for (const cards of ["34", "3344", "22BR", "QKA23", "44445555", "X"]) {
      expect(() => doudizhuMoveId(cards)).toThrow(unknown);
    }
    const invalid = expect.objectContaining({ code: "invalid-option" });
    for (const id of [-1, 0.5, 1e6, Number.NaN]) expect(() => doudizhuMove(id)).toThrow(invalid);
  });
});

describe("listMoves", () => {
  it("leads with all that a hand holds", () => {
    expect(list("33345BR")).toEqual(["3", "4", "5", "B", "R", "33", "333", "3334", "3335", "333B", "333R", "BR"]);
    // Eight ranks up to the ace: 4 chains of five, 3 of six, 2 of seven, 1 of eight; none with the 2.
    expect(list("789TJQKA2").filter((cards) => cards.length > 1)).toHaveLength(10);
  });

  it("follows with higher moves of the same type and length, bombs, the rocket and the pass", () => {
    expect(list("4456789TTTT2BR", "5")).toEqual([..."6789T2BR", "TTTT", "BR", "pass"]);
    expect(list("45678999", "34567")).toEqual(["45678", "56789", "pass"]);
    expect(list("456789TT", "345678")).toEqual(["456789", "56789T", "pass"]);
    expect(list("3444", "333A")).toEqual(["3444", "pass"]);
    expect(list("3344455566", "33344456")).toEqual(expect.arrayContaining(["33444555", "34445556", "44455566"]));
    expect(list("555777788", "3333")).toEqual(["7777", "pass"]);
    expect(list("8888BR", "BR")).toEqual(["pass"]);
  });

  it("beats four with two by a bomb, for it is none itself", () => {
    expect(list("3333", "444456")).toEqual(["3333", "pass"]);
    expect(list("555567", "444456")).toEqual(["555567", "5555", "pass"]);
    expect(list("555567", "4444")).toEqual(["5555", "pass"]);
  });

  it("lets both jokers, trios next to a plane and four of a rank be kickers by DouZero's rules only", () => {
    const more = (hand: string) => {
      const rlcard = list(hand);
      const douzero = list(hand, "", "douzero");
      expect(douzero).toEqual(expect.arrayContaining(rlcard));
      return douzero.filter((cards) => !rlcard.includes(cards));
    };
    expect(more("333444BR")).toEqual(["333444BR"]);
    expect(more("7777BR")).toEqual(["7777BR"]);
    expect(more("3333666777888999")).toEqual(["3333666777888999"]);
    // Three trios with a fourth next to them are a plane of four by either rules; four with a fifth need a single card more.
    expect(more("555666777888K")).toEqual([]);
    expect(more("555666777888999K")).toEqual(["555666777888999K"]);
  });

  it("compares planes by their highest trio by DouZero's rules", () => {
    const hand = "666777888JQQKK";
    // 888 is higher than 555, and lower than the trio of queens among the kickers.
    expect(list(hand, "333444555QQQ")).toContain("666777888JQQ");
    expect(list(hand, "333444555QQQ", "douzero")).toEqual(["pass"]);
    expect(list(hand, "333444555789", "douzero")).toContain("666777888JQQ");
    // Four trios in a row are three with a trio beside them, to answer.
    expect(list("666777888999", "333444555789")).toEqual(["pass"]);
    expect(list("666777888999", "333444555789", "douzero")).toEqual(["666777888999", "pass"]);
    // A move that DouZero cannot read yields to bombs alone.
    for (const unread of ["4445556667779222", "4445556667779999"]) {
      expect(list("3777888999TTTJJJJ", unread, "douzero")).toEqual(["JJJJ", "pass"]);
    }
  });

  it("finds no more moves than it says there can be", () => {
    for (const rules of ["rlcard", "douzero"]) {
      const ids = idsOf("333444555666789TJQKA", PASS, rules);
      expect([ids.length, new Set(ids).size, MOST_MOVES]).toEqual([519, 519, 519]);
    }
  });

  const anyHand = fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.shuffledSubarray([...DECK], { minLength: 1, maxLength: 20 }))
    // Half of the hands lie within six ranks, which makes planes and bombs likely.
    .chain(([from, hand]) =>
      fc.oneof(
        fc.constant(hand),
        fc.shuffledSubarray([...DECK.slice(4 * from, 4 * from + 24)], {
          minLength: 1,
          maxLength: Math.min(20, DECK.length - 4 * from),
        }),
      ),
    )
    .map((cards) => cards.join(""));

  const anyMove = fc.oneof(fc.nat({ max: 511 }), fc.nat({ max: PASS - 1 }));

  it("lists what the rules of RLCard say, by rising id", () => {
    const { low, high } = moveTable();
    fc.assert(
      fc.property(anyHand, anyMove, fc.boolean(), (hand, other, leads) => {
        const counts = countCards(hand);
        const missing = [~lowWord(counts, 0), ~highWord(counts, 0)];
        const toBeat = doudizhuMove(leads ? PASS : other);
        const expected: number[] = [];
        for (let id = 0; id <= PASS; id++) {
          if ((low[id] & missing[0]) | (high[id] & missing[1])) continue;
          const move = doudizhuMove(id);
          const higher = move.type === toBeat.type && move.rank > toBeat.rank;
          const bombs = isBomb(id) && (!isBomb(toBeat.id) || id > toBeat.id);
          if (leads ? id !== PASS : higher || bombs || id === PASS) expected.push(id);
        }
        expect(idsOf(hand, toBeat.id)).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it("lists moves that the hand holds, each once, and no fewer for a larger hand", () => {
    fc.assert(
      fc.property(anyHand, fc.constantFrom("rlcard", "douzero"), fc.nat(), (hand, rules, k) => {
        const moves = idsOf(hand, PASS, rules);
        expect(moves.length).toBeLessThanOrEqual(MOST_MOVES);
        const toBeat = moves[k % moves.length];
        for (const beaten of [PASS, toBeat]) {
          const ids = idsOf(hand, beaten, rules);
          const smaller = idsOf(hand.slice(1), beaten, rules);
          expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
          expect(ids).toEqual(expect.arrayContaining(smaller));
          for (const id of ids) {
            const left = countCards(hand);
            for (const card of doudizhuMove(id).cards) left[RANKS.indexOf(card)]--;
            expect(Math.min(...left)).toBeGreaterThanOrEqual(0);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});

const HANDS = ["33445566778899TTJQKA", "33445566778899TTR", "JJJQQQKKKAAA2222B"];

/** A game from this deal in which these moves were made; `""` is the pass. */
function played(moves: readonly string[], options: DoudizhuOptions = {}): Doudizhu {
  const game = doudizhu(options);
  game.deal(HANDS, "33A");
  for (const cards of moves) game.step(new Float32Array(3).fill(game.moves().indexOf(doudizhuMoveId(cards))));
  return game;
}

/** What an agent sees from `at` on, as a set of cards. */
function cardsSeen(game: Doudizhu, agent: number, at: number): string {
  const sees = new Float32Array(game.observationSpaces[agent].shape[0]);
  game.observe(agent, sees, 0);
  const ones = (from: number, count: number) =>
    sees.subarray(at + from, at + from + count).reduce((sum, x) => sum + x, 0);
  return [...RANKS].map((card, rank) => card.repeat(rank < 13 ? ones(4 * rank, 4) : ones(39 + rank, 1))).join("");
}

/** The place of the only 1 among `count` numbers. */
function hotSeen(game: Doudizhu, agent: number, at: number, count: number): number {
  const sees = new Float32Array(game.observationSpaces[agent].shape[0]);
  game.observe(agent, sees, 0);
  const part = sees.subarray(at, at + count);
  expect(part.reduce((sum, x) => sum + x, 0)).toBe(1);
  return part.indexOf(1);
}

describe("doudizhu", () => {
  it("deals the whole deck, another for each seed, and the same by all rules", () => {
    const deals = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const texts = (["rlcard", "douzero"] as const).map((rules) => {
        const game = doudizhu({ rules });
        game.reset(seed);
        return game.render();
      });
      expect(texts[1]).toBe(texts[0]);
      const hands = texts[0]
        .split("\n")
        .slice(0, 3)
        .map((line) => line.slice(16).trim());
      expect(hands.map(({ length }) => length)).toEqual([20, 17, 17]);
      expect(nameOf(lowWord(countCards(hands.join("")), 0), highWord(countCards(hands.join("")), 0))).toBe(DECK);
      deals.add(texts[0]);
    }
    expect(deals.size).toBe(20);
  });

  it("is won by who first has no cards, the peasants together", () => {
    const landlord = played(["3456789TJQKA", "", "", "3456789T"]);
    expect([isOver(landlord), ...landlord.rewards, ...landlord.terminated]).toEqual([true, 1, 0, 0, 1, 1, 1]);
    expect(landlord.render()).toContain("the landlord won");
    // The peasant's last card beats nobody: it leads it after two passes.
    const peasants = played(["3", "R", "", "", "33445566778899TT"]);
    expect([isOver(peasants), ...peasants.rewards, ...peasants.terminated]).toEqual([true, 0, 1, 1, 1, 1, 1]);
    expect(peasants.render()).toContain("the peasants won");
    expect([...peasants.moves()]).toEqual([]);
  });

  it("lets the last player lead again after two passes, and say what is to be beaten", () => {
    const game = played([]);
    const moves = ["3", "4", "J", "", "", "QQQ"];
    const beaten = moves.map((cards) => {
      const { move, agent } = game.toBeat() ?? { move: PASS, agent: -1 };
      const mover = game.acting.indexOf(1);
      game.step(new Float32Array(3).fill(game.moves().indexOf(doudizhuMoveId(cards))));
      return [mover, doudizhuMove(move).cards, agent];
    });
    expect(beaten).toEqual([
      [0, "", -1],
      [1, "3", 0],
      [2, "4", 1],
      [0, "J", 2],
      [1, "J", 2],
      [2, "", -1],
    ]);
    expect(game.toBeat()).toEqual({ move: doudizhuMoveId("QQQ"), agent: 2 });
    expect(doudizhu().toBeat()).toBeNull();
  });

  it("describes each candidate by its cards", () => {
    const game = played(["3"]);
    const out = new Float32Array(MOST_MOVES * 54);
    const count = game.candidates(1, out, 0);
    const moves = Array.from(game.moves(), (id) => doudizhuMove(id).cards);
    expect(moves).toEqual([..."456789TR", ""]);
    expect(count).toBe(9);
    // 4 is the second rank; R the last number.
    const ones = Array.from({ length: count }, (_, k) =>
      Array.from(out.subarray(54 * k, 54 * k + 54), (x, i) => (x ? i : -1)).filter((i) => i >= 0),
    );
    expect(ones).toEqual([[4], [8], [12], [16], [20], [24], [28], [53], []]);
    expect(game.candidates(0, out, 0)).toBe(0);
  });

  it("shows RLCard's features", () => {
    const game = played(["3", "4", "", "", "55"]);
    // Landlord: hand, others, last move, last nine oldest first, played by up and by down, left to up and to down.
    expect(cardsSeen(game, 0, 0)).toBe("3445566778899TTJQKA");
    expect(cardsSeen(game, 0, 54)).toBe("33466778899TTJJJQQQKKKAAA2222BR");
    expect(cardsSeen(game, 0, 108)).toBe("55");
    const nine = (agent: number) => Array.from({ length: 9 }, (_, k) => cardsSeen(game, agent, 162 + 54 * k));
    expect(nine(0)).toEqual(["", "", "", "", "3", "4", "", "", "55"]);
    expect(nine(2)).toEqual(nine(0));
    expect([cardsSeen(game, 0, 648), cardsSeen(game, 0, 702)]).toEqual(["", "455"]);
    expect([hotSeen(game, 0, 756, 17), hotSeen(game, 0, 773, 17)]).toEqual([16, 13]);
    // Peasant: played by the landlord and by the other, the first moves of both, left to both.
    expect([648, 702, 756, 810].map((at) => cardsSeen(game, 2, at))).toEqual(["3", "455", "3", "4"]);
    expect([hotSeen(game, 2, 864, 20), hotSeen(game, 2, 884, 17)]).toEqual([18, 13]);
    // The first move of landlord_up was a pass, and landlord_down sees no later one in its place.
    const later = played(["3", "4", "", "", "55", "JJ"]);
    expect([702, 810].map((at) => cardsSeen(later, 1, at))).toEqual(["JJ", ""]);
  });

  it("looks past one pass for the last move, and shows zeros to who leads", () => {
    expect(cardsSeen(played(["3", "4", ""]), 0, 108)).toBe("4");
    expect(cardsSeen(played(["3", "4", "", ""]), 1, 108)).toBe("");
  });

  it("shows a hand that is empty as it shows a full one", () => {
    const game = played(["3456789TJQKA", "", "", "3456789T"]);
    expect(hotSeen(game, 1, 864, 20)).toBe(19);
    expect(hotSeen(played([]), 1, 864, 20)).toBe(19);
  });

  it("shows DouZero's features", () => {
    const moves = ["3", "4", "", "", "55", "JJ", "", "", "Q", "A", "R", "2222", "", "", "B"];
    const game = played(moves, { observation: "douzero" });
    const landlord = [0, 54, 108, 162, 216].map((at) => cardsSeen(game, 0, at));
    expect(landlord.slice(2)).toEqual(["B", "JJQ2222B", "455R"]);
    expect([hotSeen(game, 0, 270, 17), hotSeen(game, 0, 287, 17), hotSeen(game, 0, 304, 15)]).toEqual([8, 12, 1]);
    const peasant = [0, 108, 162, 216, 270, 324].map((at) => cardsSeen(game, 1, at));
    expect(peasant).toEqual(["33466778899TT", "3A", "JJQ2222B", "B", "", "B"]);
    expect([hotSeen(game, 1, 378, 20), hotSeen(game, 1, 398, 17), hotSeen(game, 1, 415, 15)]).toEqual([17, 8, 1]);
    const history = (agent: number, at: number) => moves.map((_, k) => cardsSeen(game, agent, at + 54 * k));
    expect(history(0, 319)).toEqual(moves);
    expect(history(1, 430)).toEqual(moves);
  });

  it("has common features that mean the same to every role", () => {
    for (const observation of ["rlcard", "douzero"] as const) {
      const game = doudizhu({ observation });
      const [landlord, down, up] = game.commonFeatures ?? [];
      expect(down).toEqual(up);
      // All but the first 108, which are about the agent's own hand, are equal for all at every moment.
      const random = stream(4);
      for (game.reset(2); !isOver(game); ) {
        const [a, b, c] = [landlord, down, up].map((indices, agent) => {
          const sees = new Float32Array(game.observationSpaces[agent].shape[0]);
          game.observe(agent, sees, 0);
          return indices.slice(108).map((i) => sees[i]);
        });
        expect([b.findIndex((x, i) => x !== a[i]), c.findIndex((x, i) => x !== a[i])]).toEqual([-1, -1]);
        game.step(new Float32Array(3).fill(random.below(game.moves().length)));
      }
      expect(landlord.length).toBe(observation === "rlcard" ? 648 : 3 * 54 + 15 + 15 * 54);
    }
  });

  it.each([
    [["33445566778899TTJQKA", "33445566778899TTR"], "33A"],
    [["33445566778899TTJQKA", "33445566778899TTRB", "JJJQQQKKKAAA2222"], "33A"],
    [["33445566778899TTJQKA", "33345566778899TTR", "JJJQQQKKKAAA2222B"], "33A"],
    [HANDS, "333"],
    [HANDS, "33"],
  ])("refuses the deal %j with %s shown", (hands, shown) => {
    const game = played(["3"]);
    const before = game.render();
    expect(() => game.deal(hands, shown)).toThrow(expect.objectContaining({ code: "invalid-option" }));
    expect(game.render()).toBe(before);
  });

  it("draws every card and what is to be beaten", () => {
    const picture = played(["3", "R"]).svg?.() ?? "";
    expect(picture.match(/>10</g)).toHaveLength(4);
    expect(picture).toContain("landlord_up to beat R");
    expect(picture).toContain("landlord_down, 16 cards");
  });
});
