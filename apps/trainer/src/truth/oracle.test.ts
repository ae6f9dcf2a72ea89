import { describe, expect, it } from "@jest/globals";
import { type Environment, isOver, maskedLogSoftmax, type Policy } from "@magic-mask/core";
import { makeEnvironment } from "@magic-mask/environments";
import { uniform } from "@magic-mask/masking";
import { branchingTruth, collectStates, measureTruth } from "@magic-mask/metrics";

// The whole game tree of Tic-Tac-Toe below each state, worked out move by move: truth that owes nothing to rollouts.
const make = () => makeEnvironment("tictactoe_v0", {});
const world = make();
const A = 9;
const DISCOUNT = 0.8;

/** A policy with an opinion of its own about every board. */
const policy: Policy = {
  evaluate({ count, observations, legal }, parameters, values) {
    const D = observations.length / (legal.length / A);
    values.fill(0, 0, count);
    for (let row = 0; row < count; row++) {
      for (let a = 0; a < A; a++) {
        let sum = a + 1;
        for (let i = 0; i < D; i++) sum += observations[row * D + i] * (1 + ((7 * i + 5 * a) % 11));
        parameters[row * A + a] = 1.5 * Math.sin(sum);
      }
      maskedLogSoftmax(parameters, row * A, legal, row * A, A);
    }
  },
};
const policies = [policy, policy];

/** π where `agent` acts now. */
function probabilities(environment: Environment, agent: number): Float32Array {
  const observations = new Float32Array(
    environment.observationSpaces[agent].shape.reduce((product, n) => product * n, 1),
  );
  const legal = new Uint8Array(A);
  environment.observe(agent, observations, 0);
  environment.legal(agent, legal, 0);
  const parameters = new Float32Array(A);
  policy.evaluate({ count: 1, observations, legal }, parameters, new Float32Array(1));
  return parameters.map((logProb, a) => (legal[a] ? Math.exp(logProb) : 0));
}

const known = new Map<string, number>();

/** E of what `agent` earns from here on, counted from its next decision. */
function expected(snapshot: Uint8Array, agent: number): number {
  world.restore(snapshot, 0);
  if (isOver(world)) return 0;
  const key = `${agent} ${snapshot}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const mover = world.acting.indexOf(1);
  const pi = probabilities(world, mover);
  let value = 0;
  for (let a = 0; a < A; a++) if (pi[a] > 0) value += pi[a] * afterwards(snapshot, agent, mover, a);
  known.set(key, value);
  return value;
}

/** E of the same after move `a`, what comes from the agent's next decision on discounted once more. */
function afterwards(snapshot: Uint8Array, agent: number, mover: number, a: number): number {
  world.restore(snapshot, 0);
  const actions = new Float32Array(2);
  actions[mover] = a;
  world.step(actions);
  const earned = world.rewards[agent];
  const next = new Uint8Array(world.snapshotBytes);
  world.snapshot(next, 0);
  if (isOver(world)) return earned;
  // The last free field is a forced move, hence no decision.
  const decides = world.acting[agent] === 1 && world.legal(agent, new Uint8Array(A), 0) > 1;
  return earned + (decides ? DISCOUNT : 1) * expected(next, agent);
}

describe("truth by branching equals the game tree", () => {
  const [states] = collectStates({
    make,
    policies,
    perturbation: uniform(world.actionSpaces[0]),
    agents: [0],
    count: 60,
    seed: 4,
  });
  const exact = Float64Array.from({ length: 60 }, (_, s) => {
    const snapshot = states.snapshots.slice(s * world.snapshotBytes, (s + 1) * world.snapshotBytes);
    const { policy: pi, perturbation: nu, legal } = states.decisions;
    let delta = 0;
    for (let a = 0; a < A; a++) {
      if (!legal[s * A + a]) continue;
      delta += (Math.exp(pi[s * A + a]) - Math.exp(nu[s * A + a])) * afterwards(snapshot, 0, 0, a);
    }
    return delta;
  });
  const base = { make, policies, states, discount: DISCOUNT, horizon: 21 };
  /** Mean square of the errors in standard errors: 1, give or take √(2/60) = .18 for normal ones. */
  const misfit = ({ criticality, standardError }: ReturnType<typeof branchingTruth>) => {
    let sum = 0;
    for (let s = 0; s < 60; s++) {
      const error = Math.max(standardError[s], 1e-6);
      sum += ((criticality[s] - exact[s]) / error) * ((criticality[s] - exact[s]) / error);
    }
    return sum / 60;
  };

  it("within its standard errors", () => {
    expect(new Set(exact).size).toBeGreaterThan(20);
    const truth = branchingTruth({ ...base, rollouts: 64, seed: 1 });
    expect(Math.abs(misfit(truth) - 1)).toBeLessThan(0.6);
  });

  it("with rollouts spent where returns vary, too", async () => {
    const plan = { pilot: 4, rollouts: 32, batches: 2, reliability: 1 };
    const truth = await measureTruth(plan, states, ({ stage, ...rest }) =>
      branchingTruth({ ...base, ...rest, seed: stage === "pilot" ? 2 : 3 }),
    );
    expect(Math.abs(misfit(truth) - 1)).toBeLessThan(0.6);
    const bias = truth.criticality.reduce((sum, value, s) => sum + (value - exact[s]) / 60, 0);
    const error = Math.sqrt(truth.standardError.reduce((sum, value) => sum + value * value, 0)) / 60;
    expect(Math.abs(bias)).toBeLessThan(4 * error);
  });
});
