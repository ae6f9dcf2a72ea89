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
  // Long episodes of one agent: many passes over small rollouts, and no entropy bonus, which would keep the pole shaking.
  cartpole_v1: {
    training: {
      totalSteps: 200_000,
      copies: 32,
      minibatch: 256,
      epochs: 10,
      trace: 0.95,
      entropyCoefficient: 0,
      learningRate: { start: 3e-3, end: 0 },
    },
  },
};
