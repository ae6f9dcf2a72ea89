import { describe, expect, it } from "@jest/globals";
import { isOver, stream } from "@magic-mask/core";
import { doudizhu, doudizhuMove, doudizhuMoveId } from "./doudizhu.ts";
import { doudizhuGreedy } from "./doudizhu-greedy.ts";

const HANDS = ["3334567788TJQKKKK22R", "3445566788999TTAA", "45679TJJJQQQAA22B"];

/** The cards that the greedy player plays after these moves. */
function answer(...moves: string[]): string {
  const game = doudizhu();
  game.deal(HANDS, "333");
  for (const cards of moves) game.step(new Float32Array(3).fill(game.moves().indexOf(doudizhuMoveId(cards))));
  return doudizhuMove(game.moves()[doudizhuGreedy(game)]).cards;
}

/** How often the landlord wins `games` games; who is not greedy plays at random. */
function landlordWins(greedy: readonly number[], games: number): number {
  const game = doudizhu();
  const random = stream(3, "greedy");
  const actions = new Float32Array(3);
  let wins = 0;
  for (let seed = 0; seed < games; seed++) {
    for (game.reset(seed); !isOver(game); game.step(actions)) {
      const mover = game.acting.indexOf(1);
      actions[mover] = greedy.includes(mover) ? doudizhuGreedy(game) : random.below(game.moves().length);
    }
    wins += game.rewards[0];
  }
  return wins;
}

describe("doudizhuGreedy", () => {
  it("leads most cards, of these the lowest, and no bomb", () => {
    // Four kings with two pairs, the lowest two, are eight cards; so are two trios with two cards. Chains are shorter.
    expect(answer()).toBe("3377KKKK");
    expect(answer("33", "", "22", "", "")).toBe("45JJJQQQ");
  });

  it("follows with the lowest move that beats", () => {
    expect(answer("3")).toBe("4");
    expect(answer("333", "999")).toBe("");
    expect(answer("3", "A")).toBe("");
    expect(answer("3", "", "A")).toBe("2");
  });

  it("lets the other peasant be, even through the landlord's pass", () => {
    expect(answer("3", "4")).toBe("");
    expect(answer("3", "", "4", "")).toBe("");
    expect(answer("3", "", "4")).toBe("5");
  });

  it("keeps bombs for what nothing else beats", () => {
    expect(answer("7", "", "B")).toBe("R");
    expect(answer("33", "", "22")).toBe("KKKK");
  });

  it("wins against random play as often as the same ten lines do in RLCard", () => {
    // The other's rates come from 150 games, ours from as many: within three standard deviations of the difference, √(2pq/150).
    for (const { greedy, rate } of [
      { greedy: [0], rate: 0.83 },
      { greedy: [1, 2], rate: 0.03 },
      { greedy: [], rate: 0.35 },
    ]) {
      const error = Math.abs(landlordWins(greedy, 150) / 150 - rate);
      expect(error).toBeLessThan(3 * Math.sqrt((2 * rate * (1 - rate)) / 150));
    }
  });
});
