import { expect, it } from "@jest/globals";
import { playAlone } from "./replay.ts";
import { simulate } from "./simulate.ts";
import { plantedSubject } from "./test-subject.ts";

it("lets several teams tell each other, and moves as much as that comes to", async () => {
  const { frozen } = await plantedSubject(1);
  const replay = await playAlone(frozen, 640, "simulate");
  const telling = { mode: "all", sharing: frozen.config.sharing };
  const [one, four] = [1, 4].map((teams) => simulate(replay, telling, teams, 40));
  // 40 ticks of 16 copies, three agents a team.
  expect([one.agentSteps, four.agentSteps]).toEqual([40 * 16 * 3, 40 * 16 * 12]);
  // All that was decided reaches two others, or eleven.
  expect(four.received / one.received).toBeCloseTo(11 / 2, 10);
  // Copies of one team differ in the episodes that they end with, so bytes do hardly.
  expect(four.bytes / one.bytes).toBeCloseTo(11 / 2, 1);
  expect(four.held).toBeGreaterThan(3 * one.held);
  expect(four.comm).toBeGreaterThan(0);
  expect(simulate(replay, { ...telling, mode: "none" }, 1, 40)).toMatchObject({ received: 0, bytes: 0 });
});
