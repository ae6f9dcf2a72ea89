import { byName, checkCount, MagicMaskError } from "@magic-mask/core";

/** Columns of the board, numbered from 0 on the left. */
export const COLUMNS = 7;
export const ROWS = 6;

/**
 * A position of Connect 4 on the board of 6 × 7, as bits: bit 7c + r is the cell in row r of column c, row 0 at the
 * bottom. The other side's stones are own ^ all.
 */
export interface Position {
  /** Stones of the side to move. */
  readonly own: bigint;
  /** Stones of both. */
  readonly all: bigint;
}

const SOURCE = "solver/position";
/** Bits from one column to the next. */
const STRIDE = 7;

/**
 * The position after a sequence of moves, the first player's first.
 *
 * @param columns 0 … 6 each
 * @throws invalid-option for what is no column; illegal-action if a column is full or the game is over before
 */
export function positionAfter(columns: ArrayLike<number>): Position {
  let position: Position = { own: 0n, all: 0n };
  for (let ply = 0; ply < columns.length; ply++) {
    const column = columns[ply];
    checkCount(SOURCE, `columns[${ply}]`, column, 0, COLUMNS - 1);
    const legal = isOpen(position, column) && !isWon(position);
    if (!legal) {
      const why = isWon(position) ? "the game is over before it" : "that column is full";
      throw new MagicMaskError(
        "illegal-action",
        SOURCE,
        `move ${ply + 1} is into column ${column + 1}, counted from 1, but ${why}`,
      );
    }
    position = play(position, column);
  }
  return position;
}

/**
 * The position after moves in the usual notation: a digit each, columns 1 to 7.
 *
 * @throws invalid-option for what is no such digit; illegal-action as `positionAfter`
 */
export function parsePosition(moves: string): Position {
  if (!/^[1-7]*$/.test(moves)) {
    throw new MagicMaskError("invalid-option", SOURCE, `moves must be digits from 1 to 7, got "${moves}"`);
  }
  return positionAfter(Array.from(moves, (digit) => Number(digit) - 1));
}

/** What an observation of `connect_four_v0` shows, by the option of that name: own and other's stones, and threats beside. */
export type Observation = "planes" | "threats";

/** Numbers per cell. */
const PLANES = { planes: 2, threats: 4 } as const;

/** D, the length of an observation. @throws unknown-name */
export const observationSize = (observation: Observation): number =>
  ROWS * COLUMNS * byName(SOURCE, "observation", PLANES, observation);

/**
 * The position that an observation of `connect_four_v0`, as the side to move sees it, shows: [6, 7, planes], the
 * top row first.
 *
 * @param observations one starts at `offset`
 * @throws shape-mismatch if it is not whole; unknown-name; invalid-option if the board cannot come up in a game, or the
 * game is over
 */
export function positionSeen(observations: Float32Array, offset: number, observation: Observation): Position {
  const size = observationSize(observation);
  if (!(offset >= 0 && offset + size <= observations.length)) {
    const got = `${observations.length - offset} from ${offset} on`;
    throw new MagicMaskError("shape-mismatch", SOURCE, `wanted ${size} numbers of "${observation}", got ${got}`);
  }
  const planes = PLANES[observation];
  let own = 0n;
  let all = 0n;
  let mine = 0;
  let others = 0;
  for (let column = 0; column < COLUMNS; column++) {
    for (let row = 0, open = false; row < ROWS; row++) {
      const at = offset + ((ROWS - 1 - row) * COLUMNS + column) * planes;
      const [self, other] = [observations[at], observations[at + 1]];
      const isSound = (self === 0 || self === 1) && (other === 0 || other === 1) && self + other <= (open ? 0 : 1);
      if (!isSound) throw noPosition(`row ${row} from the bottom of column ${column} holds ${self}, ${other}`);
      open ||= self + other === 0;
      const cell = 1n << BigInt(STRIDE * column + row);
      if (self + other === 1) all |= cell;
      if (self === 1) own |= cell;
      mine += self;
      others += other;
    }
  }
  if (others !== mine && others !== mine + 1) throw noPosition(`${mine} own stones against ${others}`);
  if (hasFour(own) || hasFour(own ^ all)) throw noPosition("there is a line of four");
  return { own, all };
}

const noPosition = (what: string) =>
  new MagicMaskError("invalid-option", SOURCE, `wanted a board of Connect 4 that is played on: ${what}`);

/** Whether `column` has an empty cell. */
export const isOpen = ({ all }: Position, column: number): boolean =>
  (all & (1n << BigInt(STRIDE * column + ROWS - 1))) === 0n;

/** The position after a stone in `column`, which is open; the other side is to move. */
export const play = ({ own, all }: Position, column: number): Position => ({
  own: own ^ all,
  all: all | (all + (1n << BigInt(STRIDE * column))),
});

/** Whether the side that moved last has four in a line. */
export const isWon = ({ own, all }: Position): boolean => hasFour(own ^ all);

/** Number of stones on the board. */
export function stonesOf({ all }: Position): number {
  let count = 0;
  for (let left = all; left !== 0n; left &= left - 1n) count++;
  return count;
}

function hasFour(stones: bigint): boolean {
  return [1n, 6n, 7n, 8n].some((step) => {
    const pairs = stones & (stones >> step);
    return (pairs & (pairs >> (2n * step))) !== 0n;
  });
}
