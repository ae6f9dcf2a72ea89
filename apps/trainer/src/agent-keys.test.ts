import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { readAgentKeys } from "./agent-keys.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agent-keys-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string) => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  writeFileSync(join(folder, `${name}.key`), privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(join(folder, `${name}.pem`), publicKey.export({ type: "spki", format: "pem" }));
  return publicKey;
};

it("reads one's own private key and everyone's public one", () => {
  const [left, right] = ["left", "right"].map(write);
  rmSync(join(folder, "left.key"));
  const { own, all } = readAgentKeys(folder, ["left", "right"], 1);
  expect(createPublicKey(createPrivateKey(own)).equals(right)).toBe(true);
  expect(all.map((pem, i) => createPublicKey(pem).equals([left, right][i]))).toEqual([true, true]);
});

it("says how to make a key that is missing or none", () => {
  write("left");
  const told = expect.objectContaining({
    code: "invalid-option",
    message: expect.stringMatching(/right\.pem: ENOENT.*openssl genpkey -algorithm ed25519/),
  });
  expect(() => readAgentKeys(folder, ["left", "right"], 0)).toThrow(told);
  writeFileSync(join(folder, "right.pem"), "no key");
  const none = expect.objectContaining({
    code: "invalid-option",
    message: expect.stringMatching(/cannot read a key from .*right\.pem/),
  });
  expect(() => readAgentKeys(folder, ["left", "right"], 0)).toThrow(none);
});
