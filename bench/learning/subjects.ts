import { type Episode, ILLEGAL, type Policy } from "@magic-mask/core";
import type { LoadedTeam } from "../../apps/trainer/src/load-run.ts";
import { randomPlayer } from "../../apps/trainer/src/policies.ts";
import { scriptedPlayer } from "../../apps/trainer/src/scripted.ts";
import { heldOut, meanReturn } from "./held-out.ts";
import type { Figure } from "./table.ts";

/** How a world's team is trained, beyond its preset, and judged. */
export interface Subject {
  /** Id of the environment, where it is not the subject's name. */
  readonly environment?: string;
  readonly overrides?: readonly string[];
  judge(team: LoadedTeam): Figure[];
}

const EPISODES = 100;

export const subjects: Readonly<Record<string, Subject>> = {
  cartpole_v1: {
    judge: (team) => [{ name: "return, greedy", value: own(team, "greedy"), atLeast: 475 }],
  },
  pendulum_v1: {
    judge: (team) => [{ name: "return, greedy", value: own(team, "greedy"), atLeast: -250 }],
  },
  simple_spread_v0: {
    judge: (team) => {
      const random = meanReturn(
        heldOut(team, { episodes: 1000, style: "sampled", others: randomPlayers(team) }),
        all(team),
      );
      return [
        { name: "return per agent, sampled", value: own(team, "sampled", 1000), over: random },
        { name: "return per agent, random play", value: random },
      ];
    },
  },
  pong_v0: {
    judge: (team) => [{ name: "points against the machine's paddle, greedy", value: own(team, "greedy"), atLeast: 15 }],
  },
  doudizhu_v0: {
    judge: (team) => {
      const random = randomPlayers(team);
      const greedy = scriptedPlayer(team.config)?.policies ?? [];
      /** How often these agents of the team win with others in the other seats. */
      const wins = (agents: readonly number[], others: readonly Policy[]) => {
        const opposing = others.map((player, agent) => (agents.includes(agent) ? undefined : player));
        return meanReturn(heldOut(team, { episodes: 8000, style: "greedy", others: opposing }), agents);
      };
      const [landlord, peasants] = [wins([0], greedy), wins([1, 2], greedy)];
      return [
        { name: "wins as landlord against random peasants", value: wins([0], random), atLeast: 0.88 },
        { name: "wins as peasants against a random landlord", value: wins([1, 2], random), atLeast: 0.97 },
        { name: "wins against the greedy player, mean of seats", value: (landlord + 2 * peasants) / 3, atLeast: 0.5 },
        { name: "wins as landlord against greedy peasants", value: landlord },
        { name: "wins as peasants against a greedy landlord", value: peasants },
      ];
    },
  },
  highway_fast_v0: { judge: (team) => driving(team, 1000, 0.05) },
  highway_v0: { judge: (team) => driving(team, 200) },
  connect_four_v0: { judge: againstRandom },
  tictactoe_v0: { judge: againstRandom },
  simple_tag_v0: {
    judge: (team) => {
      const { roles } = team.world.spec;
      const random = randomPlayers(team);
      /** Mean return of a role, played by the team or at random, where everybody else plays at random. */
      const paid = (role: string, learned: boolean) => {
        const agents = all(team).filter((agent) => roles[agent] === role);
        const others = random.map((player, agent) => (learned && agents.includes(agent) ? undefined : player));
        return meanReturn(heldOut(team, { episodes: 500, style: "sampled", others }), agents);
      };
      return [...new Set(roles)].flatMap((role) => {
        const over = paid(role, false);
        return [
          { name: `return of the ${role}, others random`, value: paid(role, true), over },
          { name: `return of the ${role}, random itself`, value: over },
        ];
      });
    },
  },
  planted_v0: {
    judge: (team) => {
      const others = randomPlayers(team);
      const over = meanReturn(heldOut(team, { episodes: 1000, style: "sampled", others }), all(team));
      return [
        { name: "return per agent, greedy", value: own(team, "greedy", 1000), over },
        { name: "return per agent, random play", value: over },
      ];
    },
  },
  pong_walls_v0: {
    judge: (team) => {
      const random = randomPlayers(team);
      const points = all(team).map((seat) => {
        const others = random.map((player, agent) => (agent === seat ? undefined : player));
        return meanReturn(heldOut(team, { episodes: EPISODES, style: "sampled", others }), [seat]);
      });
      // What one loses the others win, so that random players break even.
      return [{ name: "return against random play, mean of seats", value: mean(points), over: 0 }];
    },
  },
};

