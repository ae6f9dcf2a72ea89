import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { bytesOf, type Frame, frameOf, frameReader, jsonFrame, numbersFrame, parseJson } from "./protocol.ts";
import { serve } from "./serve.ts";

const module = fileURLToPath(new URL("./fake-world.mjs", import.meta.url));
const opening = (changes: object = {}) =>
  jsonFrame("O", { module, export: "environments.pickers_v0", options: {}, copies: 2, ...changes });

/** What comes of these requests. */
async function ask(...requests: Uint8Array[]): Promise<Frame[]> {
  const read = frameReader();
  const answers: Frame[] = [];
  const pipe = (async function* () {
    yield* requests;
  })();
  await serve(pipe, { write: (bytes) => answers.push(...read(bytes)) });
  return answers;
}

const step = (slots: number[], steps: number[]) =>
  frameOf("S", Buffer.concat([bytesOf(Float32Array.from(slots)), Uint8Array.from(steps)]));
const record = (flags: number[], rewards: number[], ...parts: ArrayBufferView[]) => [
  ...Buffer.concat([Uint8Array.from(flags), bytesOf(Float64Array.from(rewards)), ...parts.map(bytesOf)]),
];
const floats = (...numbers: number[]) => Float32Array.from(numbers);

describe("serve", () => {
  it("says what is fixed about a world; candidates are a choice", async () => {
    const [answer] = await ask(opening());
    expect(parseJson(answer.payload)).toEqual({
      protocol: 1,
      id: "pickers_v0",
      agents: ["ann", "bob"],
      roles: ["picker", "picker"],
      turnBased: false,
      zeroSum: true,
      returnRange: [-5, 5],
      commonFeatures: [[0], [0]],
      observationSpaces: [
        { shape: [3], low: [0, -1, 0], high: [9, 1, 9], dtype: "f4" },
        { shape: [3], low: null, high: null, dtype: "f4" },
      ],
      actionSpaces: [
        { kind: "discrete", n: 3 },
        { kind: "box", shape: [1], low: -1, high: 1 },
      ],
      ansi: true,
    });
  });

  it("plays copies apart, and shows each what it sees when it acts or has just ended", async () => {
    const answers = await ask(
      opening(),
      numbersFrame("R", 0, 4),
      numbersFrame("R", 1, 5),
      step([0, 0, 0, 0.5], [0, 1]),
      step([0, 0.25, 1, -1], [1, 1]),
      numbersFrame("V", 1, 1),
      numbersFrame("T", 1),
      step([1, 0, 2, 0], [1, 1]),
    );
    expect(answers.map(({ letter }) => letter).join("")).toBe("JDDDDDJD");
    // 1 acts, 2 terminated, 8 sees, 16 has a mask.
    const first = (seed: number) =>
      record([25, 9], [0, 0], Uint8Array.of(1, 0, 0), floats(0, 0, seed), floats(0, 0, seed));
    const second = (seed: number, bob: number) =>
      record([25, 9], [bob, -bob], Uint8Array.of(1, 1, 0), floats(1, 0, seed), floats(1, bob, seed));
    expect([...answers[1].payload]).toEqual(first(4));
    expect([...answers[2].payload]).toEqual(first(5));
    expect([...answers[3].payload]).toEqual(second(5, 0.5));
    const ended = record([25, 10], [-1, 1], Uint8Array.of(1, 1, 1), floats(2, 1, 5), floats(2, -1, 5));
    expect([...answers[4].payload]).toEqual([...second(4, 0.25), ...ended]);
    expect([...answers[5].payload]).toEqual([...bytesOf(floats(2, -1, 5))]);
    expect(parseJson(answers[6].payload)).toBe("tick 2");
    // Copy 1 ends: bob has seen his end already.
    expect([...answers[7].payload].slice(-30)).toEqual(record([10, 2], [0, 0], floats(3, 2, 5)));
  });

  const codeOf = async (...requests: Uint8Array[]) => {
    const last = (await ask(...requests)).at(-1) as Frame;
    expect(last.letter).toBe("E");
    return parseJson(last.payload) as { code: string; message: string };
  };

  it("says what is wrong with its code, and ends", async () => {
    expect(await codeOf(opening({ module: "@nobody/nothing" }))).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("npm install @nobody/nothing"),
    });
    expect(await codeOf(opening({ export: "environments.chess_v0" }))).toEqual({
      code: "unavailable",
      message: expect.stringContaining("environments are pickers_v0"),
    });
    expect(await codeOf(opening({ options: { ticks: 0 } }))).toEqual({
      code: "illegal-action",
      message: "ticks must be ≥ 1",
    });
    expect((await codeOf(opening(), numbersFrame("R", 2, 0))).code).toBe("corrupt-message");
    expect((await codeOf(opening(), numbersFrame("R", 2))).code).toBe("corrupt-message");
    expect((await codeOf(opening(), step([0], [1]))).code).toBe("corrupt-message");
    const illegal = [opening(), numbersFrame("R", 0, 1), numbersFrame("R", 1, 1), step([2, 0, 2, 0], [1, 1])];
    expect(await codeOf(...illegal, illegal[1])).toEqual({ code: "illegal-action", message: "ann may not" });
  });
});
