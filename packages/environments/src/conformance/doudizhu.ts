import { isOver } from "@magic-mask/core";
import type { RecordedTest } from "../conformance.ts";
import { listMoves, MOST_MOVES } from "../doudizhu/legal.ts";
import { countCards, highWord, lowWord, PASS, RANKS } from "../doudizhu/moves.ts";
import { type Doudizhu, doudizhu, doudizhuMove, doudizhuMoveId } from "../doudizhu.ts";
import { same } from "./same.ts";

/** One entry of RLCard's table: the cards, and by which type and weight they are compared. */
export function doudizhuAction(recorded: unknown, id: number): RecordedTest {
  return {
    name: `action ${id}`,
    run() {
      const { cards, type, rank } = doudizhuMove(id);
      same("cards and types", [rlcardName(cards), cards === "" ? [] : [[type, weightOf(type, rank)]]], recorded);
      same("id of the cards", doudizhuMoveId(cards), id);
    },
  };
}

/** RLCard counts first ranks from 0, or from 1 where there are kickers. */
const weightOf = (type: string, rank: number) => String(/^(trio|four_two)_(solo|pair)/.test(type) ? rank + 1 : rank);

/** A hand and a move to beat as recorded, and what may be played by either rules. */
interface Situation {
  /** Kind. */
  readonly k: string;
  /** Hand. */
  readonly h: string;
  /** The move to beat; empty for who leads. */
  readonly l: string;
  /** RLCard's legal action ids, ascending. */
  readonly a: readonly number[];
  /** Sorted moves that are legal in RLCard and not in DouZero, and the reverse. */
  readonly rlOnly: readonly string[];
  readonly dzOnly: readonly string[];
}

export function doudizhuSituation(recorded: unknown, index: number): RecordedTest {
  const kind = (recorded as Partial<Situation> | null)?.k;
  return {
    name: `situation ${index} (${kind ?? "of no kind"})`,
    run() {
      const { h, l, a, rlOnly, dzOnly } = recorded as Situation;
      const hand = countCards(h);
      const movesBy = (douzero: boolean) => {
        const out = new Uint16Array(MOST_MOVES);
        const toBeat = l === "" ? PASS : doudizhuMoveId(l);
        return [...out.subarray(0, listMoves(douzero, lowWord(hand, 0), highWord(hand, 0), toBeat, out))];
      };
      const rlcard = movesBy(false);
      const douzero = movesBy(true);
      const but = (some: number[], others: number[]) =>
        some.filter((id) => !others.includes(id)).map((id) => rlcardName(doudizhuMove(id).cards));
      same("legal ids", rlcard, a);
      same("moves of RLCard alone", but(rlcard, douzero).sort(), rlOnly);
      same("moves of DouZero alone", but(douzero, rlcard).sort(), dzOnly);
    },
  };
}

/** A game as RLCard recorded it. */
interface RlcardGame {
  readonly policy: string;
  /** [3] */
  readonly hands: readonly string[];
  readonly seen: string;
  readonly landlord: number;
  /** Columns: player, its hand, legal ids, what it sees, its action's id. */
  readonly steps: readonly (readonly [number, string, readonly number[], string, number])[];
  readonly winner: number;
  readonly payoffs: readonly number[];
  /** [3] */
  readonly finalObs: readonly string[];
}

export function rlcardGame(recorded: unknown, index: number): RecordedTest {
  const policy = (recorded as Partial<RlcardGame> | null)?.policy;
  return {
    name: `game ${index} (${policy ?? "of no policy"})`,
    run() {
      const { hands, seen, landlord, steps, winner, payoffs, finalObs } = recorded as RlcardGame;
      const world = doudizhu();
      world.deal(hands, seen);
      same("landlord", 0, landlord);
      steps.forEach(([player, hand, legal, sees, action], t) => {
        const at = (column: string) => `step ${t}, ${column}`;
        const seenNow = look(world, player);
        same(at("player"), world.acting.indexOf(1), player);
        same(at("hand"), handOf(seenNow), hand);
        same(at("legal ids"), [...world.moves()], legal);
        same(at("observation"), hex(seenNow), sees);
        same(at("rewards"), [...world.rewards], [0, 0, 0]);
        play(world, action);
      });
      same("end", [isOver(world), ...world.terminated], [true, 1, 1, 1]);
      same("winner", [0, 1, 2].map((agent) => handOf(look(world, agent))).indexOf(""), winner);
      same("payoffs", [...world.rewards], payoffs);
      same(
        "final observations",
        [0, 1, 2].map((agent) => hex(look(world, agent))),
        finalObs,
      );
    },
  };
}

