import { describe, expect, it } from "@jest/globals";
import { type CreateLearner, discrete, type LearnerState, stream } from "@magic-mask/core";
import { referenceLearner } from "@magic-mask/core/testing";
import { poison } from "./adversaries/poison.ts";
import { createRecordBuffer } from "./buffer.ts";
import type { Channel } from "./channel.ts";
import { ideal } from "./channels/ideal.ts";
import { loss } from "./channels/loss.ts";
import { encodeMessages } from "./codec.ts";
import { crc32 } from "./crc32.ts";
import { createModelExchange } from "./model-exchange.ts";
import { model } from "./modes.ts";
import { createSharing } from "./sharing.ts";
import { recordOf, refusedOf, world } from "./test-world.ts";

/** A network that is its parameters. */
function holder(...values: number[]) {
  let state: LearnerState = {
    parameters: Float32Array.from(values),
    firstMoment: Float32Array.from(values),
    secondMoment: Float32Array.from(values),
    steps: 7,
  };
  return {
    exportState: () => state,
    restoreState: (next: LearnerState) => {
      state = next;
    },
  };
}
const valuesOf = (learner: { exportState(): LearnerState }) => Array.from(learner.exportState().parameters);

function setUp(channel: Channel = ideal({ agents: 3 }), spec = world) {
  const learners = [holder(0, 1), holder(3, 4), holder(6, 10)];
  const models = createModelExchange({ spec, learners });
  const buffers = learners.map(() => createRecordBuffer({ capacity: 8 }));
  return { learners, models, channel, sharing: createSharing({ spec, mode: model, channel, models, buffers }) };
}

