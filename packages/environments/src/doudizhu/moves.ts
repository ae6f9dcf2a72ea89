import { MagicMaskError } from "@magic-mask/core";

/** The fifteen ranks from low to high, B and R the two jokers; a rank is its index here. Suits do not matter. */
export const RANKS = "3456789TJQKA2BR";
/** Cards of each rank in the deck. */
export const DECK: readonly number[] = [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1, 1];
/** Chains reach up to the ace. */
const CHAIN_RANKS = 12;
/** Ranks with four cards: all but the jokers. */
const SUITED = 13;
/** The id of passing: the last of RLCard's 27,472. Ids above it are moves that only DouZero knows. */
export const PASS = 27_471;
/** Thirteen bombs and the rocket come before it. */
export const isBomb = (id: number) => id >= PASS - 14 && id < PASS;

/**
 * What the moves of one type have in common. The main part is `length` ranks in a row, `copies` cards of each; `kickers`
 * further single cards or pairs (`kickerSize`) come along. Moves of one type are compared by the first rank of the main part.
 */
interface MoveType {
  /** RLCard's name, e.g. `trio_solo_chain_3`. */
  readonly name: string;
  readonly copies: number;
  readonly length: number;
  readonly kickers: number;
  readonly kickerSize: number;
  /** Holds kickers that RLCard forbids. */
  readonly douzeroOnly: boolean;
}

const type = (name: string, copies: number, length = 1, kickers = 0, kickerSize = 0): MoveType => ({
  name,
  copies,
  length,
  kickers,
  kickerSize,
  douzeroOnly: false,
});

const chains = (name: string, copies: number, shortest: number, longest: number, kickerSize = 0): MoveType[] =>
  Array.from({ length: longest - shortest + 1 }, (_, i) => {
    const length = shortest + i;
    return type(`${name}_${length}`, copies, length, kickerSize > 0 ? length : 0, kickerSize);
  });

/** In the order of RLCard's table; rocket and pass close it. */
const TYPES: readonly MoveType[] = [
  type("solo", 1),
  type("pair", 2),
  type("trio", 3),
  type("trio_solo", 3, 1, 1, 1),
  type("trio_pair", 3, 1, 1, 2),
  ...chains("solo_chain", 1, 5, 12),
  ...chains("pair_chain", 2, 3, 10),
  ...chains("trio_chain", 3, 2, 6),
  ...chains("trio_solo_chain", 3, 2, 5, 1),
  ...chains("trio_pair_chain", 3, 2, 4, 2),
  type("four_two_solo", 4, 1, 2, 1),
  type("four_two_pair", 4, 1, 2, 2),
  type("bomb", 4),
];

/**
 * All moves. A set of cards is 54 bits: four slots a rank from 3 to 2, filled from the first (two cards → 1100), then B and R.
 * Bits 0 … 27 are in a low word, 28 … 53 in a high one; so a move can be made from a hand if none of its bits is missing there.
 *
 * Moves of one type and one first rank are a group: they lie side by side and share the main part. Groups of one type lie
 * side by side too, by first rank.
 */
export interface MoveTable {
  /** [M] by id: the cards, how many they are, and the highest rank of which there are exactly three (0 if there is none). */
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly sizes: Uint8Array;
  readonly tops: Uint8Array;
  /** [M] */
  readonly groupOf: Uint16Array;
  /** [G] the cards of the main part, the ids [first, end), the first rank, the type. */
  readonly mainLow: Int32Array;
  readonly mainHigh: Int32Array;
  readonly firsts: Uint16Array;
  readonly ends: Uint16Array;
  readonly ranks: Uint8Array;
  readonly typeOf: Uint8Array;
  /** [T] RLCard's types in its order, then those that only DouZero knows; and the groups [first, end) of each. */
  readonly types: readonly MoveType[];
  readonly groupsFrom: Uint16Array;
  readonly groupsTo: Uint16Array;
  /** Ids by `keyOf` the cards. */
  readonly ids: ReadonlyMap<number, number>;
}

let table: MoveTable | undefined;

/** The table, made once when it is first needed. */
export function moveTable(): MoveTable {
  table ??= build();
  return table;
}

