import type { LoadedTeam } from "../../apps/trainer/src/load-run.ts";
import { randomPlayer } from "../../apps/trainer/src/policies.ts";
import { heldOut, meanReturn } from "./held-out.ts";

/** One figure of a trained team, and what it is to reach. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** How a world's team is trained, beyond its preset, and judged. */
export interface Subject {
  readonly overrides?: readonly string[];
  judge(team: LoadedTeam): Figure[];
}

export const subjects: Readonly<Record<string, Subject>> = {
  cartpole_v1: {
    judge: (team) => [
      {
        name: "return, greedy",
        value: meanReturn(heldOut(team, { episodes: 100, style: "greedy" }), [0]),
        atLeast: 475,
      },
    ],
  },
};

/** Uniformly random players in every seat. */
export const randomPlayers = ({ world }: LoadedTeam) => world.spec.actionSpaces.map(randomPlayer);
