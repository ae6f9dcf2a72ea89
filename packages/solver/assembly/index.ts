/**
 * Negamax over bitboards with a transposition table. The technique is the known one: boards of 7 bits a column and the
 * test for four by shifts (Tromp, Fhourstones), null-window search closing in on the score, moves that do not lose at
 * once, ordered by the threats that they make (Pons, "Solving Connect 4: how to build a perfect AI", 2015–2019).
 *
 * A position is two boards: the stones of the side to move, and all stones. Bit 7c + r is the cell in row r of column c,
 * counted from the bottom; the seventh bit of a column stays empty, so that no line runs from one column into the next.
 * Scores: +k, the side to move wins with its k-th last stone; −k, the other one does; 0, a draw.
 */
const BOTTOM: u64 = 0x0000040810204081;
const COLUMN: u64 = 0x3f;
const BOARD: u64 = BOTTOM * COLUMN;
const COLUMNS: i32 = 7;
const CELLS: i32 = 42;
/** Digits of base 16, the last first: columns 3 2 4 1 5 0 6, as more lines run through the middle. */
const CENTRE_FIRST: i32 = 0x6051423;
/** No column. */
const NONE: u64 = 7;
/** Added to scores in the table, so that they are not negative. */
const OFFSET: i32 = 21;
/** Above the threats that any move can make. */
const BEST_BEFORE: u64 = 64;

let table: usize = 0;
let shift: u64 = 0;
let searched: f64 = 0;
/** One list of up to 7 moves, 8 bytes each, for each number of stones. */
const lists = memory.data(43 * 64, 8);

/** First byte that the kernel leaves to the host, a multiple of 16. */
export function base(): usize {
  return (__heap_base + 15) & ~15;
}

/** @param at of 16 << bits bytes of zeros */
export function setTable(at: usize, bits: i32): void {
  table = at;
  shift = 64 - bits;
}

/** Positions searched so far. */
export function nodes(): f64 {
  return searched;
}

/**
 * The score of a position in which nobody has four and a cell is empty.
 *
 * @param signOnly whether any number of the score's sign will do, which is found sooner
 */
export function solve(own: u64, all: u64, signOnly: i32): i32 {
  const stones = <i32>popcnt(all);
  if (wins(own, all) & (all + BOTTOM)) return (CELLS + 1 - stones) >> 1;
  let lower = -((CELLS - stones) >> 1);
  let upper = (CELLS - 1 - stones) >> 1;
  if (signOnly) {
    lower = max(lower, -1);
    upper = min(upper, 1);
  }
  while (lower < upper) {
    // Halves what is left; but most scores are near 0, and windows there are the cheapest.
    let middle = lower + ((upper - lower) >> 1);
    if (middle <= 0 && lower / 2 < middle) middle = lower / 2;
    else if (middle >= 0 && upper / 2 > middle) middle = upper / 2;
    const score = search(own, all, stones, middle);
    if (score > middle) lower = score;
    else upper = score;
  }
  return lower;
}

/**
 * Whether the score is above `alpha`, as a bound of it: a result above `alpha` is at most the score, any other one at
 * least. The side to move must not be able to win with its next stone.
 */
