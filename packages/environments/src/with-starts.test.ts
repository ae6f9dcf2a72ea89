import { describe, expect, it } from "@jest/globals";
import { box, type Environment } from "@magic-mask/core";
import { market } from "@magic-mask/core/testing";
import { connectFour } from "./connect-four.ts";
import { pongWalls } from "./pong-walls.ts";
import { withStarts } from "./with-starts.ts";

/** Snapshots of a world after each of these numbers of steps, in which everybody takes the first action. */
function after(make: () => Environment, steps: readonly number[]): Uint8Array {
  const world = make();
  const out = new Uint8Array(steps.length * world.snapshotBytes);
  steps.forEach((count, k) => {
    world.reset(1);
    for (let step = 0; step < count; step++) world.step(new Float32Array(world.agents.length));
    world.snapshot(out, k * world.snapshotBytes);
  });
  return out;
}
const stones = (game: Environment) => {
  const out = new Float32Array(84);
  game.observe(0, out, 0);
  return out.reduce((sum, x) => sum + x, 0);
};

describe("withStarts", () => {
  it("begins a share of the episodes at a snapshot, each as often, and the others as always", () => {
    const game = withStarts(connectFour, { snapshots: after(connectFour, [2, 4]), share: 0.6 })();
    const begun = Array.from({ length: 1000 }, (_, seed) => {
      game.reset(seed);
      return stones(game);
    });
    const count = (wanted: number) => begun.filter((found) => found === wanted).length;
    expect(count(0) + count(2) + count(4)).toBe(1000);
    // 400 ± 15.5 and 300 ± 14.5: 4 standard deviations.
    expect(Math.abs(count(0) - 400)).toBeLessThan(62);
    for (const wanted of [2, 4]) expect(Math.abs(count(wanted) - 300)).toBeLessThan(58);
  });

  it("lets all chance follow from the seed, and differ with it", () => {
    const make = withStarts(pongWalls, { snapshots: after(pongWalls, [5]), share: 1 });
    const play = (seed: number, world = make()) => {
      world.reset(seed);
      let told = "";
      for (let t = 0; t < 300; t++) {
        world.step(new Float32Array(4));
        told += world.rewards.join();
      }
      return told;
    };
    const used = make();
    play(2, used);
    expect(play(1, used)).toBe(play(1));
    expect(play(2)).not.toBe(play(1));
  });

  it("refuses what it cannot begin at", () => {
    const one = after(connectFour, [1]);
    const wrong: [() => unknown, string][] = [
      [() => withStarts(connectFour, { snapshots: one, share: 2 }), "invalid-option"],
      [() => withStarts(connectFour, { snapshots: one.subarray(1), share: 1 })(), "shape-mismatch"],
      [() => withStarts(connectFour, { snapshots: new Uint8Array(0), share: 1 })(), "shape-mismatch"],
      [() => withStarts(() => ({ ...market(), snapshotBytes: 0 }), { snapshots: one, share: 1 })(), "unsupported"],
    ];
    for (const [act, code] of wrong) expect(act).toThrow(expect.objectContaining({ code }));
    expect(withStarts(connectFour, { snapshots: one, share: 0 })().observationSpaces[0]).toEqual(box([6, 7, 2], 0, 1));
  });
});
