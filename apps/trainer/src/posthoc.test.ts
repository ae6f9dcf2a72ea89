import { describe, expect, it } from "@jest/globals";
import type { CreateLearner, MlpSpec } from "@magic-mask/core";
import { assembleMask, assembleWorld, policyWork } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import { resolveConfig } from "./config.ts";

/** The nets of one agent's mask: how many outputs, each of a net of its own or heads on one trunk, and how wide they are. */
async function netsOf(separate: boolean, ...overrides: string[]) {
  const config = resolveConfig({ overrides: ["backend=fused", "workers=0", ...overrides] });
  const world = assembleWorld(config);
  const backend = await loadBackend(config, policyWork(config, world));
  const specs: MlpSpec[] = [];
  const create: CreateLearner = (spec, random) => {
    specs.push(spec as MlpSpec);
    return backend.create(spec, random);
  };
  assembleMask(config, world, 0, create, 1, separate);
  return specs.map(({ outputs, hidden }) => ({ outputs, hidden }));
}

const world = "environment.id=planted_v0";

describe("the nets of a mask", () => {
  it("are three of 64 and 64 post hoc where nothing is said", async () => {
    expect(await netsOf(true, world)).toEqual([{ outputs: [1, 1, 1], hidden: [64, 64] }]);
  });

  it("are as many and as wide as posthoc.ensemble and posthoc.hidden say", async () => {
    const asked = [world, "posthoc.ensemble=2", "posthoc.hidden=[8]"];
    expect(await netsOf(true, ...asked)).toEqual([{ outputs: [1, 1], hidden: [8] }]);
    // Two quantities, of keeping and of blinding.
    const both = await netsOf(true, ...asked, "mask.objective=keep_blind");
    expect(both).toEqual([{ outputs: [1, 1, 1, 1], hidden: [8] }]);
  });

  it("are heads on one trunk in joint training, whatever the post-hoc pass has", async () => {
    const asked = [world, "posthoc.ensemble=2", "posthoc.hidden=[8]"];
    expect(await netsOf(false, ...asked)).toEqual([{ outputs: [3], hidden: [64, 64] }]);
  });

  it("are many and small in Pong", async () => {
    const nets = { outputs: new Array(10).fill(1), hidden: [32, 32] };
    expect(await netsOf(true, "environment.id=pong_v0")).toEqual([nets]);
  });

  it.each(["posthoc.ensemble=0", "posthoc.ensemble=65", "posthoc.hidden=[]", "posthoc.hidden=[5000]"])(
    "refuses %s",
    (asked) => {
      expect(() => resolveConfig({ overrides: [asked] })).toThrow(expect.objectContaining({ code: "invalid-option" }));
    },
  );
});
