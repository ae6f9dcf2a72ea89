import { createPublicKey, verify } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { createSigner, openSigned, SIGNATURE_BYTES } from "./signing.ts";

const secretOf = (byte: number) => new Uint8Array(32).fill(byte);

describe("signing", () => {
  it("opens what was signed, and nothing else", () => {
    const signer = createSigner({ secret: secretOf(1), run: "run" });
    const other = createSigner({ secret: secretOf(2), run: "run" });
    const property = fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (message, place, flip) => {
        const signed = signer.sign(message);
        expect(signed.length).toBe(message.length + SIGNATURE_BYTES);
        expect(openSigned(signed, signer.publicKey, "run")).toEqual(message);
        expect(openSigned(signed, signer.publicKey, "another run")).toBeUndefined();
        expect(openSigned(signed, other.publicKey, "run")).toBeUndefined();
        const changed = signed.slice();
        changed[place % changed.length] ^= flip;
        expect(openSigned(changed, signer.publicKey, "run")).toBeUndefined();
        expect(openSigned(signed.subarray(1), signer.publicKey, "run")).toBeUndefined();
      },
    );
    fc.assert(property, { numRuns: 10 });
  });

  it("refuses whatever comes as bytes or key", () => {
    for (const signed of [new Uint8Array(0), new Uint8Array(63), new Uint8Array(100).fill(255)]) {
      expect(openSigned(signed, secretOf(3), "run")).toBeUndefined();
      expect(openSigned(signed, new Uint8Array(5), "run")).toBeUndefined();
    }
    expect(() => createSigner({ secret: new Uint8Array(31), run: "run" })).toThrow("a secret has 32 bytes, got 31");
  });

  it("signs as Ed25519 does elsewhere", () => {
    const { publicKey, sign } = createSigner({ secret: secretOf(7), run: "r" });
    const signed = sign(Uint8Array.of(1, 2, 3));
    // Four bytes of length, "magic-mask r", the message.
    const text = Buffer.concat([Buffer.of(0, 0, 0, 12), Buffer.from("magic-mask r"), Buffer.of(1, 2, 3)]);
    const x = Buffer.from(publicKey).toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    expect(verify(null, text, key, signed.subarray(3))).toBe(true);
  });
});
