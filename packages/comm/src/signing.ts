import { MagicMaskError } from "@magic-mask/core";
import { ed25519 } from "@noble/curves/ed25519";

/** Bytes that a signature adds to a message. */
export const SIGNATURE_BYTES = 64;
const SECRET_BYTES = 32;

export interface SignerOptions {
  /** 32 bytes that only this agent has, from a source of true chance such as `crypto.getRandomValues`. */
  readonly secret: Uint8Array;
  /** Names the run, so that what was signed in one says nothing in another. */
  readonly run: string;
}

/** Signs what one agent sends. */
export interface Signer {
  /** 32 bytes, for everyone: `openSigned` knows the agent by it. */
  readonly publicKey: Uint8Array;
  /** The message with its signature behind it. */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * For channels that cannot vouch for who sent a message: Ed25519 (RFC 8032) over the name of the run and the message. With a key of
 * its own for each agent, nobody can speak in another's name, its peers included; who repeats a message is caught by the recipient,
 * which knows it again.
 *
 * @throws invalid-option
 */
export function createSigner({ secret, run }: SignerOptions): Signer {
  if (secret.length !== SECRET_BYTES) {
    const message = `a secret has ${SECRET_BYTES} bytes, got ${secret.length}`;
    throw new MagicMaskError("invalid-option", "comm/signing", message);
  }
  const own = secret.slice();
  return {
    publicKey: ed25519.getPublicKey(own),
    sign(message) {
      const signed = new Uint8Array(message.length + SIGNATURE_BYTES);
      signed.set(message);
      signed.set(ed25519.sign(inRun(run, message), own), message.length);
      return signed;
    },
  };
}

/** The message without its signature; undefined unless the owner of `publicKey` signed it in this run. */
export function openSigned(signed: Uint8Array, publicKey: Uint8Array, run: string): Uint8Array | undefined {
  const end = signed.length - SIGNATURE_BYTES;
  if (end < 0) return undefined;
  const message = signed.slice(0, end);
  try {
    return ed25519.verify(signed.subarray(end), inRun(run, message), publicKey) ? message : undefined;
  } catch {
    // Bytes that are no point of the curve.
    return undefined;
  }
}

/** The length of the name goes first, or the end of one name might be the beginning of a message. */
function inRun(run: string, message: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(`magic-mask ${run}`);
  const bytes = new Uint8Array(4 + name.length + message.length);
  new DataView(bytes.buffer).setUint32(0, name.length);
  bytes.set(name, 4);
  bytes.set(message, 4 + name.length);
  return bytes;
}
