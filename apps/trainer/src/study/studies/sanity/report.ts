import { tInterval } from "@magic-mask/metrics";
import type { Cell } from "../../../terminal/table.ts";
import type { Axes, Report, Result } from "../../study.ts";
import { meanOrNull, shown } from "../common/figures.ts";
import type { SanityFigures } from "./sanity.ts";

export function reportOnSanity(axes: Axes, results: readonly Result<SanityFigures>[]): Report {
  const [budget] = axes.budget;
  const worlds = axes.environment.map((environment) => {
    const own = results.filter(({ at }) => at.environment === environment && at.budget === budget);
    const checks = own.flatMap(({ figures }) => figures.checks);
    const names = [...new Set(checks.map(({ name }) => name))];
    const rows = names.map((name) => {
      const of = checks.filter((check) => check.name === name);
      // Of a seed the mean over its agents.
      const values = own.flatMap(({ figures }) => {
        const value = meanOrNull(figures.checks.filter((check) => check.name === name).map(({ measured }) => measured));
        return value === null ? [] : [value];
      });
      const known = of.filter(({ measured }) => measured !== null);
      return {
        name,
        expected: of[0].expected,
        interval: values.length < 2 ? null : tInterval(values),
        known: known.length,
        passed: known.filter(({ passed }) => passed).length,
        byChance: known.reduce((sum, check) => sum + check.byChance, 0),
        tried: of.length,
      };
    });
    return { environment, rows, seeds: own.map(({ at }) => at.seed as number) };
  });
  return {
    tables: worlds.map(({ environment, rows, seeds }) => {
      const failed = axes.seed.filter((seed) => !seeds.includes(seed));
      return {
        title: environment,
        note: `Each check of each agent of each seed passes within four standard errors of what must come; where that is exact, exactly. Unknown: where nothing is critical there is nothing to rank.${failed.length > 0 ? ` Without seeds ${failed.join(", ")}, which failed.` : ""}`,
        header: ["check", "must come", "measured", "passed", "of", "unknown"],
        body: rows.map(({ name, expected, interval, passed, known, tried }): Cell[] => [
          name,
          expected,
          shown(interval),
          passed,
          known,
          tried - known,
        ]),
      };
    }),
    judgements: [],
    sentences: worlds.map(({ environment, rows }) => {
      const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row), 0);
      const [passed, known] = [sum((row) => row.passed), sum((row) => row.known)];
      const failing = rows.filter((row) => row.passed < row.known);
      const told = failing.map((row) => `${row.name} (${row.known - row.passed} of ${row.known})`).join("; ");
      const words = failing.length === 0 ? "none fails" : `failing: ${told}`;
      return `${environment}: ${passed} of ${known} checks pass, by chance alone ${sum((row) => row.byChance).toPrecision(1)} at most would fail; ${words}.`;
    }),
    pictures: [],
  };
}
