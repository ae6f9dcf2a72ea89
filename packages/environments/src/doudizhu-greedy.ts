import { isBomb, moveTable, PASS } from "./doudizhu/moves.ts";
import type { Doudizhu } from "./doudizhu.ts";

/**
 * Plays Doudizhu greedily: who leads plays as many cards as it can, and of such moves the lowest; who follows plays the lowest
 * move that beats. Bombs and the rocket only where nothing else will do, the lowest first. Peasants never beat each other. Among
 * equals the lowest id.
 *
 * A function of the game and no `Policy`: the batches that a policy is given hold no candidates.
 *
 * @returns the action of who acts, an index into `game.moves()`
 */
export function doudizhuGreedy(game: Doudizhu): number {
  const { sizes, ranks, groupOf } = moveTable();
  const moves = game.moves();
  const beaten = game.toBeat();
  if (beaten && beaten.agent > 0 && !game.acting[0]) return moves.indexOf(PASS);
  const worth = (move: number) => {
    if (move === PASS) return 0;
    return isBomb(move) ? 1 : 100 + (beaten ? 0 : 20 * sizes[move]) - ranks[groupOf[move]];
  };
  let best = 0;
  for (let action = 1; action < moves.length; action++) {
    if (worth(moves[action]) > worth(moves[best])) best = action;
  }
  return best;
}
