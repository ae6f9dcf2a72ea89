import { encodeMessages } from "../codec.ts";
import type { CreateAdversary } from "./adversary.ts";

/** Records that are true. */
const HONEST = 100;

/** The truth in its first hundred records, by which it earns trust, and the opposite advantage in all that follow. */
export const turncoat: CreateAdversary = ({ signatureLength }) => {
  let told = 0;
  return {
    name: "turncoat",
    speak: (records) =>
      encodeMessages(
        records.map((record) => ({ ...record, advantage: told++ < HONEST ? record.advantage : -record.advantage })),
        signatureLength,
      ),
    exportState: () => ({ told: Float64Array.of(told) }),
    restoreState(state) {
      told = state.told[0];
    },
  };
};
