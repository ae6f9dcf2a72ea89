/** Flags whose value is nobody else's business. */
const SECRET = "--redis-password";

/** A word as a POSIX shell reads it back; as it is where that is the same. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/**
 * The command as it was typed, for the record: to be pasted again, so words are quoted where a shell would read them otherwise; and to be
 * published, so passwords are left out.
 *
 * @param words behind the program's name
 */
export function commandTyped(words: readonly string[] = process.argv.slice(2)): string {
  const shown = words.flatMap((word, i) => {
    if (word === SECRET || word.startsWith(`${SECRET}=`) || words[i - 1] === SECRET) return [];
    return [quoted(withoutPassword(word))];
  });
  return ["magic-mask", ...shown].join(" ");
}

/** `redis://user:password@host` without the password, which ends at the last `@`, as URLs are read. */
const withoutPassword = (word: string): string => word.replace(/(rediss?:\/\/[^:@/\s]*):\S*@/, "$1@");
