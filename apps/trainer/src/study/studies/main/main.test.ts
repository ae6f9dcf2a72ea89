import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { hasCheckpoint } from "../../../run/checkpoint.ts";
import { askToStop, createSignals } from "../../../work/signals.ts";
import { jointRun } from "../../joint-run.ts";
import type { Coordinates } from "../../study.ts";
import { withObjective, withSteps } from "../common/parts.ts";
import { figuresOf, smallSubject } from "../common/small-subject.ts";
import { main, mainSettings, methods } from "./main.ts";

const study = main();
const trials = (part: string, names: readonly string[]): Coordinates[] =>
  names.map((method) => ({ environment: "planted_v0", seed: 1, part, budget: 400, method, steps: 192 }));

describe("main, trained together", () => {
  it("gives methods the policies that come about with them", async () => {
    const subject = await smallSubject(1);
    const [alone, told, value, statemask, random] = await figuresOf(
      study,
      trials("joint", ["advantage", "advantage+comm", "value", "statemask", "random"]),
      subject,
    );
    // 2 iterations of 12 ticks in 8 copies.
    for (const { steps } of [alone, statemask, random]) expect(steps).toBe(192);
    expect([told, value]).toEqual([alone, alone]);
    expect(statemask.figures.joint?.mask?.coverage).not.toBe(alone.figures.joint?.mask?.coverage);
    // The frozen policies play the planted world as well as can be, which 192 steps do not teach.
    const earned = (of: typeof alone) => of.figures.joint?.strength[0].value as number;
    expect(earned(random)).toBeGreaterThan(earned(alone) + 1);
    expect(random.figures.joint?.kl).toBeUndefined();
  });

  it("may take one run for all masks that a coin's blinding teaches", async () => {
    const { frozen, place } = await smallSubject(1);
    const run = (objective: string, steps: number) =>
      jointRun({
        config: {
          ...frozen.config,
          training: { ...frozen.config.training, totalSteps: steps },
          mask: { ...frozen.config.mask, objective },
        },
        place,
      });
    const [one, other] = [await run("advantage", 192), await run("value_gap", 192)];
    expect(other?.figures.strength).toEqual(one?.figures.strength);
    expect(other?.figures.kl).toEqual(one?.figures.kl);
    expect(one?.isNew).toBe(true);
    const again = await run("advantage", 192);
    expect([again?.figures, again?.isNew]).toEqual([one?.figures, false]);
  });
});

it("says where a joint run keeps how far it is, and goes on from there", async () => {
  const { frozen, place } = await smallSubject(1);
  const about = withObjective(withSteps(frozen.config, { steps: 288 }), "statemask");
  const config = { ...about, checkpointSeconds: 0 };
  const stopped = createSignals();
  askToStop(stopped);
  expect(await jointRun({ config, place: { ...place, signals: stopped } })).toBeUndefined();
  const { subjects, cache } = place;
  const at = { ...trials("joint", ["statemask"])[0], steps: 288 };
  const [path, ...none] = study.keeps?.(at, { ...frozen.config, checkpointSeconds: 0 }, subjects) ?? [];
  expect([none, await hasCheckpoint(join(cache, path))]).toEqual([[], true]);
  expect(await jointRun({ config, place })).toMatchObject({ isNew: true, figures: { steps: 288 } });
  expect(existsSync(join(cache, path))).toBe(false);
  // Another temperature is another run.
  const noisy = (temperature: number) => {
    const { mask, perturbation } = frozen.config;
    const settings = {
      mask: { ...mask, perturbation: "policy_noise" },
      perturbation: { ...perturbation, temperature },
    };
    return study.keeps?.(at, { ...frozen.config, ...settings }, subjects);
  };
  expect(noisy(2)).not.toEqual(noisy(10));
  expect(study.keeps?.(trials("joint", ["random"])[0], frozen.config, subjects)).toEqual([]);
});

describe("main, on frozen policies", () => {
  it("says the same of a method whichever others there are, and whether or not it is in the cache", async () => {
    const subject = await smallSubject(1);
    const names = ["advantage", "advantage+comm", "statemask", "random"];
    const all = await figuresOf(study, trials("posthoc", names), subject);
    expect(await figuresOf(study, trials("posthoc", names), subject)).toEqual(all);
    // Cells are kept one by one, and where it is said; what is stacked with peers' records is no cell.
    const { frozen, place } = subject;
    const kept = trials("posthoc", names).map((trial) => study.keeps?.(trial, frozen.config, place.subjects) ?? []);
    expect(kept.map(({ length }) => length)).toEqual([1, 0, 1, 1]);
    expect(kept.flat().filter((path) => !existsSync(join(place.cache, path)))).toEqual([]);
    const [alone] = await figuresOf(study, trials("posthoc", ["advantage+comm"]), await smallSubject(1));
    expect(alone).toEqual(all[1]);
    // Those that learn have as many steps; agents that have records can say something of each other.
    expect(all.map(({ steps }) => steps)).toEqual([400, 400, 400, 0]);
    expect(all.map(({ figures }) => typeof figures.posthoc?.fidelity)).toEqual([
      "number",
      "number",
      "object",
      "object",
    ]);
    expect(all[1].figures.posthoc?.agents.map(({ drops }) => drops.length)).toEqual([2, 2, 2]);
  });
});

it("knows eight methods, and refuses a coin that peers steer", async () => {
  expect(study.axes("default").method).toEqual(Object.keys(methods));
  const { frozen } = await smallSubject(1);
  const steered = { ...frozen.config, sharing: { ...frozen.config.sharing, steer: 0.5 } };
  expect(() => mainSettings(steered)).toThrow(expect.objectContaining({ code: "unsupported" }));
  expect(() => study.run(trials("both", ["advantage"]), {} as never)).toThrow(
    expect.objectContaining({ code: "invalid-option" }),
  );
});
