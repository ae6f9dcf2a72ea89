import { encodeMessages } from "../codec.ts";
import { roleNumbers } from "../peers.ts";
import { type CreateAdversary, stateless } from "./adversary.ts";

/** Its records with the opposite advantage, in the name of the agent after it. */
export const forge: CreateAdversary = ({ spec, agent, signatureLength }) => {
  const victim = (agent + 1) % spec.agents.length;
  const role = roleNumbers(spec)[victim];
  return {
    name: "forge",
    speak: (records) =>
      encodeMessages(
        records.map((record) => ({ ...record, agent: victim, role, advantage: -record.advantage })),
        signatureLength,
      ),
    ...stateless,
  };
};