/** One of all moves of Doudizhu. */
export interface DoudizhuMove {
  /** RLCard's action id, 0 … 27471; above that for moves that only DouZero's rules know. */
  readonly id: number;
  /** The cards by rank, e.g. `34445`, `""` for the pass. B and R are the jokers. */
  readonly cards: string;
  /** RLCard's name of the type, e.g. `trio_solo_chain_2`. */
  readonly type: string;
  /** What moves of one type are compared by: the first rank of the main part, 0 for a 3 to 14 for the red joker. */
  readonly rank: number;
}

/** The move with this id, which an array of moves has as an entry. @throws invalid-option */
export function doudizhuMove(id: number): DoudizhuMove {
  const { groupOf, typeOf, types, ranks, low, high } = moveTable();
  if (!(Number.isInteger(id) && id >= 0 && id < groupOf.length)) {
    throw new MagicMaskError(
      "invalid-option",
      "environments/doudizhu",
      `a move's id is an integer from 0 to ${groupOf.length - 1}, got ${id}`,
    );
  }
  const group = groupOf[id];
  return { id, cards: nameOf(low[id], high[id]), type: types[typeOf[group]].name, rank: ranks[group] };
}

/** The id of the move that these cards are, in any order; `""` is the pass. @throws unknown-name if they are none */
export function doudizhuMoveId(cards: string): number {
  const id = moveTable().ids.get(keyOf(countCards(cards)));
  if (id !== undefined) return id;
  throw new MagicMaskError("unknown-name", "environments/doudizhu", `"${cards}" is not a move of Doudizhu`);
}

/** The id of the move whose cards start at `features[at]`, 54 numbers as `candidates` writes them. */
export function idOf(features: ArrayLike<number>, at: number): number {
  let key = 0;
  for (let rank = 0; rank < RANKS.length; rank++) {
    let cards = 0;
    const slots = rank < SUITED ? 4 : 1;
    for (let k = 0; k < slots; k++) cards += features[at++];
    key = 5 * key + cards;
  }
  return moveTable().ids.get(key) as number;
}

/** [15] how many of each rank. @throws unknown-name if a letter is no rank */
export function countCards(cards: string): number[] {
  const counts = RANKS.split("").map(() => 0);
  for (const card of cards) {
    const rank = RANKS.indexOf(card);
    if (rank < 0) {
      throw new MagicMaskError("unknown-name", "environments/doudizhu", `cards are ${RANKS}, got "${card}"`);
    }
    counts[rank]++;
  }
  return counts;
}

/** @param counts [15] from `offset`, at most four of each rank and one of each joker */
export function lowWord(counts: ArrayLike<number>, offset: number): number {
  let word = 0;
  for (let rank = 6; rank >= 0; rank--) word = (word << 4) | ((1 << counts[offset + rank]) - 1);
  return word;
}

export function highWord(counts: ArrayLike<number>, offset: number): number {
  let word = (counts[offset + 14] << 1) | counts[offset + 13];
  for (let rank = 12; rank >= 7; rank--) word = (word << 4) | ((1 << counts[offset + rank]) - 1);
  return word;
}

/** How many cards of `rank` there are in a set of cards. */
export function countOf(low: number, high: number, rank: number): number {
  if (rank >= SUITED) return (high >>> (rank + 11)) & 1;
  const slots = (rank < 7 ? low >>> (4 * rank) : high >>> (4 * rank - 28)) & 15;
  return 32 - Math.clz32(slots);
}

export function nameOf(low: number, high: number): string {
  return RANKS.split("")
    .map((card, rank) => card.repeat(countOf(low, high, rank)))
    .join("");
}

