/** Compares by value. @throws with both values where they differ */
export function same(what: string, ours: unknown, recorded: unknown): void {
  const [a, b] = [JSON.stringify(ours), JSON.stringify(recorded)];
  if (a !== b) throw new Error(`${what}: here ${a}, recorded ${b}`);
}
