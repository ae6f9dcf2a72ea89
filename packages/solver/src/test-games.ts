import fc from "fast-check";
import { COLUMNS, isOpen, isWon, type Position, play, positionAfter } from "./position.ts";

/** Random positions with `stones` on the board in which nobody has four; as the columns played. */
export const games = (stones: number | { min: number; max: number }): fc.Arbitrary<number[]> => {
  const { min, max } = typeof stones === "number" ? { min: stones, max: stones } : stones;
  return fc
    .tuple(fc.integer({ min, max }), fc.array(fc.nat(COLUMNS - 1), { minLength: max, maxLength: max }))
    .map(([length, wishes]) => {
      const columns: number[] = [];
      let position: Position = positionAfter([]);
      for (const wish of wishes.slice(0, length)) {
        // The first column from the wish on that is open and does not end the game.
        const next = Array.from({ length: COLUMNS }, (_, k) => (wish + k) % COLUMNS).find(
          (column) => isOpen(position, column) && !isWon(play(position, column)),
        );
        if (next === undefined) break;
        columns.push(next);
        position = play(position, next);
      }
      return columns;
    })
    .filter((columns) => columns.length >= min);
};
