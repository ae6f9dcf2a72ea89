import { encodeMessages } from "../codec.ts";
import { type CreateAdversary, stateless } from "./adversary.ts";

/** Records of true states and actions with the opposite advantage: what was good is called bad. */
export const poison: CreateAdversary = ({ signatureLength }) => ({
  name: "poison",
  speak: (records) =>
    encodeMessages(
      records.map((record) => ({ ...record, advantage: -record.advantage })),
      signatureLength,
    ),
  ...stateless,
});
