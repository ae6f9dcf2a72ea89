import { encodeMessages } from "../codec.ts";
import type { CreateAdversary } from "./adversary.ts";

/** Messages that it keeps. */
const KEPT = 8;

/** The truth, and with it, again and again, the first messages that the agent ever sent and those that it ever heard. */
export const replay: CreateAdversary = ({ signatureLength }) => {
  const sent: Uint8Array[] = [];
  const heard: Uint8Array[] = [];
  const keep = (list: Uint8Array[], bytes: Uint8Array) => {
    if (list.length < KEPT) list.push(bytes.slice());
  };
  return {
    name: "replay",
    speak(records) {
      const messages = encodeMessages(records, signatureLength);
      const again = [...sent, ...heard];
      for (const message of messages) keep(sent, message);
      return [...messages, ...again];
    },
    hear: (bytes) => keep(heard, bytes),
    exportState() {
      const kept = [...sent, ...heard];
      const contents = new Uint8Array(kept.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const message of kept) {
        contents.set(message, at);
        at += message.length;
      }
      return { lengths: Float64Array.from(kept, ({ length }) => length), sent: Float64Array.of(sent.length), contents };
    },
    restoreState({ lengths, sent: own, contents }) {
      let at = 0;
      const kept = Array.from(lengths, (length) => {
        at += length;
        return Uint8Array.from(contents.subarray(at - length, at));
      });
      sent.splice(0, sent.length, ...kept.slice(0, own[0]));
      heard.splice(0, heard.length, ...kept.slice(own[0]));
    },
  };
};
