import { describe, expect, it } from "@jest/globals";
import { isOver } from "./environment.ts";
import { stream } from "./random.ts";
import { randomActions } from "./testing/environment-laws.ts";
import { gatherers } from "./testing/planted/gatherers.ts";
import { nim } from "./testing/planted/nim.ts";
import { vectorize } from "./vector-environment.ts";

describe("vectorize", () => {
  it("steps each copy as it would step alone", () => {
    const C = 3;
    const vector = vectorize(gatherers, C);
    const alone = Array.from({ length: C }, gatherers);
    const random = stream(1);
    for (let copy = 0; copy < C; copy++) {
      vector.reset(copy, 40 + copy);
      alone[copy].reset(40 + copy);
    }
    const seen = new Float32Array(5);
    const expected = new Float32Array(5);
    while (!alone.every(isOver)) {
      const actions = Float32Array.from(alone.flatMap((world) => [...randomActions(world, random)]));
      alone.forEach((world, copy) => {
        if (!isOver(world)) world.step(actions.subarray(2 * copy, 2 * copy + 2));
      });
      vector.step(actions);
      alone.forEach((world, copy) => {
        for (const name of ["acting", "rewards", "terminated", "truncated"] as const) {
          expect([...vector[name].subarray(2 * copy, 2 * copy + 2)]).toEqual([...world[name]]);
        }
        for (let agent = 0; agent < 2; agent++) {
          world.observe(agent, expected, 1);
          vector.observe(copy, agent, seen, 1);
          expect(seen).toEqual(expected);
          const masks = [new Uint8Array(4), new Uint8Array(4)];
          expect(vector.legal(copy, agent, masks[0], 1)).toBe(world.legal(agent, masks[1], 1));
          expect(masks[0]).toEqual(masks[1]);
        }
      });
    }
  });

  it("leaves copies whose episode is over, or has not begun, as they are", () => {
    const vector = vectorize(nim, 3);
    vector.reset(0, 0); // seven stones
    vector.reset(1, 2); // nine stones
    expect([...vector.acting]).toEqual([1, 0, 1, 0, 0, 0]);
    // Always three: copy 0 goes 4, 1 and then can take one only.
    const three = Float32Array.of(2, 2, 2, 2, 2, 2);
    vector.step(three);
    vector.step(three);
    vector.step(Float32Array.of(0, 0, 0, 0, 0, 0)); // copy 0: first takes the last one; copy 1: 9 − 3 − 3 − 1 = 2
    expect([...vector.rewards]).toEqual([1, -1, 0, 0, 0, 0]);
    vector.step(Float32Array.of(2, 2, 0, 1, 2, 2)); // copy 1: second takes the last two
    expect([...vector.rewards]).toEqual([1, -1, -1, 1, 0, 0]);
    expect([...vector.terminated]).toEqual([1, 1, 1, 1, 0, 0]);
    expect([...vector.acting]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("reads the actions of each call, in the same array or another", () => {
    const vector = vectorize(nim, 1);
    const heap = () => vector.render(0);
    vector.reset(0, 2);
    const actions = Float32Array.of(0, 0);
    vector.step(actions); // 9 − 1
    actions[1] = 1;
    vector.step(actions); // 8 − 2
    vector.step(Float32Array.of(2, 0)); // 6 − 3
    expect(heap()).toContain(">3<");
    actions[1] = 0;
    vector.step(actions); // 3 − 1
    expect(heap()).toContain(">2<");
  });

  it("restores a copy, its arrays included, with the given chance", () => {
    const vector = vectorize(gatherers, 2);
    const stay = new Float32Array(4);
    vector.reset(0, 1);
    vector.reset(1, 2);
    const snapshot = new Uint8Array(vector.spec.snapshotBytes + 3);
    vector.snapshot(1, snapshot, 3);
    for (let t = 0; t < 8; t++) vector.step(stay);
    expect([...vector.acting]).toEqual([0, 0, 0, 0]);
    vector.restore(1, snapshot, 3);
    expect([...vector.acting]).toEqual([0, 0, 1, 1]);
    expect([...vector.truncated]).toEqual([1, 1, 0, 0]);

    const given = stream(9);
    vector.restore(0, snapshot, 3, given);
    expect(vector.render(0)).toBe(vector.render(1));
    // Ann steps from cell 1 to the berry on cell 2: the next one grows where the given stream says.
    vector.step(Float32Array.of(2, 0, 0, 0));
    const seen = new Float32Array(3);
    vector.observe(0, 0, seen, 0);
    expect(seen[1]).toBe(stream(9).below(5) / 4);
    expect(given.exportState()).not.toEqual(stream(9).exportState());
  });

  it("takes the world's own way, where there is one, and closes what the world holds", () => {
    const own = vectorize(nim, 2);
    expect(
      vectorize(
        Object.assign(() => nim(), { vectorize: () => own }),
        2,
      ),
    ).toBe(own);
    let closed = 0;
    const held = () => ({ ...nim(), close: () => void closed++ });
    vectorize(held, 3).close?.();
    expect(closed).toBe(3);
  });

  it("needs a copy", () => {
    expect(() => vectorize(nim, 0)).toThrow("[core/vectorize] copies must be a whole number ≥ 1, got 0");
  });
});
