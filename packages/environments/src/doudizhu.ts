import { box, candidates, type Environment, MagicMaskError, shuffle, stream } from "@magic-mask/core";
import { readSnapshot, requireEpisode } from "./checks.ts";
import { CARDS, encodings, lastMoveOf, type Position, writeMove } from "./doudizhu/encode.ts";
import { listMoves, MOST_MOVES } from "./doudizhu/legal.ts";
import { countCards, countOf, DECK, highWord, isBomb, lowWord, moveTable, nameOf, PASS } from "./doudizhu/moves.ts";
import { picture, type Scene } from "./doudizhu/picture.ts";
import { refuseUnknown } from "./options.ts";

export { type DoudizhuMove, doudizhuMove, doudizhuMoveId } from "./doudizhu/moves.ts";

export interface DoudizhuOptions {
  /** Which kickers there are and what beats what; see below. */
  readonly rules?: "rlcard" | "douzero";
  /** What is seen of the game; see below. */
  readonly observation?: "rlcard" | "douzero";
}

/** Doudizhu, with what its moves are. Agents are 0 = landlord, 1 = landlord_down, 2 = landlord_up. */
export interface Doudizhu extends Environment {
  candidates(agent: number, out: Float32Array, offset: number): number;
  candidateLabels(agent: number): readonly string[];
  /** The ids of the legal moves of who acts, in the order of its candidates: action a plays `moves()[a]`. */
  moves(): Uint16Array;
  /** The move that has to be beaten, and whose it was; null where who acts leads. */
  toBeat(): { readonly move: number; readonly agent: number } | null;
  /**
   * Starts an episode from this deal.
   *
   * @param hands [3] the cards of each agent, e.g. `34478999TJQQKKKAA2BR`: 20, 17 and 17, together the deck
   * @param shown the three cards of the landlord that all have seen
   * @throws invalid-option, unknown-name
   */
  deal(hands: readonly string[], shown: string): void;
}

const SOURCE = "environments/doudizhu";
const AGENTS = ["landlord", "landlord_down", "landlord_up"];
const HAND_SIZES = [20, 17, 17];

// Places in the state. Before them, and from PLAYED and SHOWN, cards by rank: of each hand, played by each agent, shown at the
// deal. Then the last 15 moves, oldest first; each agent's first move; moves made; bombs played; 1 once there was a deal.
const PLAYED = 45;
const SHOWN = 90;
const TRACE = 105;
const FIRST = 120;
const TURN = 123;
const BOMBS = 124;
const DEALT = 125;
const STATE = 126;

/**
 * Doudizhu without bidding, as RLCard 1.2.0 plays it: a landlord against two peasants; the side wins whose hand is empty first.
 *
 * Agents: `landlord` with 20 of the 54 cards, `landlord_down`, who moves after it, and `landlord_up`, who moves before it, with
 *   17 each. Chance only in the deal. All know three of the landlord's cards, but no observation holds them.
 * Observation: 0 and 1. A set of cards is 54 numbers: four a rank from 3 to 2, filled from the first (two cards are 1 1 0 0), then
 *   the black and the red joker; zeros for a pass and for a move not made. Cards left are one-hot, from 1 card on; the last
 *   number also stands for none.
 *   `rlcard`: own hand 54, the two other hands together 54, the last move (the one before it if that was a pass, so zeros for who
 *   leads) 54, the last nine moves 486 (oldest first).
 *   Then for the landlord, [790] in all: what landlord_up has played 54 and landlord_down 54, what is left to landlord_up 17 and to
 *   landlord_down 17; for a peasant, [901] in all: what the landlord has played 54 and the other peasant 54, the first move of the
 *   game by the landlord 54 and by the other peasant 54 (meant as their last: RLCard finds the first), what is left to the
 *   landlord 20 and to the other peasant 17.
 *   `douzero`: DouZero 1.1.0's x_no_action, then its z.
 *   Landlord, [319 + 810]: own hand, the other hands, the last move, what landlord_up and landlord_down have played, what is left to
 *   landlord_up 17 and to landlord_down 17, the number of bombs played 15.
 *   Peasant, [430 + 810]: own hand, the other hands, what the landlord and the other peasant have played, the last move, the last move
 *   of the landlord and of the other peasant, what is left to the landlord 20 and to the other peasant 17, bombs 15.
 *   z: the last 15 moves, oldest first; DouZero's network reads it as 5 rows of 162.
 * Action: an index into the legal moves, which are listed by rising id; the features of a move are its cards [54]. Who leads must
 *   play. Who follows plays a higher move of the same type, a bomb or the rocket, or passes. After two passes the last player
 *   leads again. Ids are RLCard's (see `doudizhuMove`); the pass is 27471.
 *   `rules`: `rlcard` forbids, among single kickers, both jokers, four of a rank, and three of a rank next to a plane. `douzero`
 *   does not (such moves have ids from 27472 on), and it compares planes with single kickers by their highest trio, be it a kicker's;
 *   see `listMoves`. The deals are the same.
 * Reward: on the last move 1 for the landlord or 1 for each peasant, whoever won; else 0. Bombs double nothing.
 * Ends: terminated when a hand is empty; never truncated.
 *
 * @throws invalid-option, unknown-key
 */
