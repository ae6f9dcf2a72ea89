import { toJson } from "../to-json.ts";

/** Prints what came of a command, for programs or for people, and keeps its exit code where it has one. */
export function print(flags: { readonly json?: boolean }, value: unknown, text: () => string): void {
  process.stdout.write(flags.json ? toJson(value) : `${text()}\n`);
  process.exitCode = (value as { exitCode?: number }).exitCode ?? 0;
}
