import { highWord, lowWord, moveTable } from "./moves.ts";

/** What all features are made of. Agents are 0 = landlord, 1 = landlord_down, 2 = landlord_up. */
export interface Position {
  /** [3 × 15] cards in each hand and cards each agent has played, by rank. */
  readonly hands: Uint16Array;
  readonly played: Uint16Array;
  /** [3] how many cards are left in each hand. */
  readonly left: Uint8Array;
  /** [15] ids of the last moves, oldest first; passes stand for those that were not made. */
  readonly trace: Uint16Array;
  /** [3] id of each agent's first move of the game, the pass before it was made. */
  readonly first: Uint16Array;
  /** Moves made. */
  turn(): number;
  /** The move that is to be beaten; the pass where the next agent leads. */
  toBeat(): number;
  /** Bombs and rockets played. */
  bombs(): number;
}

/** A way to show the game. */
interface Encoding {
  /** Numbers that the landlord and that each peasant sees. */
  readonly sizes: readonly [landlord: number, peasant: number];
  /** Indices of what means the same to both, in the same order. */
  readonly common: readonly [landlord: readonly number[], peasant: readonly number[]];
  /** Where the last move stands in what the landlord and each peasant sees; those before it stand before it. */
  readonly lastMoves: readonly [landlord: number, peasant: number];
  /** Writes what `agent` sees to `out[at …]`, which holds zeros. */
  write(position: Position, agent: number, out: Float32Array, at: number): void;
}

/** Numbers that a set of cards takes. */
export const CARDS = 54;

const range = (from: number, length: number) => Array.from({ length }, (_, i) => from + i);

/** RLCard's features; sizes and order stand in the docstring of `doudizhu`. */
const rlcard: Encoding = {
  sizes: [790, 901],
  common: [range(0, 648), range(0, 648)],
  lastMoves: [162 + 8 * CARDS, 162 + 8 * CARDS],
  write(position, agent, out, at) {
    const { played, first, left, trace } = position;
    writeCounts(position.hands, 15 * agent, out, at);
    writeOthers(position.hands, agent, out, at + 54);
    writeMove(position.toBeat(), out, at + 108);
    for (let k = 0; k < 9; k++) writeMove(trace[6 + k], out, at + 162 + CARDS * k);
    if (agent === 0) {
      writeCounts(played, 15 * 2, out, at + 648);
      writeCounts(played, 15 * 1, out, at + 702);
      writeLeft(left[2], 17, out, at + 756);
      writeLeft(left[1], 17, out, at + 773);
      return;
    }
    const mate = 3 - agent;
    writeCounts(played, 0, out, at + 648);
    writeCounts(played, 15 * mate, out, at + 702);
    writeMove(first[0], out, at + 756);
    writeMove(first[mate], out, at + 810);
    writeLeft(left[0], 20, out, at + 864);
    writeLeft(left[mate], 17, out, at + 884);
  },
};

const HISTORY = 15 * CARDS;

/** DouZero's features, x_no_action and then z. */
const douzero: Encoding = {
  sizes: [319 + HISTORY, 430 + HISTORY],
  common: [
    [...range(0, 162), ...range(304, 15 + HISTORY)],
    [...range(0, 108), ...range(216, 54), ...range(415, 15 + HISTORY)],
  ],
  lastMoves: [319 + 14 * CARDS, 430 + 14 * CARDS],
  write(position, agent, out, at) {
    const { played, left, trace } = position;
    writeCounts(position.hands, 15 * agent, out, at);
    writeOthers(position.hands, agent, out, at + 54);
    let history = at + 319;
    if (agent === 0) {
      writeMove(position.toBeat(), out, at + 108);
      writeCounts(played, 15 * 2, out, at + 162);
      writeCounts(played, 15 * 1, out, at + 216);
      writeLeft(left[2], 17, out, at + 270);
      writeLeft(left[1], 17, out, at + 287);
    } else {
      const mate = 3 - agent;
      history = at + 430;
      writeCounts(played, 0, out, at + 108);
      writeCounts(played, 15 * mate, out, at + 162);
      writeMove(position.toBeat(), out, at + 216);
      writeMove(lastMoveOf(position, 0), out, at + 270);
      writeMove(lastMoveOf(position, mate), out, at + 324);
      writeLeft(left[0], 20, out, at + 378);
      writeLeft(left[mate], 17, out, at + 398);
    }
    out[history - 15 + position.bombs()] = 1;
    for (let k = 0; k < trace.length; k++) writeMove(trace[k], out, history + CARDS * k);
  },
};

export const encodings: Readonly<Record<"rlcard" | "douzero", Encoding>> = { rlcard, douzero };

/** The last move of an agent; the pass before it has made one. Agents move in turn, so it is one of the last three. */
export function lastMoveOf(position: Position, agent: number): number {
  return position.trace[14 - ((position.turn() + 2 - agent) % 3)];
}

/** Writes a set of cards as 54 numbers: four slots a rank from 3 to 2, filled from the first, then the jokers. */
function writeCards(low: number, high: number, out: Float32Array, at: number): void {
  for (; low !== 0; low &= low - 1) out[at + 31 - Math.clz32(low & -low)] = 1;
  for (; high !== 0; high &= high - 1) out[at + 59 - Math.clz32(high & -high)] = 1;
}

/** Writes the cards of a move; nothing for the pass. */
export function writeMove(id: number, out: Float32Array, at: number): void {
  const { low, high } = moveTable();
  writeCards(low[id], high[id], out, at);
}

const writeCounts = (counts: Uint16Array, offset: number, out: Float32Array, at: number) =>
  writeCards(lowWord(counts, offset), highWord(counts, offset), out, at);

const others = new Uint16Array(15);

function writeOthers(hands: Uint16Array, agent: number, out: Float32Array, at: number): void {
  const one = 15 * ((agent + 1) % 3);
  const two = 15 * ((agent + 2) % 3);
  for (let rank = 0; rank < 15; rank++) others[rank] = hands[one + rank] + hands[two + rank];
  writeCounts(others, 0, out, at);
}

/** One of `width` numbers tells how many cards are left: the first 1 card, the last all of them or none. */
function writeLeft(left: number, width: number, out: Float32Array, at: number): void {
  out[at + (left === 0 ? width : left) - 1] = 1;
}
