import { formatNumber, visibleWidth } from "./table.ts";

export interface ProgressOptions {
  /** What is going on, e.g. `train`. */
  readonly label: string;
  /** Units in all. */
  readonly total: number;
  /** What is counted, e.g. `steps`. */
  readonly unit: string;
  /** Seconds over which the rate is taken; all that there were for work that comes in lumps. 10 by default. */
  readonly window?: number;
}

/** A status on one line of standard error. */
export interface Progress {
  /** @param done units done so far. @param fields shown behind, in their order; NaN as `n/a` */
  update(done: number, fields?: Readonly<Record<string, number | string>>): void;
  /** Puts `message` in the place of the status and ends the line. */
  done(message: string): void;
}

/** Milliseconds from one status to the next, on a terminal and elsewhere. */
const TERMINAL_PERIOD = 100;
const LINE_PERIOD = 5000;
/** Seconds. */
const WINDOW = 10;

type Output = Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };

/**
 * `train  12.3k/1.00M steps  1%  34.1k/s  29s left  return −0.02  win 0.93`
 *
 * A terminal sees the line rewritten at most ten times a second, a file a new line every five seconds.
 *
 * @param clock milliseconds
 */
export function createProgress(
  { label, total, unit, window = WINDOW }: ProgressOptions,
  output: Output = process.stderr,
  clock: () => number = () => performance.now(),
): Progress {
  const terminal = output.isTTY === true;
  const period = terminal ? TERMINAL_PERIOD : LINE_PERIOD;
  /** Oldest first; the first is the last one from before the window. */
  const seen: { readonly at: number; readonly done: number }[] = [];
  let due = Number.NEGATIVE_INFINITY;
  const clear = terminal ? "\r\x1b[2K" : "";

  return {
    update(done, fields = {}) {
      const at = clock();
      if (at < due) return;
      due = at + period;
      seen.push({ at, done });
      while (seen.length > 2 && seen[1].at <= at - 1000 * window) seen.shift();
      const rate = ((done - seen[0].done) / (at - seen[0].at)) * 1000;
      // The last iteration may go beyond the total.
      const share = Math.min(100, Math.floor((100 * done) / total));
      const parts = [label, `${formatCount(done)}/${formatCount(total)} ${unit}`, `${share}%`];
      if (rate > 0) parts.push(`${formatCount(rate)}/s`, `${formatDuration(Math.max(0, total - done) / rate)} left`);
      for (const [name, value] of Object.entries(fields)) {
        parts.push(`${name} ${typeof value === "number" ? formatNumber(value).replace(/^-/, "−") : value}`);
      }
      const line = parts.join("  ");
      output.write(terminal ? clear + cut(line, output.columns ?? 80) : `${line}\n`);
    },
    done: (message) => {
      output.write(`${clear}${message}\n`);
    },
  };
}

/** A line that wraps could not be rewritten. */
function cut(line: string, columns: number): string {
  let end = line.length;
  while (visibleWidth(line.slice(0, end)) >= columns) end--;
  return line.slice(0, end);
}

/** `8.2s`, `42s`, `4m 12s`, `3h 05m`, `2d 03h`; parts of the last unit are rounded away. @param seconds ≥ 0 */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "n/a";
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
}

/** `987`, `12.3k`, `1.00M`, `45.6G`: three digits. @param count ≥ 0 */
export function formatCount(count: number): string {
  if (count < 999.5) return String(count < 10 ? Number(count.toFixed(1)) : Math.round(count));
  for (const [unit, size] of [
    ["k", 1e3],
    ["M", 1e6],
  ] as const) {
    if (count < 999.5 * size) return threeDigits(count / size) + unit;
  }
  return `${threeDigits(count / 1e9)}G`;
}

const threeDigits = (value: number) => value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
