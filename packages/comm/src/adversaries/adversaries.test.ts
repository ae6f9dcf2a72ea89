import { describe, expect, it } from "@jest/globals";
import { createRecordBuffer } from "../buffer.ts";
import { ideal } from "../channels/ideal.ts";
import { createMessageDecoder } from "../codec.ts";
import { adversaries } from "../index.ts";
import { all } from "../modes.ts";
import { createSharing } from "../sharing.ts";
import { recordOf, refusedOf, signatureOf, world } from "../test-world.ts";

/** Three agents who tell all for some broadcasts, the first of them hostile. */
function play(name: string | undefined, { limit = 0.06, broadcasts = 4, from = 1, state = undefined as unknown } = {}) {
  const buffers = world.agents.map(() => createRecordBuffer());
  const channel = ideal({ agents: 3 });
  const hostile = new Map(
    name === undefined ? [] : [[0, adversaries[name]({ spec: world, agent: 0, seed: 1 })] as const],
  );
  const sharing = createSharing({ spec: world, mode: all, channel, buffers, every: 50, limit, hostile });
  if (state) sharing.restoreState(state as Parameters<typeof sharing.restoreState>[0]);
  for (let k = from; k <= broadcasts; k++) {
    for (const [agent, role] of [0, 0, 1].entries()) {
      const signature = signatureOf(20 * k, agent, 10 * k);
      sharing.queue(recordOf({ agent, role, step: 50 * k - 1, episode: k, advantage: 1, signature }), 50 * k - 1);
    }
    sharing.tick(50 * k);
  }
  return { sharing, buffers };
}

const meansOf = ({ rows }: ReturnType<typeof createRecordBuffer>, sender: number) =>
  Array.from(rows.means.subarray(0, rows.length)).filter((_, row) => rows.agents[row] === sender);

describe("adversaries", () => {
  it("keep the truth for themselves", () => {
    for (const name of Object.keys(adversaries)) expect(meansOf(play(name).buffers[0], 0)).toEqual([1, 1, 1, 1]);
  });

  it("poison: the opposite arrives", () => {
    const { buffers, sharing } = play("poison");
    expect(meansOf(buffers[1], 0)).toEqual([-1, -1, -1, -1]);
    expect(meansOf(buffers[1], 2)).toEqual([1, 1, 1, 1]);
    expect(refusedOf(sharing)).toEqual([0, 0, 0]);
  });

  it("turncoat: a hundred truths arrive, and then the opposite, from a saved state on, too", () => {
    const told = (adversary: ReturnType<typeof adversaries.turncoat>, count: number) => {
      const records = Array.from({ length: count }, (_, k) => recordOf({ episode: k, advantage: 1 }));
      const read = createMessageDecoder(world);
      return adversary.speak(records, 50).flatMap((message) => read(message).map(({ advantage }) => advantage));
    };
    const first = adversaries.turncoat({ spec: world, agent: 0, seed: 1 });
    expect(told(first, 98)).toEqual(Array(98).fill(1));
    const copy = adversaries.turncoat({ spec: world, agent: 0, seed: 1 });
    copy.restoreState(first.exportState());
    for (const adversary of [first, copy]) expect(told(adversary, 4)).toEqual([1, 1, -1, -1]);
  });

  it("exaggerate: hundredfold advantages arrive, and are the same for the same seed", () => {
    const told = meansOf(play("exaggerate").buffers[1], 0);
    expect(told.map(Math.abs)).toEqual([100, 100, 100, 100].map((x) => expect.closeTo(x, 2)));
    expect(meansOf(play("exaggerate").buffers[1], 0)).toEqual(told);
  });

  it("flood: no more than the limit arrives, the rest is counted, and friends are heard in full", () => {
    const { buffers, sharing } = play("flood");
    // Four broadcasts of 50 messages, of decisions at ticks 49, 99, 149, 199: 3, 6, 9, 12 records at .06 a tick.
    expect(sharing.intake.taken[3]).toBe(12);
    expect(sharing.intake.refused[3]).toBe(200 - 12);
    expect(sharing.intake.refusals.flooded[1]).toBe(200 - 12);
    expect(meansOf(buffers[1], 2)).toEqual([1, 1, 1, 1]);
  });

  it("replay: what is said again is counted and costs nothing", () => {
    const honest = play(undefined, { limit: 1000 });
    const { sharing, buffers } = play("replay", { limit: 1000 });
    for (const agent of [1, 2]) expect(buffers[agent].exportState()).toEqual(honest.buffers[agent].exportState());
    // Own messages before: 0 + 1 + 2 + 3. Two are heard a broadcast and said in others' names: 0 + 2 + 4 + 6.
    expect(sharing.intake.refusals.repeated[1]).toBe(6);
    expect(sharing.intake.refusals.forged[1]).toBe(12);
    expect(sharing.intake.refused[3]).toBe(18);
  });

  it("replay: remembers in a saved state", () => {
    const whole = play("replay", { broadcasts: 6, limit: 1000 }).sharing;
    const first = play("replay", { broadcasts: 3, limit: 1000 }).sharing;
    const second = play("replay", { broadcasts: 6, from: 4, limit: 1000, state: first.exportState() }).sharing;
    expect(second.intake.refusals).toEqual(whole.intake.refusals);
    expect(second.exportState()).toEqual(whole.exportState());
  });

  it("forge: nothing in another's name gets in", () => {
    const { sharing, buffers } = play("forge");
    expect(meansOf(buffers[2], 1)).toEqual([1, 1, 1, 1]);
    expect(meansOf(buffers[2], 0)).toEqual([]);
    expect(sharing.intake.refusals.forged).toEqual(Float64Array.of(0, 4, 4));
  });

  it("tell records with signatures of the run's length", () => {
    for (const [name, create] of Object.entries(adversaries)) {
      const { speak } = create({ spec: world, agent: 0, signatureLength: 20, seed: 1 });
      const [message] = speak([recordOf({ signature: new Int8Array(20), advantage: 1 })], 50);
      expect([name, createMessageDecoder(world, 20)(message)[0].signature.length]).toEqual([name, 20]);
    }
  });

  it("forge: the records name the next agent and its role", () => {
    const { speak } = adversaries.forge({ spec: world, agent: 1, seed: 1 });
    const [message] = speak([recordOf({ agent: 1, advantage: 2 })], 50);
    expect(createMessageDecoder(world)(message)[0]).toMatchObject({ agent: 2, role: 1, advantage: -2 });
  });
});
