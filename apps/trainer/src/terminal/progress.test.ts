import { describe, expect, it } from "@jest/globals";
import { createProgress, formatCount, formatDuration } from "./progress.ts";

/** A progress that counts to a million, on a clock set by hand. */
function start(terminal: { isTTY?: boolean; columns?: number }, window?: number) {
  let now = 0;
  const written: string[] = [];
  const output = { ...terminal, write: (text: string) => written.push(text) > 0 };
  const progress = createProgress(
    { label: "train", total: 1_000_000, unit: "steps", ...(window && { window }) },
    output,
    () => now,
  );
  return { progress, written, at: (milliseconds: number) => (now = milliseconds) };
}

describe("progress on a terminal", () => {
  it("rewrites its line at most ten times a second", () => {
    const { progress, written, at } = start({ isTTY: true, columns: 200 });
    for (let t = 0; t < 1000; t++) {
      at(t);
      progress.update(t);
    }
    expect(written).toHaveLength(10);
    expect(written.every((text) => text.startsWith("\r\x1b[2K") && !text.includes("\n"))).toBe(true);
    progress.done("finished");
    expect(written.at(-1)).toBe("\r\x1b[2Kfinished\n");
  });

  it("shows rate, time left and fields", () => {
    const { progress, written, at } = start({ isTTY: true, columns: 200 });
    progress.update(100_000);
    expect(written[0]).toBe("\r\x1b[2Ktrain  100k/1.00M steps  10%");
    at(2000);
    // 68,000 steps in 2 s are 34,000/s; the 832,000 left take 24.47 s.
    progress.update(168_000, { return: -0.02, win: 0.931, KL: 0.0123, coverage: Number.NaN, phase: "mask" });
    expect(written[1]).toBe(
      "\r\x1b[2Ktrain  168k/1.00M steps  16%  34.0k/s  24s left  return −0.02  win 0.93  KL 0.012  coverage n/a  phase mask",
    );
  });

  it("takes the rate over the last ten seconds, and over one update where updates are rarer", () => {
    const { progress, written, at } = start({ isTTY: true, columns: 200 });
    const rateAt = (milliseconds: number, done: number) => {
      at(milliseconds);
      progress.update(done);
      return /[\d.]+k?\/s/.exec(written.at(-1) as string)?.[0];
    };
    rateAt(0, 0);
    rateAt(10_000, 10_000);
    // From 10 s on: (30,000 − 10,000) / 10 s; from the start it would be 1.5k/s.
    expect(rateAt(20_000, 30_000)).toBe("2.00k/s");
    expect(rateAt(60_000, 40_000)).toBe("250/s");
  });

  it("takes the rate over all that there was where work comes in lumps", () => {
    const { progress, written, at } = start({ isTTY: true, columns: 200 }, Number.POSITIVE_INFINITY);
    // What was there before counts for nothing: (90,000 − 30,000) / 60 s.
    for (const [seconds, done] of [
      [0, 30_000],
      [59, 30_000],
      [60, 90_000],
    ]) {
      at(1000 * seconds);
      progress.update(done);
    }
    expect(written.at(-1)).toContain("1.00k/s");
  });

  it("cuts what would wrap", () => {
    const { progress, written } = start({ isTTY: true, columns: 20 });
    progress.update(1);
    expect(written[0]).toBe("\r\x1b[2Ktrain  1/1.00M step");
    expect(written[0]).toHaveLength(5 + 19);
  });
});

describe("progress elsewhere", () => {
  it("prints a plain line every five seconds", () => {
    const { progress, written, at } = start({});
    for (let t = 0; t <= 10_000; t += 100) {
      at(t);
      progress.update(t);
    }
    progress.done("finished");
    expect(written).toEqual([
      "train  0/1.00M steps  0%\n",
      "train  5.00k/1.00M steps  0%  1.00k/s  16m 35s left\n",
      "train  10.0k/1.00M steps  1%  1.00k/s  16m 30s left\n",
      "finished\n",
    ]);
  });
});

describe("formats", () => {
  it("formatDuration", () => {
    const seconds = [0, 8.24, 9.96, 59.4, 59.6, 252, 3599.4, 3599.6, 11_100, 86_399, 183_600, Number.NaN];
    expect(seconds.map(formatDuration)).toEqual([
      "0.0s",
      "8.2s",
      "10s",
      "59s",
      "1m 00s",
      "4m 12s",
      "59m 59s",
      "1h 00m",
      "3h 05m",
      "1d 00h",
      "2d 03h",
      "n/a",
    ]);
  });

  it("formatCount", () => {
    const counts = [0, 0.25, 9.96, 12.4, 987, 999.6, 1234, 12_345, 99_960, 999_499, 999_500, 1e6, 4.56e7, 1e9, 4.56e10];
    expect(counts.map(formatCount)).toEqual([
      "0",
      "0.3",
      "10",
      "12",
      "987",
      "1.00k",
      "1.23k",
      "12.3k",
      "100k",
      "999k",
      "1.00M",
      "1.00M",
      "45.6M",
      "1.00G",
      "45.6G",
    ]);
  });
});
