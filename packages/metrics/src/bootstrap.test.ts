import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import { bootstrap, bootstrapMean } from "./bootstrap.ts";

describe("bootstrap", () => {
  it("has the quantiles of the resampled statistic", () => {
    // Resamples of {0, 1}: mean 0 with probability ¼, ½ with ½, 1 with ¼. At 95 % the bounds are 0 and 1; at 40 % the
    // quantiles .3 and .7 are both ½.
    expect(bootstrapMean([0, 1], { seed: 1 })).toEqual({ estimate: 0.5, low: 0, high: 1 });
    expect(bootstrapMean([0, 1], { seed: 1, level: 0.4 })).toEqual({ estimate: 0.5, low: 0.5, high: 0.5 });
  });

  it("draws clusters whole", () => {
    // Clusters {0, 1} and {2}: a resample is of two clusters, so of 2, 3 or 4 observations, and 0 never comes without
    // 1.
    const lengths = new Set<number>();
    bootstrap({
      count: 3,
      clusters: [7, 7, 9],
      seed: 3,
      statistic(indices) {
        const drawn = [...indices];
        lengths.add(drawn.length);
        expect(drawn.filter((i) => i === 0).length).toBe(drawn.filter((i) => i === 1).length);
        return drawn.length;
      },
    });
    expect([...lengths].sort()).toEqual([2, 3, 4]);
  });

  it("is the same for the same seed and another for another", () => {
    const values = Array.from({ length: 30 }, (_, i) => (i * i) % 17);
    expect(bootstrapMean(values, { seed: 4 })).toEqual(bootstrapMean(values, { seed: 4 }));
    expect(bootstrapMean(values, { seed: 4 })).not.toEqual(bootstrapMean(values, { seed: 5 }));
  });

  it("has no bounds where a resample has no value", () => {
    const statistic = (indices: Int32Array) => (new Set(indices).size === 1 ? Number.NaN : 1);
    expect(bootstrap({ count: 2, seed: 0, statistic })).toEqual({ estimate: 1, low: Number.NaN, high: Number.NaN });
  });

  const normal = stream(11, "normal");
  const share = (runs: number, covers: () => boolean) => {
    let hits = 0;
    for (let run = 0; run < runs; run++) if (covers()) hits++;
    return hits / runs;
  };

  it("covers the mean of 40 normals about as often as asked", () => {
    // 300 runs at 90 %: the standard error is √(.9·.1/300) = .017; a percentile interval of n = 40 falls short by about
    // .01.
    const covered = share(300, () => {
      const values = Float64Array.from({ length: 40 }, normal.normal);
      const { low, high } = bootstrapMean(values, { seed: normal.bits(), draws: 200, level: 0.9 });
      return low <= 0 && high >= 0;
    });
    expect(covered).toBeGreaterThan(0.82);
    expect(covered).toBeLessThan(0.95);
  });

  it("covers it with observations that come in clusters only if told so", () => {
    // 15 clusters of 10 equal values: taken for 150 independent ones the interval is √10 too narrow and covers
    // P(|Z| < 1.645/√10) = P(|Z| < .52) = 40 %. 100 runs: the standard error is at most .05.
    const clusters = Int32Array.from({ length: 150 }, (_, i) => Math.floor(i / 10));
    const once = (told: boolean) => () => {
      const means = Float64Array.from({ length: 15 }, normal.normal);
      const statistic = (indices: Int32Array) => {
        let sum = 0;
        for (let k = 0; k < indices.length; k++) sum += means[clusters[indices[k]]];
        return sum / indices.length;
      };
      const known = told ? { clusters } : {};
      const { low, high } = bootstrap({ count: 150, statistic, seed: normal.bits(), draws: 100, level: 0.9, ...known });
      return low <= 0 && high >= 0;
    };
    expect(share(100, once(true))).toBeGreaterThan(0.75);
    expect(share(100, once(false))).toBeLessThan(0.6);
  });

  it.each([
    [{ count: 0 }, "count must be a whole number ≥ 1, got 0"],
    [{ draws: 10 }, "draws must be a whole number ≥ 100, got 10"],
    [{ level: 1 }, "level must be in (0, 1), got 1"],
    [{ clusters: [1] }, "needs 3 cluster numbers, got 1"],
  ])("refuses %j", (wrong, message) => {
    expect(() => bootstrap({ count: 3, statistic: () => 0, seed: 0, ...wrong })).toThrow(
      `[metrics/bootstrap] ${message}`,
    );
  });
});
