import { stripVTControlCharacters } from "node:util";
import type { Interval } from "@magic-mask/metrics";
import picocolors from "picocolors";

export type Cell = string | number | Interval;

/** Whether to colour what goes to standard output: a terminal, and nobody asked for none (no-color.org). */
const wantsColour = (): boolean => process.stdout.isTTY === true && !process.env.NO_COLOR;

/**
 * A plain-text table: numbers and intervals to the right, words to the left, two spaces between columns.
 *
 * @param rows each as long as the others
 * @param header one word a column; [] for none
 * @returns lines joined by "\n", none of them ending in a space
 */
export function formatTable(
  rows: readonly (readonly Cell[])[],
  header: readonly string[] = [],
  colour = wantsColour(),
): string {
  const { bold } = picocolors.createColors(colour);
  const texts = rows.map((row) => row.map(formatCell));
  const lines = header.length > 0 ? [header, ...texts] : texts;
  const columns = lines[0]?.map((_, k) => k) ?? [];
  const widths = columns.map((k) => Math.max(...lines.map((line) => visibleWidth(line[k]))));
  const right = columns.map((k) => rows.length > 0 && rows.every((row) => typeof row[k] !== "string"));
  const layOut = (line: readonly string[]) =>
    line
      .map((text, k) => {
        const space = " ".repeat(widths[k] - visibleWidth(text));
        return right[k] ? space + text : text + space;
      })
      .join("  ")
      .trimEnd();
  return lines.map((line) => (line === header ? bold(layOut(line)) : layOut(line))).join("\n");
}

/** The same as lines of Markdown. */
export function markdownTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map((row) => line(row.map(formatCell)))];
}

export function formatCell(cell: Cell): string {
  if (typeof cell === "string") return cell;
  return typeof cell === "number" ? formatNumber(cell) : formatInterval(cell);
}

/** `0.83 [0.79, 0.87]`; `n/a` where there is no estimate. */
export function formatInterval({ estimate, low, high }: Interval): string {
  if (Number.isNaN(estimate)) return "n/a";
  return `${formatNumber(estimate)} [${formatNumber(low)}, ${formatNumber(high)}]`;
}

/** Whole numbers as they are; others with two decimals, or two digits where they are smaller than 0.1; NaN as `n/a`. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "n/a";
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  return Math.abs(value) < 0.095 ? String(Number(value.toPrecision(2))) : value.toFixed(2);
}

const segmenter = new Intl.Segmenter();
const WIDE = /\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u;

/** Columns that `text` takes in a terminal, without colours: two for an East Asian character or an emoji. */
export function visibleWidth(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(stripVTControlCharacters(text))) width += WIDE.test(segment) ? 2 : 1;
  return width;
}
