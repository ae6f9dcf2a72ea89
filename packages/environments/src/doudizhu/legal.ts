import { countOf, type MoveTable, moveTable, PASS } from "./moves.ts";

/**
 * Most moves that one hand can have, by either rules: those of 333444555666789TJQKA. All hands of twenty cards were counted, and
 * none has more. Nor has a smaller hand, whose moves are among those of a larger one; nor who follows with one of these: but for
 * the pass it may play nothing that it may not lead, and there is much that it may only lead.
 */
export const MOST_MOVES = 519;

/** The table, and where in it the types lie that are asked for by name. */
interface Index {
  readonly table: MoveTable;
  readonly bomb: number;
  readonly rocket: number;
  readonly trioChain4: number;
  /** [T] 1 for trio_solo_chain_n. */
  readonly isPlane: Uint8Array;
  /** [T] the RLCard type and the DouZero-only type of this type's name; −1 where there is none. */
  readonly known: Int8Array;
  readonly extra: Int8Array;
}

let index: Index | undefined;

function makeIndex(): Index {
  const table = moveTable();
  const { types } = table;
  const find = (name: string, douzeroOnly = false) =>
    types.findIndex((type) => type.name === name && type.douzeroOnly === douzeroOnly);
  return {
    table,
    bomb: find("bomb"),
    rocket: find("rocket"),
    trioChain4: find("trio_chain_4"),
    isPlane: Uint8Array.from(types, ({ name }) => (name.startsWith("trio_solo_chain") ? 1 : 0)),
    known: Int8Array.from(types, ({ name }) => find(name)),
    extra: Int8Array.from(types, ({ name }) => find(name, true)),
  };
}

/**
 * Lists the moves that a hand can make, by rising id.
 *
 * A move is beaten by one of its type with a higher first rank, by a bomb if it is none, and by the rocket.
 *
 * DouZero reads trio_solo_chain_n from the cards alone: it compares by the highest trio, be it one of the kickers; four trios in a
 * row answer three trios with kickers as well; and where kickers hold four of a rank, or three beside more than four trios in
 * all, it makes nothing of the move, which then only bombs and the rocket beat.
 *
 * @param low and `high`: the cards of the hand
 * @param toBeat the id of the move to beat, `PASS` for who leads and may not pass
 * @param out [≥ 519] written
 * @returns how many there are
 */
export function listMoves(douzero: boolean, low: number, high: number, toBeat: number, out: Uint16Array): number {
  index ??= makeIndex();
  const { table, bomb, rocket, trioChain4, isPlane, known, extra } = index;
  const { groupOf, groupsFrom, groupsTo, ranks, typeOf, types } = table;
  const passGroup = groupOf[PASS];
  if (toBeat === PASS) {
    const count = scan(table, low, high, 0, passGroup, -1, out, 0);
    return douzero ? scan(table, low, high, passGroup + 1, ranks.length, -1, out, count) : count;
  }

  const group = groupOf[toBeat];
  const type = typeOf[group];
  let count = 0;
  // Which groups of the type may beat the move, and the rank that their highest trio must exceed.
  let skipped = ranks[group] + 1;
  let above = -1;
  if (type !== rocket) {
    if (douzero && isPlane[type]) {
      const { length } = types[type];
      skipped = 0;
      above = highestTrio(table, toBeat, length);
      if (length === 3) {
        count = scan(table, low, high, groupsFrom[trioChain4], groupsTo[trioChain4], above, out, count);
      }
    }
    count = scan(table, low, high, groupsFrom[known[type]] + skipped, groupsTo[known[type]], above, out, count);
    if (type !== bomb) count = scan(table, low, high, groupsFrom[bomb], groupsTo[bomb], -1, out, count);
    count = scan(table, low, high, groupsFrom[rocket], groupsTo[rocket], -1, out, count);
  }
  out[count++] = PASS;
  if (!douzero || extra[type] < 0) return count;
  return scan(table, low, high, groupsFrom[extra[type]] + skipped, groupsTo[extra[type]], above, out, count);
}

/** Appends the moves of the groups [from, to) that the hand can make and whose highest trio exceeds `above`. */
function scan(
  { low, high, tops, mainLow, mainHigh, firsts, ends }: MoveTable,
  handLow: number,
  handHigh: number,
  from: number,
  to: number,
  above: number,
  out: Uint16Array,
  count: number,
): number {
  const notLow = ~handLow;
  const notHigh = ~handHigh;
  for (let group = from; group < to; group++) {
    if (((mainLow[group] & notLow) | (mainHigh[group] & notHigh)) !== 0) continue;
    for (let id = firsts[group]; id < ends[group]; id++) {
      if (((low[id] & notLow) | (high[id] & notHigh)) === 0 && tops[id] > above) out[count++] = id;
    }
  }
  return count;
}

/** The rank by which DouZero compares a move of `length` trios with single kickers; out of reach if it cannot read it. */
function highestTrio({ low, high, tops }: MoveTable, id: number, length: number): number {
  let trios = 0;
  for (let rank = 0; rank < 13; rank++) {
    const count = countOf(low[id], high[id], rank);
    if (count === 4) return 255;
    if (count === 3) trios++;
  }
  return trios === length || (length === 3 && trios === 4) ? tops[id] : 255;
}
