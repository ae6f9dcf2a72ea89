import { describe, expect, it } from "@jest/globals";
import { isMagicMaskError } from "@magic-mask/core";
import fc from "fast-check";
import {
  createMessageDecoder,
  encodeMessages,
  HEADER_BYTES,
  LAYOUT,
  LONG_LAYOUT,
  MESSAGE_BYTES,
  RECORD_BYTES,
} from "./codec.ts";
import { crc32 } from "./crc32.ts";
import type { CriticalRecord } from "./record.ts";
import { anyRecord, recordOf, signatureOf, world } from "./test-world.ts";

const decode = createMessageDecoder(world);
const refused = (bytes: Uint8Array) => {
  try {
    decode(bytes);
    return false;
  } catch (error) {
    return isMagicMaskError(error, "corrupt-message");
  }
};
/** Changes bytes and makes the checksum right again. */
const forge = (bytes: Uint8Array, change: (copy: Uint8Array, view: DataView) => void) => {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  change(copy, view);
  view.setUint32(4, crc32(copy, 8), true);
  return copy;
};

const sample = recordOf({
  policyVersion: 3,
  step: 1000,
  episode: 7,
  blinded: true,
  // −7, 7, 0 and 1 steps of 18.
  signature: signatureOf(1, -2, 127, -127, -126, 126, 0, 18),
  action: 2,
  logProb: -0.5,
  perturbationLogProb: Math.log(1 / 3),
  blindProbability: 0.05,
  advantage: -0.75,
  rank: 0.95,
});

