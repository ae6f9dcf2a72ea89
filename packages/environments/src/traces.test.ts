import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "@jest/globals";
import { actionWidth, type Environment, isOver, type MakeEnvironment, slotWidth, stream } from "@magic-mask/core";
import { randomActions } from "@magic-mask/core/testing";
import { environments } from "./index.ts";

/** Steps of a trace; of a longer episode the rest is left out. */
const LONGEST = 60;

/** One random episode as text. A reviewer reads the diff and sees how the rules changed. */
function trace(environment: Environment, seed: number): string {
  const choose = stream(seed, "trace");
  environment.reset(seed);
  const W = slotWidth(environment);
  const lines = [`${environment.id}, seed ${seed}`, "", environment.render()];
  for (let t = 0; t < LONGEST && !isOver(environment); t++) {
    const actions = randomActions(environment, choose);
    const words = environment.agents.flatMap((name, agent) => {
      const space = environment.actionSpaces[agent];
      if (!environment.acting[agent]) return [];
      if (space.kind === "discrete") return `${name} ${space.labels?.[actions[agent * W]]}`;
      const labels = environment.candidateLabels?.(agent);
      if (labels) return `${name} ${labels[actions[agent * W]]}`;
      const numbers = actions.subarray(agent * W, agent * W + actionWidth(space));
      return `${name} ${Array.from(numbers, (x) => (space.kind === "box" ? x.toFixed(3) : x)).join(" ")}`;
    });
    environment.step(actions);
    // Engines differ in the last digits.
    const pay = Array.from(environment.rewards, (reward) => Number(reward.toFixed(6)));
    lines.push("", `${t}: ${words.join(", ")}; pays ${pay.join(" ")}`, environment.render());
  }
  const ends = environment.agents.map(
    (name, agent) =>
      `${name} ${environment.terminated[agent] ? "terminated" : environment.truncated[agent] ? "truncated" : "goes on"}`,
  );
  return [...lines, "", ends.join(", "), ""].join("\n");
}

/** Compares with the recorded file; `UPDATE_TRACES=1` records it anew. */
function expectTrace(name: string, text: string): void {
  const path = fileURLToPath(new URL(`../traces/${name}.txt`, import.meta.url));
  if (process.env.UPDATE_TRACES) writeFileSync(path, text);
  expect(existsSync(path) ? readFileSync(path, "utf8") : "no such trace: run with UPDATE_TRACES=1").toBe(text);
}

it.each(Object.entries<MakeEnvironment>(environments))("%s plays as recorded", (id, make) =>
  expectTrace(id, trace(make(), 1)),
);
