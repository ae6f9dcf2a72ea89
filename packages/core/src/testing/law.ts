import { isMagicMaskError, MagicMaskError } from "../error.ts";

/** Something that every implementation of an interface must obey. Imports no test runner, so that it runs anywhere. */
export interface Law<T> {
  readonly name: string;
  /** @throws law-broken if `subject` does not obey */
  run(subject: T): void | Promise<void>;
}

/** A law whose `check` calls `fail` where the subject does not obey; whatever else the subject throws breaks the law too. */
export function law<T>(name: string, check: (fail: (message: string) => never, subject: T) => void): Law<T> {
  return {
    name,
    run(subject) {
      try {
        check((message) => broken(name, message), subject);
      } catch (error) {
        if (isMagicMaskError(error, "law-broken")) throw error;
        broken(name, `the subject threw ${error}`, error);
      }
    },
  };
}

/** @throws law-broken, always */
export function broken(law: string, message: string, cause?: unknown): never {
  throw new MagicMaskError("law-broken", "core/testing", `law "${law}": ${message}`, { cause });
}

/** Whether `run` throws our error with this code. */
export function throwsCode(run: () => unknown, code: string): boolean {
  try {
    run();
    return false;
  } catch (error) {
    return (error as { code?: unknown }).code === code;
  }
}
