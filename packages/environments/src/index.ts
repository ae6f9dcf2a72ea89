import { byName, type Environment } from "@magic-mask/core";
import { cartPole } from "./cart-pole.ts";
import { connectFour } from "./connect-four.ts";
import { planted } from "./planted.ts";
import { pong } from "./pong.ts";
import { pongWalls } from "./pong-walls.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

export { type AecEnvironment, aec } from "./aec.ts";
export { type CartPoleOptions, cartPole } from "./cart-pole.ts";
export { checkEnvironment } from "./check-environment.ts";
export { type ConnectFourOptions, connectFour } from "./connect-four.ts";
export { connectFourOnePly } from "./connect-four-one-ply.ts";
export type { Action, Observation, ResetOptions } from "./facade.ts";
export type { ForeignObservation, ForeignOptions, ForeignWorld } from "./foreign.ts";
export { type ForeignAec, fromAec } from "./from-aec.ts";
export { type ForeignParallel, fromParallel } from "./from-parallel.ts";
export { type GymEnvironment, type GymOptions, gym } from "./gym.ts";
export type { OpenActions } from "./line-game.ts";
export { type ParallelEnvironment, parallel } from "./parallel.ts";
export { type PlantedOptions, planted, plantedCriticality, plantedOptimal } from "./planted.ts";
export { type PongOptions, pong } from "./pong.ts";
export { type PongWallsOptions, pongWalls } from "./pong-walls.ts";
export { withRandomOpening } from "./random-opening.ts";
export { ticTacToe } from "./tic-tac-toe.ts";

/** Every environment by id, for command lines and menus. Code should import the function. */
export const environments = {
  connect_four_v0: connectFour,
  tictactoe_v0: ticTacToe,
  planted_v0: planted,
  cartpole_v1: cartPole,
  pong_v0: pong,
  pong_walls_v0: pongWalls,
};

/**
 * Builds the world called `id`. A factory checks its own options, so that these may come from a file or a command line.
 *
 * @throws unknown-name, with the names there are; unknown-key, invalid-option
 */
export function makeEnvironment(id: string, options: Readonly<Record<string, unknown>> = {}): Environment {
  const factories: Record<string, (options: never) => Environment> = environments;
  return byName("environments", "environment", factories, id)(options as never);
}
