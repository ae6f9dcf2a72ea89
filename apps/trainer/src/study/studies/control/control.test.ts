import { expect, it } from "@jest/globals";
import { objectivesFor } from "@magic-mask/masking";
import { assembleWorld } from "../../../assemble.ts";
import { resolveConfig } from "../../../config.ts";
import { control } from "./control.ts";

it("is about continuous actions, by explainers that can score them", () => {
  const study = control();
  const { environment, explainer } = study.axes("default");
  for (const name of environment) {
    const { spec } = assembleWorld(resolveConfig({ flags: study.config(name, "quick") }));
    for (const space of spec.actionSpaces) {
      expect(space.kind).toBe("box");
      for (const each of explainer) expect([...objectivesFor(space), "random"]).toContain(each);
    }
  }
  expect(() => study.config("pong_v0", "quick")).toThrow(expect.objectContaining({ code: "unknown-name" }));
});
