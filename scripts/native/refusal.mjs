/** What a user can do something about; its message says what. Anything else that is thrown is a mistake in these scripts. */
export class Refusal extends Error {
  /** @param exitCode of the program: 1 failure, 2 bad usage, 128 + n ended by signal n */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
