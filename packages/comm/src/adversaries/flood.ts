import { stream } from "@magic-mask/core";
import { encodeMessages } from "../codec.ts";
import { type CreateAdversary, stateless } from "./adversary.ts";

/** Messages for every one that an honest agent sends. */
const COPIES = 50;
/** Quanta of σ within which the copies of a record differ, too much to be merged. */
const REACH = 20;

/** Fifty messages for every one, of true records at states near by, with the opposite advantage. */
export const flood: CreateAdversary = ({ agent, signatureLength, seed }) => {
  const random = stream(0);
  return {
    name: "flood",
    speak(records, tick) {
      random.rekey(seed, "flood", agent, tick);
      const near = (x: number) => Math.max(-127, Math.min(127, x + random.below(2 * REACH + 1) - REACH));
      return Array.from({ length: COPIES }, () =>
        encodeMessages(
          records.map((record) => ({
            ...record,
            signature: record.signature.map(near),
            advantage: -record.advantage,
          })),
          signatureLength,
        ),
      ).flat();
    },
    ...stateless,
  };
};