/** The share of points in a game for two against random play, from either seat: a win counts 1, a draw 1/2. */
function againstRandom(team: LoadedTeam): Figure[] {
  const random = randomPlayers(team);
  const points = all(team).map((seat) => {
    const others = random.map((player, agent) => (agent === seat ? undefined : player));
    return meanReturn(heldOut(team, { episodes: 500, style: "sampled", others }), [seat]);
  });
  // A win pays 1 and a loss −1; between equals the seats' shares are 1/2 on the mean.
  return [{ name: "win rate against random play, mean of seats", value: (1 + mean(points)) / 2, over: 0.5 }];
}

/** @param most share of agents that may crash */
function driving(team: LoadedTeam, episodes: number, most?: number): Figure[] {
  const driven = heldOut(team, { episodes, style: "greedy" });
  const slower = heldOut(team, { episodes, style: "greedy", others: all(team).map(() => always(4, 5)) });
  const random = heldOut(team, { episodes, style: "greedy", others: randomPlayers(team) });
  const [returned, slow, blind] = [driven, slower, random].map((played) => meanReturn(played, all(team)));
  return [
    { name: "return per agent, greedy", value: returned, over: slow },
    { name: "share of agents that crashed", value: crashed(driven), ...(most !== undefined && { atMost: most }) },
    { name: "return per agent, always SLOWER", value: slow },
    { name: "share that crashed, always SLOWER", value: crashed(slower) },
    { name: "return per agent, random play", value: blind },
  ];
}

/** Real Python environments, played through `@magic-mask/pettingzoo`; they need `MAGIC_MASK_PYTHON` and are learned when named. */
export const pythonSubjects: Readonly<Record<string, Subject>> = {
  "pettingzoo-connect_four_v3": {
    environment: "pettingzoo",
    overrides: [
      "environment.options={module: pettingzoo.classic.connect_four_v3, zeroSum: true}",
      "training.totalSteps=200000",
      "training.copies=64",
      "evaluation.probeEpisodes=0",
    ],
    judge: (team) => {
      const random = randomPlayers(team);
      const points = [0, 1].map((seat) => {
        const others = random.map((player, agent) => (agent === seat ? undefined : player));
        return meanReturn(heldOut(team, { episodes: 100, style: "sampled", others }), [seat]);
      });
      // A win pays 1 and a loss −1: (1 + mean) / 2 is wins and half of the draws.
      return [{ name: "win rate against random play", value: (2 + points[0] + points[1]) / 4, atLeast: 0.7 }];
    },
  },
  "pettingzoo-pong_v3": {
    environment: "pettingzoo",
    overrides: [
      "environment.options={module: pettingzoo.atari.pong_v3, kind: parallel, kwargs: {obs_type: ram}, scale: true}",
      "training.totalSteps=200000",
      "training.copies=16",
      "training.rolloutTicks=128",
      "evaluation.probeEpisodes=0",
    ],
    judge: (team) => {
      const [, random] = randomPlayers(team);
      const played = heldOut(team, { episodes: 8, style: "sampled", others: [undefined, random] });
      return [{ name: "points on the right against random play", value: meanReturn(played, [0]) }];
    },
  },
};

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const all = ({ world }: LoadedTeam) => world.spec.agents.map((_, agent) => agent);

/** Mean return per agent of the team alone. */
const own = (team: LoadedTeam, style: "greedy" | "sampled", episodes = EPISODES) =>
  meanReturn(heldOut(team, { episodes, style }), all(team));

/** Whom a crash took out is terminated; the clock only truncates. */
const crashed = (episodes: readonly Episode[]) =>
  episodes.reduce(
    (sum, { terminated }) => sum + terminated.reduce((count, bit) => count + bit, 0) / terminated.length,
    0,
  ) / episodes.length;

/** Always the same of n actions. */
const always = (action: number, n: number): Policy => ({
  evaluate({ count }, parameters, values) {
    parameters.fill(ILLEGAL, 0, count * n);
    for (let row = 0; row < count; row++) parameters[row * n + action] = 0;
    values.fill(0, 0, count);
  },
});

/** Uniformly random players in every seat. */
const randomPlayers = ({ world }: LoadedTeam) => world.spec.actionSpaces.map(randomPlayer);
