import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentKeys } from "@magic-mask/comm/redis";
import { MagicMaskError } from "@magic-mask/core";

const SOURCE = "trainer/agent-keys";

/**
 * Reads `<agent>.key`, this agent's private key, and `<name>.pem`, the public one of each agent: Ed25519, in PEM.
 *
 * @param names [N] of all agents
 * @throws invalid-option, saying how a key is made, for a file that is missing or holds something else
 */
export function readAgentKeys(folder: string, names: readonly string[], agent: number): AgentKeys {
  const read = (file: string, parse: (pem: string) => unknown): string => {
    try {
      const pem = readFileSync(file, "utf8");
      parse(pem);
      return pem;
    } catch (error) {
      const [own, theirs] = ["<agent>.key", "<agent>.pem"].map((name) => join(folder, name));
      const make = `openssl genpkey -algorithm ed25519 -out ${own} && openssl pkey -in ${own} -pubout -out ${theirs}`;
      const message = `cannot read a key from ${file}: ${(error as Error).message}; each agent makes its own by: ${make}`;
      throw new MagicMaskError("invalid-option", SOURCE, message, { cause: error });
    }
  };
  return {
    own: read(join(folder, `${names[agent]}.key`), createPrivateKey),
    all: names.map((name) => read(join(folder, `${name}.pem`), createPublicKey)),
  };
}
