import { describe, expect, it } from "@jest/globals";
import { addList, type CandidateStore } from "./candidate-lists.ts";
import {
  allocateRollout,
  appendRollout,
  CONTINUES,
  clearRollout,
  completeRows,
  copyDecision,
  createRollout,
  LAST_LOOK,
  OPEN,
  type Rollout,
  TERMINATED,
  TRUNCATED,
} from "./rollout.ts";
import { gatherers } from "./testing/planted/gatherers.ts";
import { workshop } from "./testing/planted/workshop.ts";

it("createRollout makes room for an agent's own spaces, in slots of the world's width", () => {
  // The builder: 1 observation, 2 + 3 mask entries, slots of 2.
  const rollout = createRollout(workshop(), 0, 5, 10);
  expect(rollout.widths).toEqual({ observation: 1, legal: 5, parameters: 5, action: 2 });
  expect(rollout.length).toBe(0);
  expect(rollout.observations).toHaveLength(10);
  expect(rollout.legal).toHaveLength(50);
  expect(rollout.policy).toHaveLength(50);
  expect(rollout.perturbation).toHaveLength(50);
  expect(rollout.actions).toHaveLength(20);
  const columns = [
    "values",
    "logProbs",
    "blinded",
    "blindProbability",
    "rewards",
    "disturbed",
    "ended",
    "next",
  ] as const;
  for (const name of columns) expect(rollout[name]).toHaveLength(10);
  for (const name of ["agents", "copies", "episodes", "ticks"] as const) expect(rollout[name]).toHaveLength(10);
  // The driver: no mask.
  expect(createRollout(workshop(), 1, 2, 10).widths).toEqual({ observation: 1, legal: 0, parameters: 2, action: 2 });
});

it("completeRows are decisions that have ended, of one agent or of all", () => {
  const rollout = createRollout(gatherers(), 0, 3, 8);
  //           row:   0          1          2          3         4     5          6 (not in use)
  rollout.ended.set([CONTINUES, TERMINATED, TRUNCATED, LAST_LOOK, OPEN, CONTINUES, CONTINUES]);
  rollout.agents.set([0, 1, 1, 1, 0, 1, 0]);
  rollout.length = 6;
  expect([...completeRows(rollout)]).toEqual([0, 1, 2, 5]);
  expect([...completeRows(rollout, 0)]).toEqual([0]);
  expect([...completeRows(rollout, 1)]).toEqual([1, 2, 5]);
  rollout.length = 0;
  expect(completeRows(rollout)).toHaveLength(0);
});

describe("appendRollout", () => {
  const widths = { observation: 2, legal: 3, parameters: 3, action: 1 };
  /** Rows whose every number is its own. */
  const numbered = (rows: number, room: number, from: number) => {
    const rollout = allocateRollout(widths, room);
    rollout.length = rows;
    for (const column of Object.values(rollout)) {
      if (ArrayBuffer.isView(column)) for (let i = 0; i < room; i++) (column as Float32Array)[i] = from + i;
    }
    rollout.next.set([1, -1, -1].slice(0, rows));
    return rollout;
  };
  const inUse = (rollout: Rollout, from: number, to: number) =>
    Object.fromEntries(
      Object.entries(rollout)
        .filter(([name, column]) => ArrayBuffer.isView(column) && name !== "next")
        .map(([name, column]) => {
          const width = column.length / rollout.ended.length;
          return [name, [...column.subarray(from * width, to * width)]];
        }),
    );

  it("puts the rows of one behind those of another, in every column, and moves their links along", () => {
    const [a, b, all] = [numbered(3, 5, 10), numbered(2, 2, 50), allocateRollout(widths, 7)];
    appendRollout(a, all);
    appendRollout(allocateRollout(widths, 0), all);
    appendRollout(b, all);
    expect(all.length).toBe(5);
    expect(inUse(all, 0, 3)).toEqual(inUse(a, 0, 3));
    expect(inUse(all, 3, 5)).toEqual(inUse(b, 0, 2));
    expect([...all.next.subarray(0, 5)]).toEqual([1, -1, -1, 4, -1]);
  });

  it("knows every column that a rollout has", () => {
    const columns = Object.values(allocateRollout(widths, 1)).filter(ArrayBuffer.isView);
    const [one, all] = [numbered(1, 1, 7), allocateRollout(widths, 1)];
    appendRollout(one, all);
    expect(columns.length).toBe(17);
    for (const [name, column] of Object.entries(all)) {
      if (ArrayBuffer.isView(column))
        expect([name, (column as Float32Array)[0]]).toEqual([name, name === "next" ? 1 : 7]);
    }
  });

  it.each([
    ["memory of its own", (bytes: number) => new ArrayBuffer(bytes)],
    ["shared memory", (bytes: number) => new SharedArrayBuffer(bytes)],
  ])("takes candidates along, into longer arrays where they do not fit: %s", (_, allocate) => {
    const listed = { ...widths, candidate: 2 };
    /** Lists of 3 and 1, then 0 more rows. */
    const from = allocateRollout(listed, 2);
    const lists = from.candidates as CandidateStore;
    for (const [row, n] of [3, 1].entries()) {
      const offset = addList(lists, row, n);
      for (let i = 0; i < 2 * n; i++) lists.features[offset + i] = 10 * row + i;
    }
    from.length = 2;
    from.next.fill(-1);
    const all = allocateRollout(listed, 5, allocate);
    appendRollout(from, all);
    appendRollout(from, all);
    copyDecision(from, 0, all, 4);
    const to = all.candidates as CandidateStore;
    expect([...to.starts]).toEqual([0, 3, 4, 7, 8]);
    expect([...to.counts]).toEqual([3, 1, 3, 1, 3]);
    const once = [0, 1, 2, 3, 4, 5, 10, 11];
    expect([...to.features.subarray(0, 22)]).toEqual([...once, ...once, ...once.slice(0, 6)]);
    expect(to.features.buffer).toBeInstanceOf(allocate(0).constructor);
    clearRollout(all);
    expect([all.length, to.length]).toEqual([0, 0]);
  });

  it("refuses what does not fit", () => {
    const all = allocateRollout(widths, 4);
    appendRollout(numbered(3, 3, 0), all);
    expect(() => appendRollout(numbered(2, 2, 0), all)).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    expect(all.length).toBe(3);
  });

  it("works on shared memory", () => {
    const shared = allocateRollout(widths, 2, (bytes) => new SharedArrayBuffer(bytes));
    appendRollout(numbered(2, 2, 30), shared);
    expect(shared.observations.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([...shared.ticks]).toEqual([30, 31]);
  });
});
