import { isMagicMaskError } from "../../error.ts";
import type { Law } from "../law.ts";

/** Names of the laws that `subject` breaks. Whatever a law throws besides law-broken is thrown on. */
export function brokenBy<T>(laws: readonly Law<T>[], subject: T): string[] {
  const broken = laws.filter(({ run }) => {
    try {
      run(subject);
      return false;
    } catch (error) {
      if (!isMagicMaskError(error, "law-broken")) throw error;
      return true;
    }
  });
  return broken.map(({ name }) => name);
}
