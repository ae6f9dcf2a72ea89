import { describe, expect, it } from "@jest/globals";
import { stream } from "./random.ts";
import { lambdaReturns } from "./returns.ts";
import { CONTINUES, createRollout, LAST_LOOK, OPEN, type Rollout, TERMINATED, TRUNCATED } from "./rollout.ts";
import { gatherers } from "./testing/planted/gatherers.ts";

interface Row {
  reward: number;
  value: number;
  ended: number;
  next?: number;
  blinded?: 1;
  disturbed?: 1;
}

function rolloutOf(rows: readonly Row[]): { rollout: Rollout; values: Float32Array } {
  const rollout = createRollout(gatherers(), 0, 3, rows.length);
  rollout.length = rows.length;
  rows.forEach(({ reward, ended, next = -1, blinded = 0, disturbed = 0 }, row) => {
    rollout.rewards[row] = reward;
    rollout.ended[row] = ended;
    rollout.next[row] = next;
    rollout.blinded[row] = blinded;
    rollout.disturbed[row] = disturbed;
  });
  return { rollout, values: Float32Array.from(rows, ({ value }) => value) };
}

function returnsOf(rows: readonly Row[], discount: number, trace: number): number[] {
  const { rollout, values } = rolloutOf(rows);
  const out = new Float32Array(rows.length).fill(-1);
  lambdaReturns(rollout, values, discount, trace, out);
  return [...out];
}

describe("lambdaReturns", () => {
  it("follow the agent to its end", () => {
    // γ = ½, λ = ¼: y₂ = 8; y₁ = 2 + ½(¾·4 + ¼·8) = 4.5; y₀ = 1 + ½(¾·6 + ¼·4.5) = 3.8125
    const rows = [
      { reward: 1, value: 9, ended: CONTINUES, next: 1 },
      { reward: 2, value: 6, ended: CONTINUES, next: 2 },
      { reward: 8, value: 4, ended: TERMINATED },
    ];
    expect(returnsOf(rows, 0.5, 0.25)).toEqual([3.8125, 4.5, 8]);
    // λ = 0 is one step: 1 + ½·6, 2 + ½·4. λ = 1 is the whole discounted sum: 1 + ½·2 + ¼·8.
    expect(returnsOf(rows, 0.5, 0)).toEqual([4, 4, 8]);
    expect(returnsOf(rows, 0.5, 1)).toEqual([4, 6, 8]);
  });

  it("are those of the behaviour where asked, and of other rewards", () => {
    const rows: Row[] = [
      { reward: 1, value: 9, ended: CONTINUES, next: 1 },
      { reward: 2, value: 10, ended: CONTINUES, next: 2, blinded: 1 },
      { reward: 8, value: 4, ended: TERMINATED, blinded: 1 },
    ];
    const { rollout, values } = rolloutOf(rows);
    const out = new Float32Array(3);
    // γ = ½, λ = 1. The policy's end in V at each blinded decision: 2 + ½·4, 1 + ½·10.
    lambdaReturns(rollout, values, 0.5, 1, out);
    expect([...out]).toEqual([6, 4, 8]);
    // The behaviour's go on through them: 2 + ½·8, 1 + ½·6.
    lambdaReturns(rollout, values, 0.5, 1, out, { blinded: true });
    expect([...out]).toEqual([4, 6, 8]);
    lambdaReturns(rollout, values, 0.5, 1, out, { blinded: true, rewards: Float32Array.of(0, 0, 4) });
    expect([...out]).toEqual([1, 2, 4]);
    // Where somebody else was blinded meanwhile they end all the same.
    rollout.disturbed[1] = 1;
    lambdaReturns(rollout, values, 0.5, 1, out, { blinded: true });
    expect([...out]).toEqual([6, 6, 8]);
  });

  it("bootstrap from the last look where the clock ran out, and from an open row", () => {
    // γ = ½, λ = 1: y = 2 + ½·6 both times; a last look and an open row have none.
    const rows = [
      { reward: 2, value: 9, ended: TRUNCATED, next: 1 },
      { reward: 7, value: 6, ended: LAST_LOOK },
      { reward: 2, value: 9, ended: CONTINUES, next: 3 },
      { reward: 7, value: 6, ended: OPEN },
    ];
    expect(returnsOf(rows, 0.5, 1)).toEqual([5, 0, 5, 0]);
  });

  it.each(["blinded", "disturbed"] as const)("are cut where the next decision is %s", (cut) => {
    // y₁ = 3; cut: y₀ = 1 + ½·V₁ = 1 + ½·10; whole, with λ = 1: 1 + ½·3.
    const end: Row = { reward: 3, value: 10, ended: TERMINATED };
    const start: Row = { reward: 1, value: 0, ended: CONTINUES, next: 1 };
    expect(returnsOf([start, end], 0.5, 1)).toEqual([2.5, 3]);
    expect(returnsOf([start, { ...end, [cut]: 1 }], 0.5, 1)).toEqual([6, 3]);
    // What befalls this decision itself cuts nothing after it.
    expect(returnsOf([{ ...start, [cut]: 1 }, end], 0.5, 1)).toEqual([2.5, 3]);
  });

  it("keep agents that take turns apart", () => {
    // Rows of two agents, one after the other; γ = λ = 1: sums of own rewards.
    const rows = [
      { reward: 1, value: 0, ended: CONTINUES, next: 2 },
      { reward: 10, value: 0, ended: CONTINUES, next: 3 },
      { reward: 2, value: 0, ended: TERMINATED },
      { reward: 20, value: 0, ended: TERMINATED },
    ];
    expect(returnsOf(rows, 1, 1)).toEqual([3, 30, 2, 20]);
  });

  it("are V plus generalised advantages: Σ (γλ)ᵏ·δ_{t+k}", () => {
    const random = stream(4, "returns");
    const T = 12;
    const rows: Row[] = Array.from({ length: T }, (_, t) => ({
      reward: random.normal(),
      value: random.normal(),
      ended: t === T - 1 ? TERMINATED : CONTINUES,
      next: t === T - 1 ? -1 : t + 1,
    }));
    const [discount, trace] = [0.9, 0.8];
    const y = returnsOf(rows, discount, trace);
    for (let t = 0; t < T; t++) {
      let expected = rows[t].value;
      for (let k = t, weight = 1; k < T; k++, weight *= discount * trace) {
        const then = k + 1 < T ? discount * rows[k + 1].value : 0;
        expected += weight * (rows[k].reward + then - rows[k].value);
      }
      expect(y[t]).toBeCloseTo(expected, 5);
    }
  });
});
