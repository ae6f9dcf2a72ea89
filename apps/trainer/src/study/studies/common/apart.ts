import type { Interval } from "@magic-mask/metrics";

/** What an interval says of a difference from zero. */
export function apart(interval: Interval | null): "above" | "below" | "not separated" | "unknown" {
  if (!interval) return "unknown";
  return interval.low > 0 ? "above" : interval.high < 0 ? "below" : "not separated";
}
