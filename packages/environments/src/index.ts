import { byName, type Environment } from "@magic-mask/core";
import { cartPole } from "./cart-pole.ts";
import { connectFour } from "./connect-four.ts";
import { doudizhu } from "./doudizhu.ts";
import { highway, highwayFast } from "./highway.ts";
import { pendulum } from "./pendulum.ts";
import { planted } from "./planted.ts";
import { pong } from "./pong.ts";
import { pongWalls } from "./pong-walls.ts";
import { simpleSpread } from "./simple-spread.ts";
import { simpleTag } from "./simple-tag.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

export { type AecEnvironment, aec } from "./aec.ts";
export { type CartPoleOptions, cartPole } from "./cart-pole.ts";
export { checkEnvironment } from "./check-environment.ts";
export { type ConnectFourOptions, connectFour } from "./connect-four.ts";
export { connectFourOnePly } from "./connect-four-one-ply.ts";
export {
  type Doudizhu,
  type DoudizhuMove,
  type DoudizhuOptions,
  doudizhu,
  doudizhuMove,
  doudizhuMoveId,
} from "./doudizhu.ts";
export { doudizhuGreedy } from "./doudizhu-greedy.ts";
export type { Action, Observation, ResetOptions } from "./facade.ts";
export type { ForeignObservation, ForeignOptions, ForeignWorld } from "./foreign.ts";
export { type ForeignAec, fromAec } from "./from-aec.ts";
export { type ForeignParallel, fromParallel } from "./from-parallel.ts";
export { type GymEnvironment, type GymOptions, gym } from "./gym.ts";
export { type HighwayOptions, highway, highwayFast } from "./highway.ts";
export type { OpenActions } from "./line-game.ts";
export { type ParallelEnvironment, parallel } from "./parallel.ts";
export type { ParticleOptions } from "./particle-world.ts";
export { pendulum } from "./pendulum.ts";
export { type PlantedOptions, planted, plantedCriticality, plantedOptimal } from "./planted.ts";
export { type PongOptions, pong } from "./pong.ts";
export { type PongWallsOptions, pongWalls } from "./pong-walls.ts";
export { withRandomOpening } from "./random-opening.ts";
export { type SimpleSpreadOptions, simpleSpread } from "./simple-spread.ts";
export { type SimpleTagOptions, simpleTag } from "./simple-tag.ts";
export { ticTacToe } from "./tic-tac-toe.ts";
export { type Starts, withStarts } from "./with-starts.ts";

/** Every environment by id, for command lines and menus. Code should import the function. */
export const environments = {
  connect_four_v0: connectFour,
  tictactoe_v0: ticTacToe,
  planted_v0: planted,
  cartpole_v1: cartPole,
  doudizhu_v0: doudizhu,
  pendulum_v1: pendulum,
  simple_spread_v0: simpleSpread,
  simple_tag_v0: simpleTag,
  highway_v0: highway,
  highway_fast_v0: highwayFast,
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
