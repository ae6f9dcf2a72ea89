import { MagicMaskError } from "@magic-mask/core";
import { boardGame, tablePosition } from "./conformance/board.ts";
import { cartPoleEpisode } from "./conformance/cart-pole.ts";
import { doudizhuAction, doudizhuSituation, douzeroGame, rlcardGame } from "./conformance/doudizhu.ts";
import {
  highwayAcceleration,
  highwayCollision,
  highwayLaneChange,
  highwayScene,
  highwayStart,
  highwaySteering,
} from "./conformance/highway.ts";
import { particleEpisode } from "./conformance/particle-world.ts";
import { pendulumEpisode } from "./conformance/pendulum.ts";
import { pongTrace } from "./conformance/pong.ts";
import { connectFour } from "./connect-four.ts";
import { simpleSpread } from "./simple-spread.ts";
import { simpleTag } from "./simple-tag.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

/** How one recorded file was met. A test is one recorded game, position or situation. */
export interface Replay {
  /** What recorded the file. */
  readonly oracle: string;
  readonly passed: number;
  readonly failed: number;
  /** One line per failed test: which, and what differed first. */
  readonly failures: readonly string[];
  /** Why nothing was replayed. */
  readonly skipped?: string;
}

/** One test: a name for reports, and a run that throws if the recording and this workspace differ. */
export interface RecordedTest {
  readonly name: string;
  run(): void;
}

/** By the words that name an oracle: the tests that a file of its holds. */
const oracles: Readonly<Record<string, (file: Record<string, unknown>) => RecordedTest[]>> = {
  "rlcard doudizhu jsondata": (file) => listOf(file, "actions").map(doudizhuAction),
  "rlcard.games.doudizhu": (file) => listOf(file, "situations").map(doudizhuSituation),
  "rlcard.make('doudizhu')": (file) => listOf(file, "games").map(rlcardGame),
  "douzero.env.game.GameEnv": (file) => listOf(file, "games").map(douzeroGame),
  "gymnasium CartPole-v1": (file) => listOf(file, "episodes").map(cartPoleEpisode),
  "gymnasium Pendulum-v1": (file) => listOf(file, "episodes").map(pendulumEpisode),
  "mpe2.simple_spread_v3": (file) =>
    listOf(file, "episodes").map((episode, i) => particleEpisode(simpleSpread, episode, i)),
  "mpe2.simple_tag_v3": (file) => listOf(file, "episodes").map((episode, i) => particleEpisode(simpleTag, episode, i)),
  "highway-env": (file) => listOf(file, "episodes").map(highwayScene),
  "highway-env internals": (file) => [
    ...listOf(file, "collision").map(highwayCollision),
    ...listOf(file, "steering").map(highwaySteering),
    ...listOf(file, "idm").map(highwayAcceleration),
    ...listOf(file, "mobil").map(highwayLaneChange),
  ],
  "highway-v0 reset": (file) => {
    const { oracle, seed } = objectOf(file.header, "header");
    return listOf(file, "resets").map((cars, i) => highwayStart(String(oracle), seed, cars, i));
  },
  "gymnasium ALE/Pong-v5": (file) => listOf(file, "traces").map(pongTrace),
  "pettingzoo.atari.pong_v3": (file) => listOf(file, "traces").map(pongTrace),
  "pettingzoo.classic.connect_four_v3": (file) =>
    listOf(file, "games").map((game, i) => boardGame(connectFour, file.agents, game, i)),
  "pettingzoo.classic.tictactoe_v3": (file) => [
    ...listOf(file, "games").map((game, i) => boardGame(ticTacToe, file.agents, game, i)),
    ...Object.entries(objectOf(file.positions ?? {}, "positions")).map(([squares, status]) =>
      tablePosition(squares, status),
    ),
  ],
};

/**
 * Replays a file of recorded trajectories: everything that its columns hold is compared.
 *
 * @param file the parsed JSON; `header.oracle` says what recorded it
 * @throws corrupt-file if it has no such header or not the parts that its oracle writes
 */
export function replayFixture(file: unknown): Replay {
  const fields = objectOf(file, "the file");
  const { oracle } = objectOf(fields.header, "header");
  if (typeof oracle !== "string") throw corrupt(`header.oracle must name what recorded the file, got ${show(oracle)}`);
  const failures: string[] = [];
  const name = nameOf(oracle);
  if (name === undefined) return { oracle, passed: 0, failed: 0, failures, skipped: `nothing here replays ${oracle}` };
  const tests = oracles[name](fields);
  if (tests.length === 0) throw corrupt("the file holds nothing to replay");
  for (const { name, run } of tests) {
    try {
      run();
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { oracle, passed: tests.length - failures.length, failed: failures.length, failures };
}

/** The longest name whose words an oracle says in order, whatever else it says: versions, settings, calls. */
function nameOf(oracle: string): string | undefined {
  const said = (name: string) => {
    const words = name.split(" ").map((word) => `(?<![\\w.-])${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w-])`);
    return new RegExp(words.join(".*")).test(oracle);
  };
  return Object.keys(oracles)
    .filter(said)
    .sort((a, b) => b.length - a.length)[0];
}

function listOf(file: Record<string, unknown>, key: string): unknown[] {
  const list = file[key] ?? [];
  if (!Array.isArray(list)) throw corrupt(`${key} must be a list, got ${show(list)}`);
  return list;
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw corrupt(`${what} must be an object, got ${show(value)}`);
}

const corrupt = (message: string) => new MagicMaskError("corrupt-file", "environments/conformance", message);
const show = (value: unknown) => String(JSON.stringify(value)).slice(0, 60);
