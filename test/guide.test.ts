import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { root, sh } from "./workspace.ts";

/** A checkout with nothing in it but links to what there is, and the guide's files. */
const folder = mkdtempSync(join(tmpdir(), "magic-mask-guide-"));
const blocks = [...readFileSync(join(root, "docs/guide.md"), "utf8").matchAll(/^```ts (\S+)\n(.*?)^```/gms)];
const program = "node --import tsx --conditions=@magic-mask/source";

beforeAll(() => {
  for (const name of ["apps", "packages", "node_modules"]) symlinkSync(join(root, name), join(folder, name));
  for (const name of ["package.json", "tsconfig.base.json"]) {
    writeFileSync(join(folder, name), readFileSync(join(root, name)));
  }
  for (const [, file, code] of blocks) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the guide", () => {
  it("has a world that obeys all laws", () => {
    const check = `
      import { checkEnvironment } from "@magic-mask/environments";
      import { doors } from "./mine/doors.ts";
      console.log(JSON.stringify(checkEnvironment(doors)));`;
    writeFileSync(join(folder, "check.mts"), check);
    expect(sh(`${program} check.mts`, folder).trim()).toBe("[]");
  });

  it("has types that are right", () => {
    // What the checkout's own files bring along: its sources know the page's and the browser's types.
    const compilerOptions = { noEmit: true, lib: ["es2023", "dom"] };
    const options = { extends: "./tsconfig.base.json", compilerOptions, include: ["mine"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options));
    expect(sh("tsc --pretty false", folder)).toBe("");
  });

  it("has a study that finds with its objective what matters in its world", () => {
    const out = JSON.parse(
      sh(`${program} apps/trainer/src/main.ts study mine/study.ts --quick --workers 1 --json`, folder),
    );
    expect(out.failures).toEqual([]);
    expect(out.trials).toHaveLength(6);
    const of = (explainer: string) =>
      out.trials.filter(({ at }: { at: { explainer: string } }) => at.explainer === explainer);
    // Whether the light is on is all there is to find; a quarter of the lights are on, give or take some, so not all of the top quarter matters.
    for (const { figures } of of("regret")) expect(figures.auroc).toBeGreaterThan(0.75);
    for (const { figures } of of("random")) expect(Math.abs(figures.auroc - 0.5)).toBeLessThan(0.2);
  });
});
