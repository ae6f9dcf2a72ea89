/** What Ctrl-C asks for. */
export interface Interrupt {
  /** Whether to stop after this update. */
  readonly requested: boolean;
  /** What to exit with: 130 after SIGINT, 143 after SIGTERM, 0 if nothing was asked. */
  readonly exitCode: number;
  /** Gives the signals back to their former handlers. */
  restore(): void;
}

/** By POSIX shells' convention, 128 + the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

type Signal = keyof typeof exitCodes;

/** What is needed of `process`. */
interface Host {
  on(signal: Signal, listener: (signal: Signal) => void): unknown;
  off(signal: Signal, listener: (signal: Signal) => void): unknown;
  exit(code: number): void;
  readonly stderr: { write(text: string): unknown };
}

/** Listens for SIGINT and SIGTERM: the first is a request, the second ends the process at once with 130. */
export function createInterrupt(host: Host = process): Interrupt {
  let exitCode = 0;
  const listen = (signal: Signal) => {
    if (exitCode !== 0) host.exit(130);
    exitCode = exitCodes[signal];
    host.stderr.write(`\n${signal}: finishing this update, then saving; once more to stop at once\n`);
  };
  const signals = Object.keys(exitCodes) as Signal[];
  for (const signal of signals) host.on(signal, listen);
  return {
    get requested() {
      return exitCode !== 0;
    },
    get exitCode() {
      return exitCode;
    },
    restore() {
      for (const signal of signals) host.off(signal, listen);
    },
  };
}