describe("model exchange", () => {
  it("averages parameters with all peers' at every broadcast, and leaves the optimiser alone", () => {
    const { learners, sharing, channel } = setUp();
    sharing.tick(49);
    // The broadcast at tick 0: (0 + 3 + 6) / 3 and (1 + 4 + 10) / 3.
    expect(learners.map(valuesOf)).toEqual(new Array(3).fill([3, 5]));
    expect(learners[0].exportState()).toMatchObject({ steps: 7, firstMoment: Float32Array.of(0, 1) });
    // 20 + 2 · 4 bytes to each of two peers.
    expect(channel.statistics.bytes).toEqual(Float64Array.of(56, 56, 56));
    expect(sharing.counters.averaged).toEqual(Float64Array.of(0, 1, 1, 1, 0, 1, 1, 1, 0));
    // However many boundaries have passed: networks stood still.
    sharing.tick(500);
    expect(channel.statistics.messages).toEqual(Float64Array.of(4, 4, 4));
    sharing.exchangeModels();
    expect(channel.statistics.messages).toEqual(Float64Array.of(6, 6, 6));
    expect(refusedOf(sharing)).toEqual([0, 0, 0]);
  });

  it("is the same where every agent lives in a process of its own", () => {
    const together = setUp();
    const channel = ideal({ agents: 3 });
    const learners = [holder(0, 1), holder(3, 4), holder(6, 10)];
    const apart = learners.map((own, agent) => {
      const only = <T>(mine: T) => learners.map((_, i) => (i === agent ? mine : undefined));
      const models = createModelExchange({ spec: world, learners: only(own) });
      // Its end of the channel hears nothing before all have spoken.
      const end: Channel = { ...channel, receive: (to, tick) => (tick > 0 ? channel.receive(to, tick) : []) };
      const buffers = only(createRecordBuffer({ capacity: 8 }));
      return createSharing({ spec: world, mode: model, channel: end, models, buffers });
    });
    together.sharing.tick(0);
    for (const now of [0, 1]) for (const sharing of apart) sharing.tick(now);
    expect(learners.map(valuesOf)).toEqual(together.learners.map(valuesOf));
  });

  it("does not go with agents that falsify records", () => {
    const { models, channel } = setUp();
    const buffers = world.agents.map(() => createRecordBuffer({ capacity: 8 }));
    const hostile = new Map([[0, poison({ spec: world, agent: 0, seed: 1 })]]);
    expect(() => createSharing({ spec: world, mode: model, channel, models, buffers, hostile })).toThrow(
      "hostile agents falsify records",
    );
  });

  it("goes on with whom it has heard of, and alone where there is nobody", () => {
    const nobody = setUp(loss(ideal, { rate: 1 })({ agents: 3, seed: 1 }));
    nobody.sharing.tick(0);
    expect(nobody.learners.map(valuesOf)).toEqual([
      [0, 1],
      [3, 4],
      [6, 10],
    ]);
    // Agent 2 is gone: the others go on as two.
    const inner = ideal({ agents: 3 });
    const two = setUp({ ...inner, send: (from, ...rest) => from !== 2 && inner.send(from, ...rest) });
    two.sharing.tick(0);
    expect(two.learners.map(valuesOf)).toEqual([
      [1.5, 2.5],
      [1.5, 2.5],
      [3, 5],
    ]);
  });

  it("pairs up only agents whose networks compare", () => {
    const unlike = { ...world, actionSpaces: [discrete(3), discrete(3), discrete(4)] };
    const { learners, sharing } = setUp(undefined, unlike);
    sharing.tick(0);
    expect(learners.map(valuesOf)).toEqual([
      [1.5, 2.5],
      [1.5, 2.5],
      [6, 10],
    ]);
  });

  it("passes over what is repeated or overtaken", () => {
    const { learners, models } = setUp();
    const [first, second] = [models.write(1), models.write(1)];
    expect([second, first, second].map((bytes) => models.take(0, { from: 1, bytes }))).toEqual([
      undefined,
      undefined,
      "repeated",
    ]);
    expect(models.average(0)).toEqual([1]);
    for (const bytes of [first, second]) models.take(0, { from: 1, bytes });
    expect([models.average(0), valuesOf(learners[0])]).toEqual([[], [1.5, 2.5]]);
  });

  it("refuses what is damaged, forged or not finite", () => {
    const { models, sharing, channel } = setUp();
    const good = models.write(1);
    const forge = (change: (copy: Uint8Array, view: DataView) => void) => {
      const copy = good.slice();
      const view = new DataView(copy.buffer);
      change(copy, view);
      view.setUint32(4, crc32(copy, 8), true);
      return copy;
    };
    for (let bit = 0; bit < 8 * good.length; bit++) {
      const flipped = good.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      expect(models.take(0, { from: 1, bytes: flipped })).toBe("corrupt");
    }
    for (let length = 0; length < good.length; length++) {
      expect(models.take(0, { from: 1, bytes: good.subarray(0, length) })).toBe("corrupt");
    }
    for (const change of [
      (_: Uint8Array, view: DataView) => view.setUint8(8, 2),
      (_: Uint8Array, view: DataView) => view.setUint8(10, 1),
      (_: Uint8Array, view: DataView) => view.setUint32(16, 3, true),
      (_: Uint8Array, view: DataView) => view.setFloat32(20, Number.NaN, true),
    ]) {
      expect(models.take(0, { from: 1, bytes: forge(change) })).toBe("corrupt");
    }
    // Another's name.
    expect(models.take(0, { from: 2, bytes: good })).toBe("forged");
    channel.send(2, 0, good, 0);
    channel.send(1, 0, encodeMessages([recordOf({ agent: 1 })])[0], 0);
    sharing.tick(0);
    expect(refusedOf(sharing)).toEqual([2, 0, 0]);
    expect([sharing.intake.refusals.forged[0], sharing.intake.refusals.corrupt[0]]).toEqual([1, 1]);
  });

  it("goes on from a saved state as if nothing had happened", () => {
    const whole = setUp();
    whole.sharing.queue(recordOf(), 10);
    whole.sharing.tick(60);
    const copy = setUp();
    copy.sharing.restoreState(whole.sharing.exportState());
    const late = whole.models.write(1);
    whole.learners.forEach((learner, i) => {
      copy.learners[i].restoreState(learner.exportState());
    });
    copy.models.write(1);
    for (const { models } of [whole, copy]) expect(models.take(0, { from: 1, bytes: late })).toBeUndefined();
    expect(copy.models.exportState()).toEqual(whole.models.exportState());
    expect(() => copy.sharing.restoreState({ ...whole.sharing.exportState(), heard: new Uint32Array(2) })).toThrow(
      "not that of sharing between 3 agents",
    );
    expect(() => createModelExchange({ spec: world, learners: [] })).toThrow("one network for each of 3 agents, got 0");
  });

  it("teaches an agent what only its peers have seen", async () => {
    // y = x₀ for the peers, who see both halves between them; agent 0 sees no data at all.
    const create: CreateLearner = referenceLearner;
    const spec = { kind: "mlp", inputs: 1, hidden: [16], activation: "relu", outputs: [1] } as const;
    const learners = [0, 1, 2].map(() => create(spec, stream(3, "head")));
    const models = createModelExchange({ spec: world, learners });
    const buffers = learners.map(() => createRecordBuffer({ capacity: 8 }));
    const sharing = createSharing({ spec: world, mode: model, channel: ideal({ agents: 3 }), models, buffers });
    const random = stream(4);
    sharing.tick(0);
    for (let round = 0; round < 60; round++) {
      for (const [agent, sign] of [[1, 1] as const, [2, -1] as const]) {
        const inputs = Float32Array.from({ length: 64 }, () => sign * random.uniform());
        const batch = { inputs, targets: inputs, weights: new Float32Array(64).fill(1) };
        const rows = Int32Array.from({ length: 256 }, (_, i) => i % 64);
        await learners[agent].update(
          { loss: { kind: "regression" }, batch },
          { rows, minibatch: 64, learningRate: 0.01, maxGradNorm: 1 },
        );
      }
      sharing.exchangeModels();
    }
    const answers = new Float32Array(4);
    learners[0].infer(Float32Array.of(-0.8, -0.3, 0.3, 0.8), 4, answers);
    [-0.8, -0.3, 0.3, 0.8].forEach((x, i) => {
      expect(Math.abs(answers[i] - x)).toBeLessThan(0.15);
    });
  });
});