describe("codec", () => {
  it("lays a record out as documented", () => {
    const [bytes] = encodeMessages([
      sample,
      { ...sample, step: 1300, policyVersion: 5, blinded: false, advantage: 1.5 },
    ]);
    expect(bytes.length).toBe(29 + 2 * 31);
    const view = new DataView(bytes.buffer);
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe("MMCR");
    expect(view.getUint32(4, true)).toBe(crc32(bytes, 8));
    expect([bytes[8], bytes[9], bytes[10], view.getUint16(11, true)]).toEqual([3, 0, 0, 2]);
    expect([
      view.getUint32(13, true),
      view.getUint32(17, true),
      view.getUint32(21, true),
      view.getFloat32(25, true),
    ]).toEqual([3, 1000, 7, 1.5]);
    // First record at 29: no differences, blinded → 128.
    expect([view.getUint16(29, true), view.getUint16(31, true), bytes[33]]).toEqual([0, 0, 128]);
    expect(Array.from(new Int8Array(bytes.buffer, 34, 4))).toEqual([1, -2, 127, -127]);
    // −7 + 8 = 1 below 7 + 8 = 15; 0 + 8 below 1 + 8; then zeros, 8 and 8.
    expect(Array.from(bytes.subarray(38, 42))).toEqual([0xf1, 0x98, 0x88, 0x88]);
    expect(view.getUint32(50, true)).toBe(2);
    // .5 · 25 = 12.5 → 13; ln 3 · 25 = 27.5 → 27; −ln .05 · 25 = 74.9 → 75; −.75/1.5 · 32767 = −16383.5 → −16383; .95 · 255 = 242.25 → 242.
    expect([bytes[54], bytes[55], bytes[56], view.getInt16(57, true), bytes[59]]).toEqual([13, 27, 75, -16383, 242]);
    // Second at 60: 300 steps later, two versions on, not blinded.
    expect([view.getUint16(60, true), view.getUint16(62, true), bytes[64], view.getInt16(88, true)]).toEqual([
      300, 0, 2, 32767,
    ]);
  });

  it("stays within 32 bytes a record and 31 here", () => {
    expect(RECORD_BYTES).toBeLessThanOrEqual(32);
    for (const count of [1, 2, 44])
      expect(encodeMessages(new Array(count).fill(sample))[0].length).toBe(HEADER_BYTES + 31 * count);
  });

  it("gives back every record in order, within the stated errors", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 8 }), (records) => {
        const messages = encodeMessages(records);
        let at = 0;
        for (const message of messages) {
          const scale = new DataView(message.buffer).getFloat32(25, true);
          for (const got of decode(message)) {
            const sent = records[at++];
            for (const field of ["agent", "role", "policyVersion", "step", "episode", "blinded", "action"] as const) {
              expect(got[field]).toBe(sent[field]);
            }
            expect(got.signature).toEqual(sent.signature);
            for (const field of ["logProb", "perturbationLogProb"] as const) {
              expect(Math.abs(got[field] - Math.max(-10.2, sent[field]))).toBeLessThanOrEqual(0.02 + 1e-9);
            }
            const p = sent.blindProbability;
            if (p >= 3.8e-5)
              expect(Math.abs(got.blindProbability / p - 1)).toBeLessThanOrEqual(Math.exp(0.02) - 1 + 1e-9);
            else expect(got.blindProbability).toBeLessThan(3.9e-5);
            const rounding = 2 ** -24 * Math.abs(sent.advantage) + 2 ** -126;
            expect(Math.abs(got.advantage - sent.advantage)).toBeLessThanOrEqual(
              (scale / 65534) * (1 + 1e-9) + rounding,
            );
            expect(Math.abs(got.rank - sent.rank)).toBeLessThanOrEqual(1 / 510 + 1e-12);
          }
        }
        expect(at).toBe(records.length);
      }),
    );
  });

  it("keeps certainty and impossibility exact", () => {
    const [bytes] = encodeMessages(
      [0, 1, 3e-5].map((blindProbability) => ({ ...sample, blindProbability, logProb: -1e9 })),
    );
    expect(decode(bytes).map(({ blindProbability }) => blindProbability)).toEqual([0, 1, 0]);
    expect(decode(bytes)[0].logProb).toBe(-10.2);
  });

  it("writes what it read as the same bytes", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 8 }), (records) => {
        for (const message of encodeMessages(records)) expect(encodeMessages(decode(message))).toEqual([message]);
      }),
    );
  });

  it("takes advantages too small for a scale for nothing", () => {
    const [message] = encodeMessages([{ ...sample, advantage: 2.3465443434351224e-41 }]);
    expect(decode(message)[0].advantage).toBe(0);
    expect(encodeMessages(decode(message))).toEqual([message]);
  });

  it("begins a new message where a difference does not fit", () => {
    const lengths = (records: CriticalRecord[]) => encodeMessages(records).map((message) => decode(message).length);
    const steps = (...at: number[]) => at.map((step) => ({ ...sample, step }));
    expect(encodeMessages([])).toEqual([]);
    expect(lengths(steps(0, 65535))).toEqual([2]);
    expect(lengths(steps(0, 65536))).toEqual([1, 1]);
    expect(lengths(steps(65536, 1, 0, 2))).toEqual([2, 2]);
    expect(lengths([0, 127, 128].map((policyVersion) => ({ ...sample, policyVersion })))).toEqual([2, 1]);
    expect(lengths([5, 65540, 65541].map((episode) => ({ ...sample, episode })))).toEqual([2, 1]);
    // ⌊(1,400 − 29) / 31⌋ = 44 records take 1,393 bytes.
    expect(lengths(new Array(100).fill(sample))).toEqual([44, 44, 12]);
    expect(encodeMessages(new Array(44).fill(sample))[0].length).toBeLessThanOrEqual(MESSAGE_BYTES);
  });

  it("refuses to write what a record must not hold", () => {
    const faults: [Partial<CriticalRecord>, string][] = [
      [{ advantage: Number.NaN }, "advantage must be finite, got NaN"],
      [{ advantage: Number.POSITIVE_INFINITY }, "advantage must be finite"],
      [{ advantage: 1e39 }, "advantage must be finite, got 1e+39"],
      [{ logProb: 0.1 }, "logProb must be ≤ 0"],
      [{ perturbationLogProb: Number.NaN }, "perturbationLogProb must be ≤ 0, got NaN"],
      [{ blindProbability: 1.5 }, "blindProbability must be in [0, 1], got 1.5"],
      [{ rank: -0.1 }, "rank must be in [0, 1]"],
      [{ agent: 256 }, "agent must be"],
      [{ role: 0.5 }, "role must be"],
      [{ policyVersion: -1 }, "policyVersion must be"],
      [{ step: 4294967296 }, "step must be"],
      [{ episode: Number.NaN }, "episode must be"],
      [{ action: -1 }, "action must be"],
      [{ signature: new Int8Array(15) }, "signature must have 28 entries, got 15"],
    ];
    for (const [fault, message] of faults) expect(() => encodeMessages([{ ...sample, ...fault }])).toThrow(message);
    expect(() => encodeMessages([sample, { ...sample, agent: 1 }])).toThrow("one sender, got agents 0 and 1");
  });

  it("carries longer signatures in a layout of their own, in 128 bytes a record at most", () => {
    const signature = Int8Array.from({ length: 112 }, (_, k) => 2 * k - 111);
    const records = [0, 1].map((action) => ({ ...sample, signature, action }));
    const [bytes] = encodeMessages(records, 112);
    // 15 + 112 = 127 bytes a record.
    expect([bytes.length, bytes[8]]).toEqual([29 + 2 * 127, LONG_LAYOUT]);
    const back = createMessageDecoder(world, 112)(bytes);
    const [short] = decode(encodeMessages([{ ...sample, action: 1 }])[0]);
    expect(back[1]).toEqual({ ...short, signature });
    expect(encodeMessages(back, 112)).toEqual([bytes]);
    // ⌊1,371 / 127⌋ = 10 in a message.
    expect(encodeMessages(new Array(11).fill(records[0]), 112).map(({ length }) => length)).toEqual([1299, 156]);
    // Each side refuses the other's.
    expect(refused(bytes)).toBe(true);
    expect(() => createMessageDecoder(world, 112)(encodeMessages([sample])[0])).toThrow(
      "layout 2 is understood, got 3",
    );
    expect(() => createMessageDecoder(world, 108)(bytes)).toThrow("2 records take 275 bytes, got 283");
    expect(() => encodeMessages([sample], 112)).toThrow("signature must have 112 entries, got 28");
  });

  it("tells short signatures in few bytes, and rounds what lies between its steps", () => {
    // Of 12 entries 4 take a byte and 8 half of one: 15 + 8 bytes a record.
    const signature = Int8Array.of(1, 2, 3, 4, 8, 9, 10, -9, -10, -27, 127, -128);
    const [bytes] = encodeMessages([{ ...sample, signature }], 12);
    expect(bytes.length).toBe(29 + 23);
    const [back] = createMessageDecoder(world, 12)(bytes);
    // 9/18 is rounded up, −9/18 to 0, −27/18 to −1; ± 7 steps are the most.
    expect(Array.from(back.signature)).toEqual([1, 2, 3, 4, 0, 18, 18, 0, -18, -18, 126, -126]);
  });

  it("refuses lengths that no signature has", () => {
    for (const length of [0, 4, 15, 30, 116]) {
      expect(() => encodeMessages([], length)).toThrow("signatureLength must be");
      expect(() => createMessageDecoder(world, length)).toThrow("signatureLength must be");
    }
  });

  it("refuses random bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => refused(bytes)));
  });

  it("refuses every flipped bit, every truncation and every appended byte", () => {
    const [bytes] = encodeMessages([sample, sample]);
    expect(refused(bytes)).toBe(false);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      expect(refused(flipped)).toBe(true);
    }
    for (let length = 0; length < bytes.length; length++) expect(refused(bytes.subarray(0, length))).toBe(true);
    expect(refused(Uint8Array.of(...bytes, 0))).toBe(true);
  });

  it("refuses several damaged bytes anywhere", () => {
    const [bytes] = encodeMessages([sample, sample, sample]);
    const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = bytes.slice();
        for (const [at, mask] of changes) damaged[at] ^= mask;
        fc.pre(damaged.some((byte, at) => byte !== bytes[at]));
        return refused(damaged);
      }),
    );
  });

  it("refuses other layouts and other worlds, however well formed", () => {
    const [bytes] = encodeMessages([sample]);
    expect(refused(forge(bytes, () => {}))).toBe(false);
    const forgeries: ((copy: Uint8Array, view: DataView) => void)[] = [
      (_, view) => view.setUint8(8, LAYOUT + 1),
      (_, view) => view.setUint8(0, 0),
      // There are agents 0 to 2, and agent 0 plays role 0.
      (_, view) => view.setUint8(9, 3),
      (_, view) => view.setUint8(10, 1),
      (_, view) => view.setUint16(11, 0, true),
      (_, view) => view.setFloat32(25, Number.NaN, true),
      (_, view) => view.setFloat32(25, Number.POSITIVE_INFINITY, true),
      (_, view) => view.setFloat32(25, -1, true),
      // Three actions: 0 to 2.
      (_, view) => view.setUint32(HEADER_BYTES + 21, 3, true),
      (_, view) => view.setInt16(HEADER_BYTES + 28, -32768, true),
      // Half a byte holds 1 to 15.
      (_, view) => view.setUint8(HEADER_BYTES + 9, 0x80),
      (_, view) => view.setUint8(HEADER_BYTES + 20, 0x08),
      (_, view) => {
        view.setUint32(17, 4294967295, true);
        view.setUint16(HEADER_BYTES, 1, true);
      },
    ];
    for (const change of forgeries) expect(refused(forge(bytes, change))).toBe(true);
    expect(() => decode(forge(bytes, (_, view) => view.setUint8(8, 2)))).toThrow("layout 3 is understood, got 2");
    expect(() => decode(forge(bytes, (_, view) => view.setUint8(9, 3)))).toThrow("there is no agent 3 in test_v0");
    expect(refused(forge(bytes.subarray(0, HEADER_BYTES), (_, view) => view.setUint16(11, 0, true)))).toBe(true);
  });

  it("never returns a value out of range, whatever a right checksum covers", () => {
    const [bytes] = encodeMessages([sample, sample]);
    const body = fc.uint8Array({ minLength: 2 * RECORD_BYTES, maxLength: 2 * RECORD_BYTES });
    let accepted = 0;
    fc.assert(
      fc.property(body, fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(3), (records, bases, action) => {
        const forged = forge(bytes, (copy, view) => {
          copy.set(bases, 13);
          copy.set(records, HEADER_BYTES);
          for (const i of [0, 1]) {
            const at = HEADER_BYTES + i * RECORD_BYTES;
            // One half byte in sixteen would be refused, and there are 48.
            for (let k = at + 9; k < at + 21; k++) copy[k] |= 0x11;
            view.setUint32(at + 21, action, true);
          }
        });
        if (refused(forged)) return;
        accepted++;
        for (const record of decode(forged)) {
          expect(record.action).toBeLessThan(3);
          for (const x of [record.policyVersion, record.step, record.episode])
            expect(x).toBeLessThanOrEqual(4294967295);
          for (const x of [record.logProb, record.perturbationLogProb]) expect(x <= 0 && x >= -10.2).toBe(true);
          for (const x of [record.blindProbability, record.rank]) expect(x >= 0 && x <= 1).toBe(true);
          expect(Number.isFinite(record.advantage)).toBe(true);
        }
        // What may be returned may also be sent on.
        encodeMessages(decode(forged));
      }),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(20);
  });

  it("reads a message inside a larger buffer, and keeps no tie to it", () => {
    const [bytes] = encodeMessages([sample]);
    const larger = new Uint8Array(bytes.length + 10);
    larger.set(bytes, 7);
    const [record] = decode(larger.subarray(7, 7 + bytes.length));
    larger.fill(0);
    expect(record.signature).toEqual(sample.signature);
    expect(record.step).toBe(1000);
  });
});
