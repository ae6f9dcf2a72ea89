import { describe, expect, it } from "@jest/globals";
import { crc32 } from "./crc32.ts";

describe("crc32", () => {
  it("gives the published check value of CRC-32/ISO-HDLC", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(new TextEncoder().encode("xy123456789"), 2)).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });
});
