import { createHash } from "node:crypto";
import { isMagicMaskError, MagicMaskError } from "@magic-mask/core";

export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

const SOURCE = "trainer/sealed-json";
const head = (body: string | Uint8Array) => `{"sha256":"${sha256(body)}",\n`;
const HEAD_LENGTH = head("").length;

/** JSON that shows any change to itself: the first of its two lines holds the SHA-256 of the second. */
export function seal(content: Readonly<Record<string, unknown>>): string {
  const body = `${JSON.stringify(content).slice(1)}\n`;
  return head(body) + body;
}

/**
 * What was sealed into `bytes`.
 *
 * @param file named in the error
 * @throws corrupt-file unless every byte is as `seal` wrote it
 */
export function unseal(bytes: Uint8Array, file: string): Record<string, unknown> {
  const text = new TextDecoder().decode(bytes);
  const wanted = head(bytes.subarray(HEAD_LENGTH));
  if (text.startsWith(wanted)) return JSON.parse(text);
  const [first] = text.slice(0, HEAD_LENGTH).split("\n");
  const what = first.startsWith('{"sha256":"') ? "is damaged" : "is damaged or not one of ours";
  throw new MagicMaskError(
    "corrupt-file",
    SOURCE,
    `${file} ${what}: line 1 should be ${wanted.trim()} and is ${first}`,
  );
}

/**
 * What was sealed together with the address that names it.
 *
 * @param file named in the error, which says to delete it
 * @throws corrupt-file as `unseal`, and where it is of another address
 */
export function unsealNamed(bytes: Uint8Array, file: string, address: string): Record<string, unknown> {
  try {
    const { sha256: _, address: own, ...content } = unseal(bytes, file);
    if (own === address) return content;
    throw new MagicMaskError("corrupt-file", SOURCE, `${file} is of ${own}`);
  } catch (error) {
    if (isMagicMaskError(error, "corrupt-file")) error.message += "; delete it to have it made anew";
    throw error;
  }
}
