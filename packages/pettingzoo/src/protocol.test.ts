import { describe, expect, it } from "@jest/globals";
import { box } from "@magic-mask/core";
import fc from "fast-check";
import {
  bytesOf,
  FLAGS,
  frameOf,
  frameReader,
  jsonFrame,
  lookFor,
  parseJson,
  readRecord,
  specOf,
  toWire,
} from "./protocol.ts";

const code = (run: () => unknown) => {
  try {
    run();
    return "nothing";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

const letters = fc.constantFrom("O", "R", "S", "V", "T", "J", "D", "E");
const frames = fc.array(fc.tuple(letters, fc.uint8Array({ maxLength: 200 })), { maxLength: 12 });

/** Cuts bytes at these places. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((to, i) => bytes.subarray(places[i], to));
}

describe("frames", () => {
  it("come out as they went in, however the pipe cuts them", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (sent, cuts) => {
        const stream = Buffer.concat(sent.map(([letter, payload]) => frameOf(letter, payload)));
        const read = frameReader();
        const got = pieces(stream, cuts).flatMap((piece) => read(piece));
        expect(got.map(({ letter, payload }) => [letter, [...payload]])).toEqual(
          sent.map(([letter, payload]) => [letter, [...payload]]),
        );
      }),
    );
  });

  it("begin with their length and a letter", () => {
    // 3 = the letter and two bytes of payload.
    expect([...frameOf("D", Uint8Array.of(7, 8))]).toEqual([3, 0, 0, 0, 68, 7, 8]);
    expect(parseJson(jsonFrame("J", { a: [1] }).subarray(5))).toEqual({ a: [1] });
  });

  it("are told from other bytes: no length, a huge one, no letter, no JSON", () => {
    for (const bytes of [
      [0, 0, 0, 0, 68],
      [255, 255, 255, 255, 68],
      [1, 0, 0, 0, 10],
    ]) {
      expect(code(() => frameReader()(Uint8Array.from(bytes)))).toBe("corrupt-message");
    }
    expect(code(() => frameReader()(Buffer.from("Hello from a library\n")))).toBe("corrupt-message");
    expect(code(() => frameReader(10)(frameOf("D", 11)))).toBe("corrupt-message");
    expect(code(() => parseJson(Buffer.from("{")))).toBe("corrupt-message");
  });
});

/** Arrays for one copy of two agents: a mask of three and floats, and bytes without a mask. */
const arrays = () => ({
  acting: new Uint8Array(2),
  rewards: new Float64Array(2),
  terminated: new Uint8Array(2),
  truncated: new Uint8Array(2),
  looks: [lookFor("f4", box([2], 0, 1)), lookFor("u1", box([3], 0, 255))],
  masks: [new Uint8Array(3), new Uint8Array(0)],
  choices: new Int32Array(2),
  stale: new Uint8Array(2),
});

const record = (flags: number[], rewards: number[], ...parts: ArrayBufferView[]) =>
  Buffer.concat([Uint8Array.from(flags), bytesOf(Float64Array.from(rewards)), ...parts.map(bytesOf)]);

describe("records", () => {
  it("tell who acts and sees what", () => {
    const into = arrays();
    const { acts, look, mask } = FLAGS;
    const bytes = record(
      [acts | look | mask, acts | look],
      [0.1, -2],
      Uint8Array.of(1, 0, 1),
      Float32Array.of(0.5, 1),
      Uint8Array.of(0, 9, 255),
    );
    // Two flags, two rewards of 8 bytes, three of a mask, two floats, three bytes.
    expect(bytes.length).toBe(2 + 16 + 3 + 8 + 3);
    expect(readRecord(bytes, 0, into, 0, 2)).toBe(bytes.length);
    expect(into).toMatchObject({
      acting: Uint8Array.of(1, 1),
      rewards: Float64Array.of(0.1, -2),
      looks: [Float32Array.of(0.5, 1), Uint8Array.of(0, 9, 255)],
      masks: [Uint8Array.of(1, 0, 1), new Uint8Array(0)],
      // Without a mask there is one choice, the box.
      choices: Int32Array.of(2, 1),
      stale: Uint8Array.of(0, 0),
    });
  });

  it("leave what was not sent: old looks of who waits are stale, of who has ended they are the last", () => {
    const into = arrays();
    readRecord(record([FLAGS.terminated | FLAGS.look, FLAGS.acts], [0, 0], Float32Array.of(1, 2)), 0, into, 0, 2);
    expect(into).toMatchObject({ stale: Uint8Array.of(0, 1), terminated: Uint8Array.of(1, 0) });
    readRecord(record([FLAGS.terminated, FLAGS.truncated | FLAGS.look], [0, 0], Uint8Array.of(1, 2, 3)), 0, into, 0, 2);
    expect(into).toMatchObject({ stale: Uint8Array.of(0, 0), looks: [Float32Array.of(1, 2), Uint8Array.of(1, 2, 3)] });
  });

  it("that end too early are refused, wherever", () => {
    const whole = record([FLAGS.acts | FLAGS.look | FLAGS.mask, 0], [0, 0], new Uint8Array(3), new Float32Array(2));
    for (let length = 0; length < whole.length; length++) {
      expect(code(() => readRecord(whole.subarray(0, length), 0, arrays(), 0, 2))).toBe("corrupt-message");
    }
  });
});

describe("spaces", () => {
  const reply = {
    protocol: 1,
    id: "x_v0",
    agents: ["a"],
    turnBased: true,
    observationSpaces: [
      { ...toWire(box([2], [0, Number.NEGATIVE_INFINITY], Number.POSITIVE_INFINITY)), dtype: "f4" as const },
    ],
    actionSpaces: [{ kind: "discrete" as const, n: 3 }],
    ansi: false,
  };

  it("keep bounds that JSON has no word for", () => {
    const spec = specOf(JSON.parse(JSON.stringify(reply)));
    expect(spec.observationSpaces).toEqual([box([2], [0, Number.NEGATIVE_INFINITY], Number.POSITIVE_INFINITY)]);
    expect(spec).toMatchObject({ roles: ["a"], zeroSum: false, returnRange: null, commonFeatures: null });
  });

  it("of another version, or missing, are refused", () => {
    for (const wrong of [
      { protocol: 2 },
      { agents: ["a", "b"] },
      { observationSpaces: undefined },
      { actionSpaces: [] },
    ]) {
      expect(code(() => specOf({ ...reply, ...wrong } as never))).toBe("corrupt-message");
    }
    expect(code(() => specOf("?" as never))).toBe("corrupt-message");
  });
});