export function doudizhu({ rules = "rlcard", observation = "rlcard", ...unknown }: DoudizhuOptions = {}): Doudizhu {
  refuseUnknown(SOURCE, unknown);
  requireOracle("rules", rules);
  requireOracle("observation", observation);
  const isDouzero = rules === "douzero";
  const encoding = encodings[observation];
  const { low, high } = moveTable();
  // 0 for the landlord, 1 for a peasant.
  const kinds = [0, 1, 1];
  const space = candidates(MOST_MOVES, CARDS);

  const state = new Uint16Array(STATE);
  const bytes = new Uint8Array(state.buffer);
  const hands = state.subarray(0, PLAYED);
  const played = state.subarray(PLAYED, SHOWN);
  const trace = state.subarray(TRACE, FIRST);
  // What follows from the state.
  const left = new Uint8Array(3);
  const legal = new Uint16Array(MOST_MOVES);
  let count = 0;
  const acting = new Uint8Array(3);
  const rewards = new Float64Array(3);
  const terminated = new Uint8Array(3);
  const random = stream(0, SOURCE);
  const deck = new Int32Array(54);

  const position: Position = {
    hands,
    played,
    left,
    trace,
    first: state.subarray(FIRST, TURN),
    turn: () => state[TURN],
    toBeat: () => (trace[14] === PASS ? trace[13] : trace[14]),
    bombs: () => state[BOMBS],
  };

  /** Whose the move to beat is: the last mover's, or the one's before if that passed. */
  const owner = () => (state[TURN] + (trace[14] === PASS ? 1 : 2)) % 3;

  const publish = () => {
    let winner = -1;
    for (let agent = 0; agent < 3; agent++) {
      let sum = 0;
      for (let rank = 0; rank < 15; rank++) sum += hands[15 * agent + rank];
      left[agent] = sum;
      if (sum === 0) winner = agent;
    }
    const runs = state[DEALT] === 1 && winner < 0;
    const mover = state[TURN] % 3;
    count = runs
      ? listMoves(isDouzero, lowWord(hands, 15 * mover), highWord(hands, 15 * mover), position.toBeat(), legal)
      : 0;
    for (let agent = 0; agent < 3; agent++) {
      acting[agent] = runs && agent === mover ? 1 : 0;
      terminated[agent] = state[DEALT] === 1 && winner >= 0 ? 1 : 0;
      rewards[agent] = terminated[agent] === 1 && kinds[agent] === kinds[winner] ? 1 : 0;
    }
  };

  const clear = (dealt: number) => {
    state.fill(0);
    state.fill(PASS, TRACE, TURN);
    state[DEALT] = dealt;
  };
  clear(0);

  const describe = (): Scene => {
    const words = (counts: Uint16Array, offset: number) => nameOf(lowWord(counts, offset), highWord(counts, offset));
    const mover = acting.indexOf(1);
    const move = position.toBeat();
    const players = AGENTS.map((name, agent) => {
      const moved = state[TURN] > agent;
      const last = lastMoveOf(position, agent);
      return {
        name,
        hand: words(hands, 15 * agent),
        last: !moved ? "" : last === PASS ? "pass" : nameOf(low[last], high[last]),
        acts: agent === mover,
        stands: mover >= 0 && move !== PASS && agent === owner(),
      };
    });
    const status =
      state[DEALT] === 0
        ? "not started"
        : mover >= 0
          ? `${AGENTS[mover]} ${move === PASS ? "leads" : `to beat ${nameOf(low[move], high[move])}`}`
          : terminated[0] && left[0] === 0
            ? "the landlord won"
            : "the peasants won";
    return { players, shown: words(state, SHOWN), status };
  };

  return {
    id: "doudizhu_v0",
    agents: AGENTS,
    roles: ["landlord", "peasant", "peasant"],
    observationSpaces: kinds.map((kind) => box([encoding.sizes[kind]], 0, 1)),
    actionSpaces: kinds.map(() => space),
    turnBased: true,
    zeroSum: false,
    returnRange: [0, 1],
    commonFeatures: kinds.map((kind) => encoding.common[kind]),
    chance: "reset",
    snapshotBytes: bytes.length,
    acting,
    rewards,
    terminated,
    truncated: new Uint8Array(3),

    reset(seed) {
      random.rekey(seed, SOURCE);
      clear(1);
      for (let rank = 0, at = 0; rank < 15; rank++) {
        for (let k = 0; k < DECK[rank]; k++) deck[at++] = rank;
      }
      shuffle(deck, random);
      for (let at = 0; at < 54; at++) {
        const agent = at < 51 ? Math.floor(at / 17) : 0;
        hands[15 * agent + deck[at]]++;
        if (at >= 51) state[SHOWN + deck[at]]++;
      }
      publish();
    },

    deal(dealt, shown) {
      const counts = dealt.map(countCards);
      const faceUp = countCards(shown);
      const size = (cards: readonly number[]) => cards.reduce((sum, n) => sum + n, 0);
      const whole =
        counts.map(size).join() === HAND_SIZES.join() &&
        DECK.every((n, rank) => counts[0][rank] + counts[1][rank] + counts[2][rank] === n);
      if (!whole || size(faceUp) !== 3 || faceUp.some((n, rank) => n > counts[0][rank])) {
        throw new MagicMaskError(
          "invalid-option",
          SOURCE,
          `a deal is 20, 17 and 17 cards, together the deck, and three of the landlord's shown; got ${dealt.join(", ")} and ${shown}`,
        );
      }
      clear(1);
      hands.set(counts.flat());
      state.set(faceUp, SHOWN);
      publish();
    },

    observe(agent, out, offset) {
      out.fill(0, offset, offset + encoding.sizes[kinds[agent]]);
      encoding.write(position, agent, out, offset);
    },

    legal(agent, out, offset) {
      const listed = acting[agent] ? count : 0;
      out.fill(1, offset, offset + listed);
      out.fill(0, offset + listed, offset + MOST_MOVES);
      return listed;
    },

    candidates(agent, out, offset) {
      if (!acting[agent]) return 0;
      out.fill(0, offset, offset + count * CARDS);
      for (let k = 0; k < count; k++) writeMove(legal[k], out, offset + k * CARDS);
      return count;
    },

    candidateLabels: (agent) =>
      acting[agent]
        ? Array.from(legal.subarray(0, count), (id) => (id === PASS ? "pass" : nameOf(low[id], high[id])))
        : [],

    moves: () => legal.slice(0, count),

    toBeat() {
      const move = position.toBeat();
      return move === PASS ? null : { move, agent: owner() };
    },

    step(actions) {
      const mover = acting.indexOf(1);
      requireEpisode(SOURCE, mover >= 0);
      const action = actions[mover];
      if (!(Number.isInteger(action) && action >= 0 && action < count)) {
        throw new MagicMaskError(
          "illegal-action",
          SOURCE,
          `${AGENTS[mover]} has ${count} legal moves, 0 to ${count - 1}; got action ${action}`,
        );
      }
      const move = legal[action];
      trace.copyWithin(0, 1);
      trace[14] = move;
      if (state[TURN] < 3) state[FIRST + mover] = move;
      state[TURN]++;
      if (isBomb(move)) state[BOMBS]++;
      for (let rank = 0; rank < 15; rank++) {
        const used = countOf(low[move], high[move], rank);
        hands[15 * mover + rank] -= used;
        played[15 * mover + rank] += used;
      }
      publish();
    },

    snapshot(out, offset) {
      out.set(bytes, offset);
    },

    restore(from, offset) {
      readSnapshot(SOURCE, from, offset, bytes);
      publish();
    },

    render() {
      const { players, shown, status } = describe();
      const lines = players.map(({ name, hand, last, acts }) =>
        `${acts ? ">" : " "} ${name.padEnd(13)} ${hand.padEnd(20)} ${last}`.trimEnd(),
      );
      return [...lines, `shown ${shown}; ${status}`].join("\n");
    },

    svg: () => picture(describe()),
  };
}

function requireOracle(option: string, value: unknown): void {
  if (value === "rlcard" || value === "douzero") return;
  throw new MagicMaskError("invalid-option", SOURCE, `${option} must be "rlcard" or "douzero", got "${value}"`);
}
