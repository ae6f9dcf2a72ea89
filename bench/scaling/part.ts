import { backends } from "@magic-mask/networks";
import { digits, markdownTable } from "../measure/table.ts";
import type { Part } from "../part.ts";
import { agentsCurve } from "./agents.ts";
import { copiesCurve } from "./copies.ts";
import type { Curve } from "./curve.ts";
import { minibatchCurve, widthCurve } from "./nets.ts";
import { plotCurve } from "./plot.ts";

/** How long each point is measured for. */
export interface Effort {
  readonly rounds: number;
  /** CPU milliseconds of a turn of a small thing; a run of the whole job takes a multiple. */
  readonly turn: number;
  /** Called after every turn. */
  readonly onTurn: (what: string) => void;
}

const ROUNDS = 4;
const TURN = 250;
/** Points of all curves. */
const POINTS = 7 + 7 + 8 + 12;

/** How costs grow, each curve with a fit that says why. */
export const scalingPart: Part = {
  help: "cost against agents, copies, minibatch and hidden width: curves, fits and plots",
  async run({ effort, progress }) {
    const fused = await backends.fused.load();
    const rounds = Math.max(1, Math.round(ROUNDS * effort));
    const status = progress(POINTS * (rounds + 1));
    let turns = 0;
    const onTurn = (what: string) => status.update(++turns, { at: what });
    const options = { rounds, turn: TURN * Math.sqrt(effort), onTurn };
    const curves = [
      await agentsCurve(options),
      await copiesCurve(options),
      await minibatchCurve(fused, options),
      await widthCurve(fused, options),
    ];
    const results = curves.map(({ series, ...curve }) => ({
      ...curve,
      series: series.map(({ name, points, fit }) => ({
        name,
        points,
        coefficients: fit.coefficients,
        error: fit.error,
      })),
    }));
    const plots = Object.fromEntries(curves.map((curve) => [`${curve.name}.svg`, plotCurve(curve)]));
    return { results, text: curves.map(describe).join("\n\n"), plots };
  },
};

function describe({ name, title, x, y, series, explanation }: Curve): string {
  const xs = series[0].points.map(([at]) => String(at));
  const rows = series.map(({ name, points }) => [name, ...points.map(([, cost]) => digits(cost))]);
  return [
    `### ${name}`,
    `![${title}](${name}.svg)`,
    `${title}: ${y}, fits dashed.`,
    markdownTable([x, ...xs], rows),
    explanation,
  ].join("\n\n");
}
