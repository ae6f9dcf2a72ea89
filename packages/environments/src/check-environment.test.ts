import { describe, expect, it } from "@jest/globals";
import type { Environment, MakeEnvironment } from "@magic-mask/core";
import { cartPole } from "./cart-pole.ts";
import { checkEnvironment } from "./check-environment.ts";
import { connectFour } from "./connect-four.ts";
import { planted } from "./planted.ts";
import { pongWalls } from "./pong-walls.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

/** A sound world with some of its members replaced. */
const changed = (make: MakeEnvironment, change: (world: Environment) => Partial<Environment>) => () => {
  const world = make();
  return { ...world, ...change(world) };
};

describe("checkEnvironment", () => {
  it("lets sound worlds pass", () => {
    expect(() => checkEnvironment(connectFour)).not.toThrow();
  });

  it.each<[string, (world: Environment) => Partial<Environment>, string]>([
    ["an ignored end", () => ({ acting: new Uint8Array(2) }), "starts clean"],
    ["an id without a version", () => ({ id: "planted" }), "declares"],
    ["a mask of zeros", () => ({ legal: () => 0 }), "legal action"],
    ["a return out of range", () => ({ returnRange: [0, 0] }), "declared range"],
    [
      "a snapshot that forgets",
      ({ restore }) => ({ restore: (from, offset) => restore(from.slice().fill(0, offset, offset + 8), offset) }),
      "snapshot",
    ],
    [
      "a crash",
      () => ({
        render: () => {
          throw new TypeError("no picture");
        },
      }),
      "no picture",
    ],
  ])("names the law that %s breaks", (_, change, law) => {
    expect(() => checkEnvironment(changed(planted, change))).toThrow(
      expect.objectContaining({
        code: "law-broken",
        message: expect.stringMatching(new RegExp(`law ".*${law}`)),
      }),
    );
  });

  it("says what it could not check", () => {
    expect(checkEnvironment(ticTacToe)).toEqual([]);
    expect(checkEnvironment(changed(ticTacToe, () => ({ chance: undefined })))).toEqual([
      expect.stringContaining("declare chance"),
    ]);
    const uncopied = changed(ticTacToe, () => ({ snapshotBytes: 0 }));
    expect(checkEnvironment(uncopied)).toEqual([expect.stringContaining("snapshotBytes is 0")]);
  });

  const deaf = ({ restore }: Environment): Partial<Environment> => ({
    restore: (from, offset) => restore(from, offset),
  });
  const seedless = ({ reset }: Environment): Partial<Environment> => ({ reset: () => reset(0) });
  const halved = ({ reset }: Environment): Partial<Environment> => ({ reset: (seed) => reset(seed & 0xffff) });
  const empty = (): Partial<Environment> => ({
    legal(_agent, out, offset) {
      out.fill(0, offset, offset + 7);
      return 0;
    },
  });
  /** Offers all, full columns and taken squares included. */
  const lavish = ({ acting, actionSpaces }: Environment): Partial<Environment> => ({
    legal(agent, out, offset) {
      const { n } = actionSpaces[agent] as { n: number };
      out.fill(acting[agent], offset, offset + n);
      return acting[agent] * n;
    },
  });
  it.each<[string, MakeEnvironment, string]>([
    ["restore is deaf to its stream, in planted", changed(planted, deaf), "chance from the stream given at restore"],
    [
      "restore is deaf to its stream, in pong_walls",
      changed(() => pongWalls({ agents: 2, points: 2 }), deaf),
      "chance from the stream given at restore",
    ],
    ["every seed is 0, in cartpole", changed(cartPole, seedless), "by every bit of the seed"],
    ["every seed is 0, in planted", changed(planted, seedless), "by every bit of the seed"],
    ["half of a seed is lost, in cartpole", changed(cartPole, halved), "by every bit of the seed"],
    ["nothing is legal, in connect_four", changed(connectFour, empty), "offers every acting agent a legal action"],
    ["nothing is legal, in tictactoe", changed(ticTacToe, empty), "offers every acting agent a legal action"],
    ["full columns are offered", changed(connectFour, lavish), "offers every acting agent a legal action"],
    ["taken squares are offered", changed(ticTacToe, lavish), "offers every acting agent a legal action"],
  ])("finds that %s", (_, make, law) => {
    expect(() => checkEnvironment(make)).toThrow(
      expect.objectContaining({ code: "law-broken", message: expect.stringMatching(new RegExp(`law ".*${law}`)) }),
    );
  });
});
