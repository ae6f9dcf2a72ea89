import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { learnersOf } from "../../../assemble.ts";
import { freshTeam } from "../../../compare/policies.ts";
import { parseConfig } from "../../../config.ts";
import { loadCheckpoint } from "../../../run/checkpoint.ts";
import { askToStop, createSignals } from "../../../work/signals.ts";
import type { Coordinates } from "../../study.ts";
import { plantedSubject } from "../../test-subject.ts";
import { choices, retrain, type SavedTraining } from "./retrain.ts";

const study = retrain();
const trialOf = (starts: string): Coordinates => ({ environment: "planted_v0", seed: 1, budget: 4800, starts });

describe("retrain", () => {
  it("counts all steps alike, trains copies, and depends on nothing but the arm", async () => {
    const cache = mkdtempSync(join(tmpdir(), "magic-mask-"));
    const planted = await plantedSubject(1, cache);
    const { config } = planted.frozen;
    const posthoc = { ...config.posthoc, epochs: 5 };
    const training = { ...config.training, copies: 8, shards: 2, rolloutTicks: 24, minibatch: 64 };
    const frozen = await freshTeam(
      parseConfig({ ...config, posthoc, training, evaluation: { ...config.evaluation, episodes: 20 } }),
    );
    const parameters = () => learnersOf(frozen.team).map(({ learner }) => [...learner.exportState().parameters]);
    const untouched = parameters();
    const made = async (names: readonly string[], signals = planted.place.signals) => {
      const trials = names.map(trialOf);
      const found = [];
      const subject = { ...planted, frozen, place: { ...planted.place, signals } };
      for await (const { steps, figures } of study.run(trials, subject)) found.push({ steps, figures });
      return found;
    };
    const names = Object.keys(choices);
    const found = await made(names);
    const figures = Object.fromEntries(names.map((name, k) => [name, found[k].figures]));
    for (const { steps, figures: own } of found) {
      expect(steps).toBe(4800);
      expect(own.before).toBe(figures.none.before);
    }
    // A tenth is 480 steps: 40 episodes of 12 ticks, and 30 ticks of 16 copies.
    expect(figures.none.spent).toEqual({ looking: 0, explaining: 0 });
    expect(figures.random.spent).toEqual({ looking: 480, explaining: 0 });
    expect(figures.critical.spent).toEqual({ looking: 480, explaining: 480 });
    expect([figures.none.auroc, figures.random.auroc]).toEqual([null, null]);
    expect(figures.critical.auroc).not.toBeNull();
    expect(figures.critical.after).not.toBe(figures.none.after);
    expect(parameters()).toEqual(untouched);
    const [again] = await made(["critical"]);
    expect(again.figures).toEqual(figures.critical);

    // Stopped after every iteration, and gone on with.
    const stopped = createSignals();
    askToStop(stopped);
    const path = join(cache, ...(study.keeps?.(trialOf("critical"), frozen.config, planted.place.subjects) ?? []));
    const steps: number[] = [];
    for (let stop = 0; stop < 3; stop++) {
      expect(await made(["critical"], stopped)).toEqual([]);
      steps.push(((await loadCheckpoint(path)).tree as SavedTraining).joint.train?.steps ?? 0);
    }
    // An iteration is 24 ticks of 8 copies.
    expect(steps).toEqual([192, 384, 576]);
    expect(await made(["critical"])).toEqual([again]);
    expect(existsSync(path)).toBe(false);
  });
});
