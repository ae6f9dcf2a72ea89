import { expect, it } from "@jest/globals";
import { isOver, slotWidth } from "./environment.ts";
import { gatherers } from "./testing/planted/gatherers.ts";
import { workshop } from "./testing/planted/workshop.ts";

it("slots are as wide as the widest action", () => {
  expect(slotWidth(gatherers())).toBe(1);
  // The builder's two parts; the driver's wheel and the trader's offer take one number each.
  expect(slotWidth(workshop())).toBe(2);
});

it("an episode is over when nobody acts", () => {
  const world = gatherers();
  expect(isOver(world)).toBe(true);
  world.reset(0);
  expect(isOver(world)).toBe(false);
  world.acting.set([0, 1]);
  expect(isOver(world)).toBe(false);
  world.acting.set([0, 0]);
  expect(isOver(world)).toBe(true);
});
