import { describe, expect, it } from "@jest/globals";
import {
  CONTINUES,
  type CreateLearner,
  candidates,
  copyCandidates,
  createRollout,
  type EnvironmentSpec,
  LAST_LOOK,
  OPEN,
  stream,
  TERMINATED,
  TRUNCATED,
} from "@magic-mask/core";
import { explainerLaws, referenceLearner, sampleDecisions } from "@magic-mask/core/testing";
import { objectives } from "../index.ts";
import { selectDecisions } from "../select.ts";
import { KEYS, leverWorld, WIDTH } from "../test-worlds.ts";
import type { Evidence } from "./objective.ts";

const PLAN = { epochs: 2, learningRate: { start: 0.01, end: 0.005 } };
const F = 2;
const worlds = {
  "discrete actions": { spec: leverWorld(), shape: { observation: WIDTH, actions: KEYS } },
  candidates: {
    spec: { ...leverWorld(), actionSpaces: [candidates(KEYS, F), candidates(KEYS, F)] },
    shape: { observation: WIDTH, actions: KEYS, features: F },
  },
};

/** Evidence of every kind there is, made up: 13 episodes of 3 decisions that end in each way, some blinded, some disturbed. */
function madeUp(spec: EnvironmentSpec, seed: number): Evidence {
  const random = stream(seed, "made up");
  const shape = spec.actionSpaces[0].kind === "candidates" ? worlds.candidates.shape : worlds["discrete actions"].shape;
  const sample = sampleDecisions(shape, seed);
  const rollout = createRollout(spec, 0, KEYS, 39);
  rollout.length = 39;
  rollout.observations.set(sample.observations.subarray(0, 39 * WIDTH));
  rollout.legal.set(sample.legal.subarray(0, 39 * KEYS));
  rollout.policy.set(sample.policy.subarray(0, 39 * KEYS));
  rollout.perturbation.set(sample.perturbation.subarray(0, 39 * KEYS));
  for (let row = 0; row < 39; row++) {
    if (rollout.candidates && "candidates" in sample && sample.candidates)
      copyCandidates(sample.candidates, row, rollout.candidates, row);
    const episode = Math.floor(row / 3);
    const isLast = row % 3 === 2;
    rollout.actions[row] = rollout.legal.subarray(row * KEYS, (row + 1) * KEYS).indexOf(1);
    rollout.blindProbability[row] = 0.5;
    rollout.blinded[row] = random.below(2);
    rollout.disturbed[row] = random.uniform() < 0.2 ? 1 : 0;
    rollout.rewards[row] = random.normal();
    rollout.episodes[row] = episode;
    rollout.next[row] = isLast ? -1 : row + 1;
    rollout.ended[row] = isLast ? [TERMINATED, LAST_LOOK, OPEN][episode % 3] : CONTINUES;
    if (row % 3 === 1 && episode % 3 === 1) rollout.ended[row] = TRUNCATED;
  }
  const rows = Int32Array.from({ length: 39 }, (_, row) => row).filter(
    (row) => rollout.ended[row] <= TRUNCATED && !rollout.disturbed[row],
  );
  const values = Float32Array.from({ length: 39 }, () => random.normal());
  const advantages = Float32Array.from({ length: 39 }, () => random.normal());
  return { rollout, discount: 0.9, rows, values, advantages };
}

/** Nets of a few units: what they learn is nobody's question here. */
const small: CreateLearner = (spec, random) => referenceLearner({ ...spec, hidden: [5] }, random);

const laws = explainerLaws.map((law) => [law.name, law] as const);

describe.each(Object.keys(objectives))("%s", (name) => {
  describe.each(Object.entries(worlds))("with %s", (_, { spec, shape }) => {
    const make = (separate = false) =>
      objectives[name]({ threshold: 0.5, separate }).create({
        spec,
        agent: 0,
        createLearner: small,
        seed: 1,
      });
    const evidence = [madeUp(spec, 1), madeUp(spec, 2)];
    const decisions = selectDecisions(evidence[0].rollout, evidence[0].rows, 0);
    const fitted = (async () => {
      const mask = make();
      return { mask, statistics: await mask.fit(evidence[0], PLAN) };
    })();

    it.each(laws)("%s", async (_name, law) => {
      const state = (await fitted).mask.exportState();
      const again = () => {
        const mask = make();
        mask.restoreState(structuredClone(state));
        return mask.explainer;
      };
      await law.run({ make: again, shape });
    });

    it("learns, says so, and gives masks and probabilities", async () => {
      const { mask, statistics } = await fitted;
      expect(mask.explainer.name).toBe(name);
      expect(Object.values(statistics).every(Number.isFinite)).toBe(true);
      expect(statistics.loss).toBeDefined();
      expect(mask.exportState()).not.toEqual(make().exportState());
      const out = new Float32Array(decisions.count + 1).fill(7);
      for (const give of [mask.mask, mask.blind]) {
        give?.(decisions, out);
        expect(out.subarray(0, -1).every((x) => x >= 0 && x <= 1)).toBe(true);
        expect(out[decisions.count]).toBe(7);
      }
    });

    it("continues from a saved state as if it had not stopped", async () => {
      const { mask } = await fitted;
      const [resumed, other] = [make(), make()];
      for (const each of [resumed, other]) each.restoreState(structuredClone(mask.exportState()));
      const statistics = [await resumed.fit(evidence[1], PLAN), await other.fit(evidence[1], PLAN)];
      expect(statistics[1]).toEqual(statistics[0]);
      const whole = make();
      await whole.fit(evidence[0], PLAN);
      await whole.fit(evidence[1], PLAN);
      expect(resumed.exportState()).toEqual(whole.exportState());
    });

    it("has nothing to learn from no rows", async () => {
      const mask = make(true);
      const before = mask.exportState();
      expect(await mask.fit({ ...evidence[0], rows: new Int32Array(0) }, PLAN)).toEqual({});
      expect(mask.exportState()).toEqual(before);
    });
  });
});