function build(): MoveTable {
  const types: MoveType[] = [];
  const groupsFrom: number[] = [];
  const groupsTo: number[] = [];
  const mains: (readonly number[])[] = [];
  const firsts: number[] = [];
  const ends: number[] = [];
  const ranks: number[] = [];
  const typeOf: number[] = [];
  const moves: number[][] = [];
  const groupOf: number[] = [];
  const ids = new Map<number, number>();

  const addGroup = (rank: number, main: readonly number[], kickers: readonly (readonly number[])[]) => {
    const { kickerSize } = types[types.length - 1];
    firsts.push(moves.length);
    for (const kicker of kickers) {
      const counts = main.slice();
      for (const card of kicker) counts[card] += kickerSize;
      const key = keyOf(counts);
      if (ids.has(key)) continue;
      ids.set(key, moves.length);
      groupOf.push(mains.length);
      moves.push(counts);
    }
    ends.push(moves.length);
    ranks.push(rank);
    mains.push(main);
    typeOf.push(types.length - 1);
  };
  const addType = (added: MoveType, addGroups: () => void) => {
    types.push(added);
    groupsFrom.push(mains.length);
    addGroups();
    groupsTo.push(mains.length);
  };
  const addAll = (added: MoveType) =>
    addType(added, () => {
      const { copies, length } = added;
      const last = length > 1 ? CHAIN_RANKS - length : copies === 1 ? RANKS.length - 1 : SUITED - 1;
      for (let rank = 0; rank <= last; rank++) {
        const main = DECK.map((_, r) => (r >= rank && r < rank + length ? copies : 0));
        addGroup(rank, main, kickersOf(added, rank));
      }
    });

  for (const each of TYPES) addAll(each);
  addType(type("rocket", 0), () => addGroup(0, countCards("BR"), [[]]));
  addType(type("pass", 0), () => addGroup(0, countCards(""), [[]]));
  for (const each of TYPES) if (each.kickers > 1 && each.kickerSize === 1) addAll({ ...each, douzeroOnly: true });

  const size = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  return {
    low: Int32Array.from(moves, (counts) => lowWord(counts, 0)),
    high: Int32Array.from(moves, (counts) => highWord(counts, 0)),
    sizes: Uint8Array.from(moves, size),
    tops: Uint8Array.from(moves, (counts) => Math.max(0, counts.lastIndexOf(3))),
    groupOf: Uint16Array.from(groupOf),
    mainLow: Int32Array.from(mains, (counts) => lowWord(counts, 0)),
    mainHigh: Int32Array.from(mains, (counts) => highWord(counts, 0)),
    firsts: Uint16Array.from(firsts),
    ends: Uint16Array.from(ends),
    ranks: Uint8Array.from(ranks),
    typeOf: Uint8Array.from(typeOf),
    types,
    groupsFrom: Uint16Array.from(groupsFrom),
    groupsTo: Uint16Array.from(groupsTo),
    ids,
  };
}

/**
 * The kickers that moves of a type may have beside a main part that starts at `first`, each a list of ranks, in table order.
 *
 * Pairs are of different ranks. Of single cards there are at most three of one rank, and of a rank next to the main part at
 * most two, so that no longer chain hides in them (no chain goes on with a 2); never both jokers. DouZero allows what the deck holds.
 */
function kickersOf({ length, kickers, kickerSize, douzeroOnly }: MoveType, first: number): number[][] {
  const most = DECK.map((cards, rank) => {
    if (rank >= first && rank < first + length) return 0;
    if (kickerSize === 2) return rank < SUITED ? 1 : 0;
    if (douzeroOnly) return cards;
    const nextTo = (rank === first - 1 || rank === first + length) && rank < CHAIN_RANKS;
    return Math.min(cards, nextTo ? 2 : 3);
  });
  const sets = choose(most, kickers, 0).filter((set) => douzeroOnly || !(set.includes(13) && set.includes(14)));
  // RLCard's table: three single kickers go by all different, all equal, then by the rank of the pair; four and five by
  // whether there is a joker. Within that, and everywhere else, by rank.
  const part = (set: readonly number[]) => {
    if (kickerSize === 2 || douzeroOnly || kickers < 3) return 0;
    if (kickers > 3) return set.some((rank) => rank >= SUITED) ? 0 : 1;
    const distinct = new Set(set).size;
    return distinct === 3 ? 0 : distinct === 1 ? 1 : 2 + set[1];
  };
  return sets.sort((a, b) => part(a) - part(b));
}

/** All ways to choose `count` cards of ranks from `from` on, at most `most[rank]` of each, in lexicographic order. */
function choose(most: readonly number[], count: number, from: number): number[][] {
  if (count === 0) return [[]];
  const sets: number[][] = [];
  for (let rank = from; rank < most.length; rank++) {
    if (most[rank] === 0) continue;
    const left = most.with(rank, most[rank] - 1);
    for (const rest of choose(left, count - 1, rank)) sets.push([rank, ...rest]);
  }
  return sets;
}

/** One number per set of cards. */
const keyOf = (counts: readonly number[]) => counts.reduce((key, count) => 5 * key + count, 0);
