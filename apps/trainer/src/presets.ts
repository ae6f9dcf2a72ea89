import type { ConfigInput } from "./config.ts";

/** What is known to learn well in a world, by its id: the lowest layer of a configuration there, above the defaults. */
export const presets: Readonly<Record<string, ConfigInput>> = {
  // The observation marks winning cells: one-ply facts that the plain planes leave to the net.
  // Millions of steps show masks more than they need: every other iteration is enough for them.
  connect_four_v0: {
    environment: { options: { observation: "threats" } },
    training: { totalSteps: 6_500_000 },
    mask: { every: 2 },
  },
  // Nine moves, of which any may be the last mistake: no discount.
  tictactoe_v0: {
    training: {
      totalSteps: 300_000,
      copies: 128,
      rolloutTicks: 16,
      minibatch: 512,
      epochs: 4,
      discount: 1,
      trace: 0.95,
      entropyCoefficient: 0.03,
      learningRate: { start: 3e-3, end: 0 },
    },
  },
  // Pay follows at once, and what comes later depends on nobody: a horizon of one tick.
  planted_v0: {
    training: {
      totalSteps: 300_000,
      copies: 64,
      rolloutTicks: 24,
      minibatch: 512,
      epochs: 4,
      discount: 0,
      entropyCoefficient: 0.01,
      learningRate: { start: 3e-3, end: 0 },
    },
  },
  // Some forty ticks from a wall to the next.
  pong_walls_v0: {
    training: {
      totalSteps: 500_000,
      copies: 64,
      rolloutTicks: 64,
      minibatch: 1024,
      epochs: 4,
      discount: 0.98,
      trace: 0.95,
      entropyCoefficient: 0.01,
      activation: "tanh",
      learningRate: { start: 2e-3, end: 0 },
    },
  },
  // Long episodes of one agent: many passes over small rollouts, and no entropy bonus, which would keep the pole shaking. Faster
  // rates balance it sooner, but some seeds then end with a policy that does so only as long as it draws.
  cartpole_v1: {
    training: {
      totalSteps: 400_000,
      copies: 32,
      minibatch: 256,
      epochs: 10,
      trace: 0.95,
      entropyCoefficient: 0,
      learningRate: { start: 1e-3, end: 0 },
    },
  },
  // What a swing costs is settled within a few dozen steps: a short horizon. A single agent has nobody to share with while it
  // learns, so nothing is blinded until it is explained: its policy is what it would be without masks.
  pendulum_v1: {
    training: {
      totalSteps: 600_000,
      copies: 16,
      rolloutTicks: 128,
      minibatch: 256,
      epochs: 10,
      discount: 0.9,
      trace: 0.95,
      entropyCoefficient: 0,
      separateCritic: true,
      activation: "tanh",
      learningRate: { start: 1e-3, end: 0 },
    },
    blinding: { initial: 0, floor: 0 },
    mask: { every: 8 },
    // Values of minus a hundred are far from where nets begin.
    posthoc: { epochs: 10, learningRate: { start: 5e-3 } },
  },
  simple_spread_v0: {
    training: {
      totalSteps: 2_000_000,
      copies: 128,
      rolloutTicks: 25,
      minibatch: 1024,
      epochs: 4,
      trace: 0.95,
      entropyCoefficient: 0.01,
      separateCritic: true,
      activation: "tanh",
      learningRate: { start: 1e-3, end: 0 },
    },
  },
  simple_tag_v0: {
    training: {
      totalSteps: 1_000_000,
      copies: 128,
      rolloutTicks: 25,
      minibatch: 1024,
      epochs: 4,
      trace: 0.95,
      entropyCoefficient: 0.01,
      separateCritic: true,
      activation: "tanh",
      learningRate: { start: 1e-3, end: 0 },
    },
  },
  // One player against the machine's paddle, as in ALE.
  pong_v0: {
    environment: { options: { players: 1 } },
    training: {
      totalSteps: 10_000_000,
      copies: 64,
      rolloutTicks: 128,
      minibatch: 1024,
      epochs: 4,
      trace: 0.95,
      entropyCoefficient: 0.005,
      separateCritic: true,
      activation: "tanh",
      learningRate: { start: 2e-3, end: 0 },
    },
    // What a decision costs shows when the ball has passed, many decisions later; long returns are noisy: few passes, many small nets.
    posthoc: { epochs: 3, trace: 0.99, ensemble: 10, hidden: [32, 32] },
  },
  // What pays is the end of a game, some thirty moves ahead: no discount.
  // Landlord and peasants play unlike games: a policy of its own for each seat learns slower and gets further.
  doudizhu_v0: {
    training: {
      totalSteps: 20_000_000,
      copies: 128,
      rolloutTicks: 64,
      minibatch: 1024,
      epochs: 3,
      discount: 1,
      trace: 0.95,
      entropyCoefficient: 0.005,
      sharedPolicy: false,
      hidden: [128, 128],
      learningRate: { start: 1e-3, end: 0 },
    },
    // Players who know the game never lead where random ones do.
    opponents: { kind: "random", share: 0.6 },
    mask: { every: 4 },
    // What cards that one does not see will do is noise to a mask: many small nets.
    posthoc: { ensemble: 10, hidden: [32, 32] },
  },
  highway_v0: highwayDriving(400_000),
  highway_fast_v0: highwayDriving(1_500_000),
};

/** A crash costs what the rest of the ride would have paid, most of it within twenty decisions. */
function highwayDriving(totalSteps: number): ConfigInput {
  return {
    training: {
      totalSteps,
      copies: 64,
      rolloutTicks: 30,
      minibatch: 1024,
      epochs: 4,
      discount: 0.95,
      trace: 0.95,
      entropyCoefficient: 0.01,
      separateCritic: true,
      activation: "tanh",
      learningRate: { start: 1e-3, end: 0 },
    },
  };
}
