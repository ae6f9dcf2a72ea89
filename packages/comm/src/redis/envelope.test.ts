import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { openLetter, sealLetter } from "./envelope.ts";

const place = { run: "demo", from: 1, sequence: 7 };
const keys = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
const letter = { to: [0, 2, 15], bytes: Uint8Array.of(1, 255, 0, 10) };
/** As Redis gives them back. */
const stored = (fields: (string | Buffer)[]) => fields.map((field) => Buffer.from(field));

const anyLetter = fc.record({
  to: fc.array(fc.nat(255), { minLength: 1, maxLength: 16 }),
  bytes: fc.uint8Array({ maxLength: 100 }),
});

describe("letters", () => {
  it("come out as they went in, signed or not", () => {
    fc.assert(
      fc.property(anyLetter, fc.boolean(), (sent, isSigned) => {
        const [own, theirs] = isSigned ? [keys.privateKey, keys.publicKey] : [];
        expect(openLetter(stored(sealLetter(sent, place, own)), place, theirs)).toEqual(sent);
      }),
    );
  });

  it("open nowhere else and in nobody else's name", () => {
    const fields = stored(sealLetter(letter, place, keys.privateKey));
    expect(openLetter(fields, place, keys.publicKey)).toEqual(letter);
    for (const elsewhere of [{ run: "demo2" }, { from: 2 }, { sequence: 8 }])
      expect(openLetter(fields, { ...place, ...elsewhere }, keys.publicKey)).toBeUndefined();
    expect(openLetter(fields, place, other.publicKey)).toBeUndefined();
    expect(openLetter(stored(sealLetter(letter, place, other.privateKey)), place, keys.publicKey)).toBeUndefined();
    expect(openLetter(stored(sealLetter(letter, place, undefined)), place, keys.publicKey)).toBeUndefined();
  });

  it("do not open once a bit of them is changed", () => {
    const fields = stored(sealLetter(letter, place, keys.privateKey));
    fc.assert(
      fc.property(fc.constantFrom(1, 3, 5), fc.nat(), fc.nat(7), (field, byte, bit) => {
        const changed = fields.map((each) => Buffer.from(each));
        changed[field][byte % changed[field].length] ^= 1 << bit;
        expect(openLetter(changed, place, keys.publicKey)).toBeUndefined();
      }),
    );
  });

  it("are never anything else's bytes", () => {
    const words = fc
      .oneof(fc.constantFrom("to", "bytes", "signature", "1", "1,2", ","), fc.string())
      .map((s) => Buffer.from(s));
    fc.assert(
      fc.property(fc.array(words, { maxLength: 8 }), (fields) => {
        expect(openLetter(fields, place, keys.publicKey)).toBeUndefined();
      }),
    );
  });
});