function search(own: u64, all: u64, stones: i32, alpha: i32): i32 {
  searched++;
  const other = own ^ all;
  let moves = (all + BOTTOM) & BOARD;
  const threats = wins(other, all);
  const forced = moves & threats;
  // Two cells to defend at once, or one below a cell that the other side wins on, are too many.
  if (forced) moves = forced & (forced - 1) ? 0 : forced;
  moves &= ~(threats >> 1);
  if (!moves) return -((CELLS - stones) >> 1);
  if (stones >= CELLS - 2) return 0;
  // Neither side wins with its next stone.
  let lower = -((CELLS - 2 - stones) >> 1);
  if (lower > alpha) return lower;
  let upper = (CELLS - 1 - stones) >> 1;
  if (upper <= alpha) return upper;

  const key = own + all + BOTTOM;
  const slot = slotOf(key);
  let entry = load<u64>(slot);
  if (entry >> 15 != key) entry = load<u64>(slot, 8);
  let before: u64 = 0;
  if (entry >> 15 == key) {
    lower = <i32>((entry >> 6) & 63) - OFFSET;
    if (lower > alpha) return lower;
    upper = <i32>(entry & 63) - OFFSET;
    if (upper <= alpha) return upper;
    const column = (entry >> 12) & 7;
    if (column != NONE) before = moves & (COLUMN << (column * 7));
  }

  const list = lists + (<usize>stones << 6);
  let count: usize = 0;
  for (let k = 0; k < COLUMNS; k++) {
    const move = moves & (COLUMN << (<u64>((CENTRE_FIRST >> (k << 2)) & 15) * 7));
    if (!move) continue;
    const rank = move == before ? BEST_BEFORE : popcnt(wins(own | move, all | move));
    let at = count++;
    for (; at > 0; at--) {
      const better = load<u64>(list + ((at - 1) << 3));
      if (better >> 56 >= rank) break;
      store<u64>(list + (at << 3), better);
    }
    store<u64>(list + (at << 3), (rank << 56) | move);
  }

  let best = -CELLS;
  let column = NONE;
  for (let k: usize = 0; k < count; k++) {
    const move = load<u64>(list + (k << 3)) & BOARD;
    const score = -search(other, all | move, stones + 1, -alpha - 1);
    best = max(best, score);
    if (score > alpha) {
      column = ctz(move) / 7;
      break;
    }
  }
  if (best > alpha) lower = max(lower, best);
  else upper = min(upper, best);
  const bounds = (<u64>(lower + OFFSET) << 6) | <u64>(upper + OFFSET);
  keep(slot, key, (key << 15) | (column << 12) | bounds, stones);
  return best;
}

/** The empty cells where one stone more would give `own` a line of four, reachable now or not. */
// @ts-ignore: decorator
@inline
function wins(own: u64, all: u64): u64 {
  return ((own << 1) & (own << 2) & (own << 3) | across(own, 7) | across(own, 6) | across(own, 8)) & (BOARD ^ all);
}

/** The cells that have three of `own` beside them in one direction, on either side or on both. */
// @ts-ignore: decorator
@inline
function across(own: u64, step: u64): u64 {
  const after = (own << step) & (own << (2 * step));
  const ahead = (own >> step) & (own >> (2 * step));
  return (after & ((own << (3 * step)) | (own >> step))) | (ahead & ((own << step) | (own >> (3 * step))));
}

/**
 * Where the table holds a position, if it does: here or 8 bytes on. An entry is, from the highest bit, the key (49 bits:
 * no two positions share one), the column that was best (3), bounds below (6) and above (6); 0 is no position's.
 */
// @ts-ignore: decorator
@inline
function slotOf(key: u64): usize {
  return table + (<usize>((key * 0x9e3779b97f4a7c15) >> shift) << 4);
}

/**
 * Puts the entry first in its slot if no fewer stones stand in the one that is there, which then becomes second; else it
 * becomes second itself. So what took long to search outlasts what did not.
 */
// @ts-ignore: decorator
@inline
function keep(slot: usize, key: u64, entry: u64, stones: i32): void {
  const old = load<u64>(slot);
  if (old >> 15 == key) store<u64>(slot, entry);
  else if (old != 0 && stonesOf(old >> 15) < stones) store<u64>(slot, entry, 8);
  else {
    store<u64>(slot, old, 8);
    store<u64>(slot, entry);
  }
}

/** Stones of a key: the highest bit of each column stands as high as the column is full. */
// @ts-ignore: decorator
@inline
function stonesOf(key: u64): i32 {
  let filled = key | ((key >> 1) & (BOTTOM * 0x3f));
  filled |= (filled >> 2) & (BOTTOM * 0x1f);
  filled |= (filled >> 4) & (BOTTOM * 0x07);
  return <i32>popcnt(filled) - COLUMNS;
}
