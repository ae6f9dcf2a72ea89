/**
 * What others reach, environment steps per CPU second on one core of a 2-core machine, best of 3, taken beforehand: not in this run
 * and perhaps not on this machine.
 */
export const PUBLISHED: readonly (readonly [work: string, peer: string, stepsPerSecond: number])[] = [
  ["CartPole, 4 copies", "CleanRL", 3_824],
  ["CartPole, 4 copies", "Stable-Baselines3", 4_137],
  ["CartPole, 4 copies", "EnvPool + CleanRL learner", 4_756],
  ["CartPole, 4 copies", "PufferLib", 4_897],
  ["CartPole, 4 copies", "PureJaxRL + gymnax, 7–10 s of compiling apart", 121_669],
  ["CartPole, 64 copies", "CleanRL", 25_690],
  ["CartPole, 64 copies", "Stable-Baselines3", 25_045],
  ["CartPole, 64 copies", "EnvPool + CleanRL learner", 36_261],
  ["CartPole, 64 copies", "PufferLib", 37_471],
  ["CartPole, 64 copies", "PureJaxRL + gymnax, compiling apart", 145_267],
  ["Connect 4 self-play, 16 copies", "PettingZoo + torch", 6_338],
  ["Connect 4 self-play, 64 copies", "OpenSpiel + torch", 24_143],
  ["Connect 4 self-play, 16 copies", "pgx + JAX, compiling apart", 95_586],
];
