/** A Markdown table: numbers to the right, words to the left, padded to be read as text too. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, k) => Math.max(title.length, 3, ...rows.map((row) => row[k].length)));
  const right = header.map((_, k) => rows.length > 0 && rows.every((row) => /^(n\/a|–|[\d.,]+ ?[×%]?)?$/.test(row[k])));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, k) => (right[k] ? cell.padStart(widths[k]) : cell.padEnd(widths[k]))).join(" | ")} |`;
  const rule = widths.map((width, k) => (right[k] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

/** Three digits: `0.123`, `12.3`, `12,300`. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "n/a";
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(3));
  const size = Math.floor(Math.log10(Math.abs(rounded)));
  return size >= 2 ? rounded.toLocaleString("en-US") : rounded.toFixed(2 - size);
}

export const times = (ratio: number): string => `${digits(ratio)}×`;
export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
