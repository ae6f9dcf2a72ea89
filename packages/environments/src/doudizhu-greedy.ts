import { ILLEGAL, MagicMaskError, type Policy } from "@magic-mask/core";
import { CARDS, encodings } from "./doudizhu/encode.ts";
import { MOST_MOVES } from "./doudizhu/legal.ts";
import { idOf, isBomb, moveTable, PASS } from "./doudizhu/moves.ts";
import type { DoudizhuOptions } from "./doudizhu.ts";

export interface DoudizhuGreedyOptions extends Pick<DoudizhuOptions, "observation"> {
  /** Whose seat it sits in: 0 = landlord, 1 = landlord_down, 2 = landlord_up. What it sees does not tell. */
  readonly agent: number;
}

const SOURCE = "environments/doudizhu-greedy";

/**
 * Plays Doudizhu greedily: who leads plays as many cards as it can, and of such moves the lowest; who follows plays the lowest
 * move that beats. Bombs and the rocket only where nothing else will do, the lowest first. Peasants never beat each other. Among
 * equals the lowest id.
 *
 * @throws invalid-option; when it is asked about decisions without their candidates, shape-mismatch
 */
export function doudizhuGreedy({ agent, observation = "rlcard" }: DoudizhuGreedyOptions): Policy {
  if (![0, 1, 2].includes(agent))
    throw new MagicMaskError("invalid-option", SOURCE, `agent is 0, 1 or 2, got ${agent}`);
  const { sizes, lastMoves } = encodings[observation];
  const kind = agent === 0 ? 0 : 1;
  const D = sizes[kind];
  const table = moveTable();

  /** Whether the move to beat is the other peasant's; null where this agent leads. */
  const isMatesMove = (observations: Float32Array, row: number): boolean | null => {
    const last = row * D + lastMoves[kind];
    if (!isEmpty(observations, last)) return agent === 2;
    return isEmpty(observations, last - CARDS) ? null : agent === 1;
  };

  return {
    evaluate({ count, observations, candidates }, parameters, values) {
      if (!candidates) throw new MagicMaskError("shape-mismatch", SOURCE, "needs the candidates of its decisions");
      const { features, starts, counts } = candidates;
      for (let row = 0; row < count; row++) {
        const mates = isMatesMove(observations, row);
        let best = 0;
        let worth = Number.NEGATIVE_INFINITY;
        for (let k = 0; k < counts[row]; k++) {
          const move = idOf(features, (starts[row] + k) * CARDS);
          const size = mates === null ? 20 * table.sizes[move] : 0;
          const own =
            move === PASS ? (mates ? 1000 : 0) : isBomb(move) ? 1 : 100 + size - table.ranks[table.groupOf[move]];
          if (own <= worth) continue;
          worth = own;
          best = k;
        }
        parameters.fill(ILLEGAL, row * MOST_MOVES, (row + 1) * MOST_MOVES);
        parameters[row * MOST_MOVES + best] = 0;
        values[row] = 0;
      }
    },
  };
}

function isEmpty(cards: Float32Array, at: number): boolean {
  for (let i = 0; i < CARDS; i++) if (cards[at + i] !== 0) return false;
  return true;
}
