import { stream } from "@magic-mask/core";
import { encodeMessages } from "../codec.ts";
import { type CreateAdversary, stateless } from "./adversary.ts";

/** Times the largest advantage that it has to tell. */
const FACTOR = 100;

/** Records of true states and actions with huge advantages of random sign. */
export const exaggerate: CreateAdversary = ({ agent, signatureLength, seed }) => {
  const random = stream(0);
  return {
    name: "exaggerate",
    speak(records, tick) {
      random.rekey(seed, "exaggerate", agent, tick);
      const largest = records.reduce((most, { advantage }) => Math.max(most, Math.abs(advantage)), 0);
      return encodeMessages(
        records.map((record) => ({ ...record, advantage: (random.below(2) === 0 ? -FACTOR : FACTOR) * largest })),
        signatureLength,
      );
    },
    ...stateless,
  };
};