/** A game as DouZero recorded it. */
interface DouzeroGame {
  readonly deal: Readonly<Record<string, string>>;
  /** Columns: position, hand, legal moves sorted by their names, x_no_action, z, move. */
  readonly steps: readonly (readonly [string, string, readonly string[], string, string, string])[];
  readonly winner: string;
  readonly bombs: number;
  readonly utility: Readonly<Record<string, number>>;
  readonly scores: Readonly<Record<string, number>>;
}

/** Numbers at the end of an observation that are DouZero's z; before them stand the bombs, one-hot from none to 14. */
const Z = 5 * 162;

export function douzeroGame(recorded: unknown, index: number): RecordedTest {
  return {
    name: `game ${index}`,
    run() {
      const { deal, steps, winner, bombs, utility, scores } = recorded as DouzeroGame;
      const world = doudizhu({ rules: "douzero", observation: "douzero" });
      world.deal(
        world.agents.map((name) => deal[name]),
        deal.three_landlord_cards,
      );
      steps.forEach(([position, hand, legal, x, z, move], t) => {
        const at = (column: string) => `step ${t}, ${column}`;
        const agent = world.agents.indexOf(position);
        const sees = look(world, agent);
        same(at("position"), world.agents[world.acting.indexOf(1)], position);
        same(at("hand"), handOf(sees), hand);
        same(at("legal moves"), Array.from(world.moves(), (id) => doudizhuMove(id).cards).sort(), legal);
        same(at("x_no_action"), hex(sees.subarray(0, -Z)), x);
        same(at("z"), hex(sees.subarray(-Z)), z);
        play(world, doudizhuMoveId(move));
      });
      same("end", [isOver(world), ...world.terminated], [true, 1, 1, 1]);
      const sign = world.rewards[0] === 1 ? 1 : -1;
      const played = look(world, 0)
        .subarray(-Z - 15, -Z)
        .indexOf(1);
      const score = (base: number) => base * (1 << played);
      same("rewards", [...world.rewards], winner === "landlord" ? [1, 0, 0] : [0, 1, 1]);
      same("bombs", played, bombs);
      same("utility", { landlord: 2 * sign, farmer: -sign }, utility);
      same("scores", { landlord: score(2 * sign), farmer: score(-sign) }, scores);
    },
  };
}

/** Plays the legal move with this id. */
function play(world: Doudizhu, id: number): void {
  world.step(new Float32Array(3).fill(world.moves().indexOf(id)));
}

function look(world: Doudizhu, agent: number): Float32Array {
  const out = new Float32Array(world.observationSpaces[agent].shape[0]);
  world.observe(agent, out, 0);
  return out;
}

/** The cards of the hand, with which every observation begins: four numbers a rank, one for each joker. */
const handOf = (sees: Float32Array) =>
  RANKS.split("")
    .map((card, rank) => {
      const slots = rank < 13 ? sees.subarray(4 * rank, 4 * rank + 4) : sees.subarray(39 + rank, 40 + rank);
      return card.repeat(slots.reduce((sum, x) => sum + x, 0));
    })
    .join("");

/** Bits as hexadecimal digits, the first bit the highest; zeros fill the last digit. */
function hex(bits: Float32Array): string {
  let text = "";
  for (let i = 0; i < bits.length; i += 4) {
    let digit = 0;
    for (let k = i; k < i + 4; k++) digit = 2 * digit + (bits[k] ?? 0);
    text += digit.toString(16);
  }
  return text;
}

const rlcardName = (cards: string) => cards || "pass";
