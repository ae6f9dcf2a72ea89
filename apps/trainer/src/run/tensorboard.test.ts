import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { crc32c } from "./crc32c.ts";
import { createEventWriter, eventFileName } from "./tensorboard.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "magic-mask-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Bit by bit, as the polynomial x³² + x²⁸ + x²⁷ + … + 1 says (0x1EDC6F41, reflected), and TFRecord's mask over it. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n;
  }
  crc ^= 0xffffffffn;
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

type Fields = Record<number, (number | bigint | Uint8Array)[]>;

/** The fields of a protocol buffer message; nested ones stay bytes. */
function fieldsOf(bytes: Uint8Array): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Fields = {};
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const wire = key & 7;
    const length = wire === 0 ? 0 : wire === 1 ? 8 : wire === 5 ? 4 : Number(varint());
    const value = () => {
      if (wire === 0) return varint();
      if (wire === 1) return view.getFloat64(at, true);
      return wire === 5 ? view.getFloat32(at, true) : bytes.subarray(at, at + length);
    };
    fields[key >> 3] = [...(fields[key >> 3] ?? []), value()];
    at += length;
  }
  return fields;
}

function readEvents(file: string): Fields[] {
  const bytes = new Uint8Array(readFileSync(file));
  const view = new DataView(bytes.buffer);
  const events: Fields[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc(bytes.subarray(at, at + 8)));
    const data = bytes.slice(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc(data));
    events.push(fieldsOf(data));
    at += length + 16;
  }
  return events;
}

const text = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array);
const inner = (fields: Fields, ...path: number[]) =>
  path.reduce((at, field) => fieldsOf(at[field][0] as Uint8Array), fields);

describe("crc32c", () => {
  it("agrees with the vectors of RFC 3720, B.4, and the usual check", () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });
});

describe("event writer", () => {
  it("writes scalars that an independent reader understands", () => {
    const file = join(folder, "events");
    const writer = createEventWriter(file, 0, () => 1_500);
    // 300 takes two varint bytes; 2⁴⁰ + 5 does not fit into 32 bits.
    writer.scalar("charts/SPS", 0.1, 300);
    writer.scalar("losses/entropy", Number.NaN, 2 ** 40 + 5);
    writer.scalar("x", Number.NEGATIVE_INFINITY, 0);
    writer.close();

    const [version, ...events] = readEvents(file);
    expect(text(version[3][0])).toBe("brain.Event:2");
    expect(version[1]).toEqual([1.5]);
    expect(events.map((event) => event[1][0])).toEqual([1.5, 1.5, 1.5]);
    expect(events.map((event) => event[2][0])).toEqual([300n, 1099511627781n, 0n]);
    const values = events.map((event) => inner(event, 5, 1));
    expect(values.map((value) => text(value[1][0]))).toEqual(["charts/SPS", "losses/entropy", "x"]);
    expect(values.map((value) => value[2][0])).toEqual([Math.fround(0.1), Number.NaN, Number.NEGATIVE_INFINITY]);
  });

  it("writes a text as a string tensor of the text plugin", () => {
    const file = join(folder, "events");
    const writer = createEventWriter(file);
    const long = `|a|b|\n${"é".repeat(500)}`;
    writer.text("config", long, 7);
    writer.close();
    const value = inner(readEvents(file)[1], 5, 1);
    expect(text(value[1][0])).toBe("config");
    const tensor = inner(value, 8);
    expect(tensor[1]).toEqual([7n]); // DT_STRING
    expect(inner(tensor, 2, 2)[1]).toEqual([1n]); // shape [1]
    expect(text(tensor[8][0])).toBe(long);
    expect(text(inner(value, 9, 1)[1][0])).toBe("text");
    expect(inner(value, 9)[4]).toEqual([2n]); // DATA_CLASS_TENSOR
  });

  it("continues a file from an offset as if never interrupted", () => {
    const write = (file: string, steps: readonly number[], offset?: number) => {
      const writer = createEventWriter(file, offset, () => 0);
      for (const step of steps) writer.scalar("a", step / 2, step);
      writer.sync();
      const reached = writer.offset;
      writer.close();
      return reached;
    };
    const whole = join(folder, "whole");
    const parts = join(folder, "parts");
    write(whole, [1, 2, 3, 4]);
    const offset = write(parts, [1, 2]);
    write(parts, [3, 99, 100], offset); // lost: after the checkpoint
    expect(readEvents(parts)).toHaveLength(6);
    write(parts, [3, 4], offset);
    expect(readFileSync(parts)).toEqual(readFileSync(whole));
  });

  it("refuses a step that is no count, and takes a name that TensorBoard looks for", () => {
    const writer = createEventWriter(join(folder, "events"));
    for (const step of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => writer.scalar("a", 1, step)).toThrow(expect.objectContaining({ code: "invalid-option" }));
    }
    writer.close();
    expect(eventFileName()).toMatch(/^events\.out\.tfevents\.\d{10}\../);
  });
});
