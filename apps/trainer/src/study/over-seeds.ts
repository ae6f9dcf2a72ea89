import { type Interval, ratioInterval, tInterval } from "@magic-mask/metrics";
import type { Coordinates, Result } from "./study.ts";

/** A figure of one arm, seed by seed. */
export interface OverSeeds {
  /** Of those seeds whose figure is known, ascending. */
  readonly values: ReadonlyMap<number, number>;
  /** Seeds whose trial failed or whose figure is undefined. */
  readonly missing: readonly number[];
  /** 95 % t-interval of the mean; null for fewer than two seeds. */
  readonly interval: Interval | null;
}

/**
 * A figure of all results at these coordinates, one a seed. An interval is over all seeds asked for or the missing ones are named
 * beside it.
 *
 * @param figure null, or no finite number, where undefined
 */
export function overSeeds<F>(
  results: readonly Result<F>[],
  at: Coordinates,
  seeds: readonly number[],
  figure: (figures: F) => number | null,
): OverSeeds {
  const values = new Map<number, number>();
  const missing: number[] = [];
  for (const seed of seeds) {
    const wanted = Object.entries({ ...at, seed });
    const result = results.find((each) => wanted.every(([axis, value]) => each.at[axis] === value));
    const value = result ? figure(result.figures) : null;
    if (value === null || !Number.isFinite(value)) missing.push(seed);
    else values.set(seed, value);
  }
  return { values, missing, interval: values.size < 2 ? null : tInterval([...values.values()]) };
}

/** How much more the first has than the second, seed by seed: only seeds that both have count. */
export function gainOver(one: OverSeeds, other: OverSeeds): OverSeeds {
  return combined(one, other, (a, b) => a - b);
}

/** Of the second's mean, the share that the first has, with Fieller's interval over seeds that both have; null where there is no telling. */
export function shareOf(one: OverSeeds, other: OverSeeds): Interval | null {
  const seeds = [...one.values.keys()].filter((seed) => other.values.has(seed));
  const of = ({ values }: OverSeeds) => seeds.map((seed) => values.get(seed) as number);
  return seeds.length < 2 ? null : ratioInterval(of(one), of(other));
}

/** Any figure of two, seed by seed. */
export function combined(one: OverSeeds, other: OverSeeds, of: (a: number, b: number) => number): OverSeeds {
  const values = new Map<number, number>();
  for (const [seed, a] of one.values) {
    const b = other.values.get(seed);
    const value = b === undefined ? Number.NaN : of(a, b);
    if (Number.isFinite(value)) values.set(seed, value);
  }
  const asked = new Set([...one.values.keys(), ...one.missing, ...other.missing]);
  const missing = [...asked].filter((seed) => !values.has(seed)).sort((a, b) => a - b);
  return { values, missing, interval: values.size < 2 ? null : tInterval([...values.values()]) };
}
