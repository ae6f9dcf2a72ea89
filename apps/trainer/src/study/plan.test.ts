import { describe, expect, it } from "@jest/globals";
import { type PlanStudyOptions, planStudy } from "./plan.ts";
import { studies } from "./registry.ts";

const plan = (id: string, axes: PlanStudyOptions["axes"], overrides: readonly string[] = []) =>
  planStudy(studies[id], { size: "quick", states: "dev", overrides, ...(axes && { axes }) });

describe("what is asked of a study", () => {
  it.each([
    ["main", { budget: ["-5"] }, "budget takes whole numbers from 1 on"],
    ["main", { budget: ["2.5"] }, "budget takes whole numbers from 1 on"],
    ["main", { seed: ["1", "-1"] }, "seed takes whole numbers from 0 on"],
    ["main", { seed: ["1", "x"] }, "seed takes whole numbers from 0 on"],
    ["main", { part: ["both"] }, "part takes names among joint, posthoc"],
    ["main", { method: ["advantage", "zzz"] }, 'got "advantage,zzz"'],
    ["communication", { mode: ["none", "zzz"] }, "mode takes names among none, marked"],
    ["channel", { channel: ["zzz"] }, "channel takes names among none, ideal"],
    ["teams", { trust: ["maybe"] }, "trust takes names among off, on"],
    ["teams", { peers: [""] }, "peers takes names among"],
    ["scale", { mode: ["zzz"] }, "mode takes names among none, marked"],
    ["threshold", { objective: ["zzz"] }, "objective takes names among advantage"],
    ["threshold", { threshold: ["1.5"] }, "threshold takes numbers from 0 to 1"],
    ["steering", { steer: ["-0.1"] }, "steer takes numbers from 0 to 1"],
    ["components", { variant: ["zzz"] }, "variant takes names among"],
    ["perturbation", { perturbation: ["zzz"] }, "perturbation takes names among"],
    ["control", { explainer: ["zzz"] }, "explainer takes names among"],
    ["retrain", { starts: ["zzz"] }, "starts takes names among"],
    ["transfer", { inputs: ["zzz"] }, "inputs takes names among"],
  ] as const)("%s refuses %j before any work", async (id, axes, message) => {
    await expect(plan(id, axes)).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining(message),
    });
  });

  it("has no settings for what is an axis", async () => {
    const seed = plan("communication", undefined, ["seed=3"]);
    await expect(seed).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining("--axis seed=3"),
    });
    const world = plan("communication", undefined, ["environment.id=pong_v0"]);
    await expect(world).rejects.toMatchObject({ message: expect.stringContaining("--axis environment=pong_v0") });
  });

  it("takes what the program has beyond a study's own choice", async () => {
    const { axes } = await plan("scale", { mode: ["none", "marked"], environment: ["pong_walls_v0@2"] });
    expect(axes.mode).toEqual(["none", "marked"]);
    expect((await plan("steering", { steer: ["0", "1"] })).axes.steer).toEqual([0, 1]);
  });
});
