import { describe, expect, it } from "@jest/globals";
import { connectFourOnePly } from "@magic-mask/environments";
import { collectStates } from "@magic-mask/metrics";
import { exactCriticality, positionSeen, solver, stonesOf } from "@magic-mask/solver";
import { assembleWorld } from "./assemble.ts";
import { type ConfigInput, parseConfig } from "./config.ts";
import { exactTruths } from "./exact-truth.ts";

const FROM = 26;

/** Exact truth of some decisions of one-ply players, with the decisions. */
function truthsOf(environment: ConfigInput["environment"]) {
  const config = parseConfig({ environment, evaluation: { exactFrom: FROM } });
  const { make, perturbations } = assembleWorld(config);
  const policy = connectFourOnePly(config.environment.options);
  const states = collectStates({
    make,
    policies: [policy, policy],
    perturbation: perturbations[0],
    count: 60,
    seed: 1,
  });
  return { states, truths: exactTruths(config, states) };
}

describe.each(["planes", "threats"] as const)("exactTruths, where the world shows %s", (observation) => {
  const { states, truths } = truthsOf({ options: { observation } });
  const size = observation === "planes" ? 84 : 168;

  it("solves the decisions that are late enough, and counts the others", () => {
    expect(truths.length).toBe(2);
    truths.forEach((truth, agent) => {
      const isLate = (tick: number) => tick >= FROM;
      const late = Array.from(states[agent].ticks).filter(isLate);
      expect(late.length).toBeGreaterThan(5);
      expect(Array.from(truth.states.ticks)).toEqual(late);
      expect(truth.early).toBe(60 - late.length);
      // One stone a tick.
      for (let s = 0; s < late.length; s++) {
        const { observations } = truth.states.decisions;
        expect(stonesOf(positionSeen(observations, s * size, observation))).toBe(late[s]);
      }
    });
  });

  it("keeps with each of them what belongs to it", () => {
    truths.forEach(({ states: kept, criticality }, agent) => {
      const rows = Array.from(states[agent].ticks.keys()).filter((s) => states[agent].ticks[s] >= FROM);
      rows.forEach((row, k) => {
        const part = (array: { slice(from: number, to: number): ArrayLike<number> }, width: number, at: number) =>
          Array.from(array.slice(at * width, (at + 1) * width));
        for (const name of ["legal", "policy", "perturbation"] as const) {
          expect(part(kept.decisions[name], 7, k)).toEqual(part(states[agent].decisions[name], 7, row));
        }
        expect(part(kept.snapshots, 43, k)).toEqual(part(states[agent].snapshots, 43, row));
        expect(kept.episodes[k]).toBe(states[agent].episodes[row]);
      });
      const perfect = solver({ tableBytes: 1024 * 1024 });
      const again = exactCriticality({ solver: perfect, decisions: kept.decisions, observation, fromPly: FROM });
      expect(criticality).toEqual(again.criticality);
    });
  });
});

it("exactTruths knows none of other worlds and boards", () => {
  expect(truthsOf({ options: { rows: 5 } }).truths).toEqual([]);
  expect(truthsOf({ options: { inARow: 5 } }).truths).toEqual([]);
  expect(exactTruths(parseConfig({ environment: { id: "tictactoe_v0" } }), [])).toEqual([]);
});
