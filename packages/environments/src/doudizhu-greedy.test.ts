import { describe, expect, it } from "@jest/globals";
import { boxSize, ILLEGAL, isOver, stream } from "@magic-mask/core";
import { type Doudizhu, type DoudizhuOptions, doudizhu, doudizhuMove, doudizhuMoveId } from "./doudizhu.ts";
import { doudizhuGreedy } from "./doudizhu-greedy.ts";

const HANDS = ["3334567788TJQKKKK22R", "3445566788999TTAA", "45679TJJJQQQAA22B"];

const players = (observation: "rlcard" | "douzero") => [0, 1, 2].map((agent) => doudizhuGreedy({ agent, observation }));
const encodings = { rlcard: players("rlcard"), douzero: players("douzero") };

/** What the greedy player of whose turn it is plays, an index into `game.moves()`. */
function greedyMove(game: Doudizhu, observation: "rlcard" | "douzero"): number {
  const agent = game.acting.indexOf(1);
  const observations = new Float32Array(boxSize(game.observationSpaces[agent]));
  const features = new Float32Array(519 * 54);
  const legal = new Uint8Array(519);
  game.observe(agent, observations, 0);
  game.legal(agent, legal, 0);
  const counts = Int32Array.of(game.candidates(agent, features, 0));
  const parameters = new Float32Array(519);
  const candidates = { features, starts: Int32Array.of(0), counts };
  encodings[observation][agent].evaluate(
    { count: 1, observations, legal, candidates },
    parameters,
    new Float32Array(1),
  );
  expect(parameters.filter((p) => p > ILLEGAL)).toEqual(Float32Array.of(0));
  return parameters.indexOf(0);
}

/** The cards that the greedy player plays after these moves, whatever way it sees the game. */
function answer(...moves: string[]): string {
  const [rlcard, douzero] = (["rlcard", "douzero"] as const).map((observation) => answerOf(observation, moves));
  expect(douzero).toBe(rlcard);
  return rlcard;
}

function answerOf(observation: NonNullable<DoudizhuOptions["observation"]>, moves: string[]): string {
  const game = doudizhu({ observation });
  game.deal(HANDS, "333");
  for (const cards of moves) game.step(new Float32Array(3).fill(game.moves().indexOf(doudizhuMoveId(cards))));
  return doudizhuMove(game.moves()[greedyMove(game, observation)]).cards;
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
      actions[mover] = greedy.includes(mover) ? greedyMove(game, "rlcard") : random.below(game.moves().length);
    }
    wins += game.rewards[0];
  }
  return wins;
}

describe("doudizhuGreedy", () => {
  it("refuses other seats, and decisions without candidates", () => {
    expect(() => doudizhuGreedy({ agent: 3 })).toThrow(expect.objectContaining({ code: "invalid-option" }));
    const batch = { count: 1, observations: new Float32Array(790), legal: new Uint8Array(519) };
    expect(() => encodings.rlcard[0].evaluate(batch, new Float32Array(519), new Float32Array(1))).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
  });

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
