import type { Environment } from "@magic-mask/core";
import { aec } from "../aec.ts";
import type { RecordedTest } from "../conformance.ts";
import type { Observation } from "../facade.ts";
import type { OpenActions } from "../line-game.ts";
import { ticTacToe } from "../tic-tac-toe.ts";
import { same } from "./same.ts";

/** A game as recorded: who moved, what both saw (mover, then the other), what was done, what it brought. */
interface BoardGame {
  readonly kind: string;
  readonly steps: readonly (readonly [
    agent: number,
    seen: string,
    mask: string,
    otherSeen: string,
    otherMask: string,
    action: number | null,
    rewards: readonly number[],
    terminations: string,
    truncations: string,
  ])[];
  readonly final: readonly number[];
  readonly returns: readonly number[];
}

/**
 * One recorded game of a two-player board game, replayed through the AEC shape, illegal moves included.
 *
 * @param agents the recorded names, in order
 */
export function boardGame(
  make: () => Environment & OpenActions,
  agents: unknown,
  recorded: unknown,
  index: number,
): RecordedTest {
  const kind = (recorded as Partial<BoardGame> | null)?.kind;
  return {
    name: `game ${index} (${kind ?? "of no kind"})`,
    run() {
      const { steps, final, returns } = readGame(recorded);
      const world = make();
      const game = aec(world);
      const names = game.possibleAgents;
      same("agents", names, agents);
      const earned = [0, 0];
      const collect = () => {
        earned[names.indexOf(game.agentSelection)] += game.last()[1];
      };
      const bits = (flags: Readonly<Record<string, boolean>>) => names.map((name) => Number(flags[name])).join("");

      game.reset({ seed: index });
      steps.forEach((step, t) => {
        const [agent, seen, mask, otherSeen, otherMask, action, rewards, terminations, truncations] = step;
        const at = (column: string) => `step ${t}, ${column}`;
        same(at("agent"), names.indexOf(game.agentSelection), agent);
        const own = game.observe(names[agent]);
        const other = game.observe(names[1 - agent]);
        same(at("observation"), own.observation.join(""), seen);
        same(at("mask"), own.action_mask.join(""), mask);
        same(at("observation of the other"), other.observation.join(""), otherSeen);
        same(at("mask of the other"), other.action_mask.join(""), otherMask);
        collect();
        game.step(action);
        same(
          at("rewards"),
          names.map((name) => game.rewards[name]),
          rewards,
        );
        same(at("terminations"), bits(game.terminations), terminations);
        same(at("truncations"), bits(game.truncations), truncations);
      });
      same("final board", boardOf(game.observe(names[0])), final);
      // The dead steps; a recording that stops in the middle of a game has none.
      while (
        game.agents.length > 0 &&
        (game.terminations[game.agentSelection] || game.truncations[game.agentSelection])
      ) {
        collect();
        game.step(null);
      }
      same("returns", earned, returns);
    },
  };
}

/**
 * One row of the table of all Tic-Tac-Toe positions.
 *
 * @param squares 9 characters: 0 empty, 1 first agent, 2 second agent
 * @param status −2 running, −1 draw, 0 the first agent has won, 1 the second
 */
export function tablePosition(squares: string, status: unknown): RecordedTest {
  return {
    name: `position ${squares}`,
    run() {
      const ours = reachable().get(squares);
      if (ours === undefined) throw new Error("cannot be reached by these rules");
      same("status", ours, status);
    },
  };
}

let table: Map<string, number> | undefined;

/** The status of every position that legal moves lead to, found by playing all of them. */
function reachable(): Map<string, number> {
  if (table) return table;
  const found = new Map<string, number>();
  const game = ticTacToe();
  const seen = new Float32Array(18);
  const actions = new Float32Array(2);
  const visit = () => {
    game.observe(0, seen, 0);
    const squares = boardOf({ observation: seen }).join("");
    if (found.has(squares)) return;
    const [first] = game.rewards;
    found.set(squares, game.terminated[0] === 0 ? -2 : first === 0 ? -1 : first === 1 ? 0 : 1);
    const here = new Uint8Array(game.snapshotBytes);
    const mask = new Uint8Array(9);
    game.snapshot(here, 0);
    game.legal(game.acting[0] ? 0 : 1, mask, 0);
    mask.forEach((open, cell) => {
      if (!open) return;
      game.restore(here, 0);
      game.step(actions.fill(cell));
      visit();
    });
  };
  game.reset(0);
  visit();
  table = found;
  return found;
}

/** The board from what the first agent sees: 0 empty, 1 first agent, 2 second agent. */
function boardOf({ observation }: Pick<Observation, "observation">): number[] {
  return Array.from(
    { length: observation.length / 2 },
    (_, cell) => observation[2 * cell] + 2 * observation[2 * cell + 1],
  );
}

function readGame(recorded: unknown): BoardGame {
  const game = recorded as BoardGame | null;
  if (!Array.isArray(game?.steps) || game.steps.length === 0) throw new Error("the recording has no steps");
  game.steps.forEach((step, t) => {
    if (!Array.isArray(step) || step.length !== 9 || (step[0] !== 0 && step[0] !== 1)) {
      throw new Error(`step ${t} must have 9 columns and begin with agent 0 or 1, got ${JSON.stringify(step)}`);
    }
  });
  return game;
}
