import type { Pictures } from "./explanation.ts";

/** Characters that the pictures of one episode may take. */
const MOST = 2_000_000;

/**
 * Writes what pictures share once. Where they would still take more than `most` characters, only every second one stays, or every
 * fourth, …, with the first, the last and those of the steps in `keep`.
 *
 * @param drawn one picture a step
 */
export function packPictures(
  kind: Pictures["kind"],
  drawn: readonly string[],
  keep: ReadonlySet<number>,
  most = MOST,
): Pictures {
  for (let every = 1; ; every *= 2) {
    const steps = drawn.map((_, step) => step);
    const kept = steps.filter((step) => step % every === 0 || step === drawn.length - 1 || keep.has(step));
    const packed = pack(kind, drawn, kept);
    // Nothing can be left out any more once only the needed ones are there.
    if (every >= drawn.length || sizeOf(packed) <= most) return packed;
  }
}

/** An element a piece, or a line. */
const BOUNDARY = { svg: /(?=<)/, text: /(?<=\n)/ };

function pack(kind: Pictures["kind"], drawn: readonly string[], steps: readonly number[]): Pictures {
  const numbers = new Map<string, number>();
  const numberOf = (part: string) => {
    const known = numbers.get(part) ?? numbers.size;
    numbers.set(part, known);
    return known;
  };
  let before: readonly number[] = [];
  const frames = steps.map((step) => {
    const now = drawn[step].split(BOUNDARY[kind]).map(numberOf);
    const shorter = Math.min(before.length, now.length);
    let start = 0;
    while (start < shorter && now[start] === before[start]) start++;
    let end = 0;
    while (end < shorter - start && now[now.length - 1 - end] === before[before.length - 1 - end]) end++;
    before = now;
    return [start, end, ...now.slice(start, now.length - end)];
  });
  return { kind, steps, parts: [...numbers.keys()], frames };
}

/** Characters as JSON, without what has to be escaped. */
function sizeOf({ parts, frames }: Pictures): number {
  const ofParts = parts.reduce((sum, part) => sum + part.length + 3, 0);
  return frames.reduce((sum, frame) => sum + frame.join().length + 3, ofParts);
}
