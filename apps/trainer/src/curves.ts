import * as Plot from "@observablehq/plot";
import {
  BLUE,
  draw,
  GREEN,
  GREY,
  heading,
  INK,
  ORANGE,
  PAPER,
  PURPLE,
  SKY,
  spread,
  VERMILION,
  withinUnit,
} from "./svg.ts";

/** One line of a plot. */
export interface Series {
  readonly name: string;
  /** Ascending in x; bounds are drawn where there are some. */
  readonly points: readonly {
    readonly x: number;
    readonly estimate: number;
    readonly low?: number;
    readonly high?: number;
  }[];
  /** What the plot is about is drawn in front, what the others are held against in grey. */
  readonly rank?: "subject" | "reference";
}

export interface CurvesOptions {
  readonly title: string;
  readonly xLabel: string;
  /** Values of x that have a tick, on a logarithmic axis; on a plain one without them. */
  readonly log?: readonly number[];
  readonly series: readonly Series[];
  /** Heights are areas under curves or shares: neither intervals nor the axis go beyond 0 and 1. */
  readonly isUnit?: boolean;
  /** Heights that hold for all x, dashed and named. */
  readonly levels?: readonly { readonly name: string; readonly estimate: number }[];
}

/** Most points whose intervals are drawn as bars; beyond, they are a band. */
const BARS = 12;
/** Pixels from one label to the next. */
const LINE = 13;
/** Of the width of the lines, the share that leads from their ends to their names. */
const THREAD = 0.08;
const HEIGHT = 372;
const MARGIN = 44;

/**
 * Lines that can be told apart without colours, each by its mark and its dashes, named at their right ends with a thread from each name
 * to what it names. Null where there is no point.
 */
export function plotCurves({ title, xLabel, log, series, isUnit = false, levels = [] }: CurvesOptions): string | null {
  const drawn = series
    .filter(({ points }) => points.length > 0)
    .map((one) => (isUnit ? { ...one, points: one.points.map(withinUnit) } : one));
  if (drawn.length === 0) return null;
  const all = drawn.flatMap(({ points }) => points);
  const values = [...all.flatMap(({ estimate, low, high }) => [estimate, low ?? estimate, high ?? estimate])];
  const [low, high] = padded([...values, ...levels.map(({ estimate }) => estimate)]);
  const [y0, y1] = isUnit ? [Math.max(0, low), Math.min(1, high)] : [low, high];
  const height = Math.max(HEIGHT, LINE * (drawn.length + levels.length));
  // Those that have intervals at the same places stand beside each other there, so that they can be told apart.
  const placesOf = ({ points }: Series) =>
    points.length <= BARS && points.some(({ low }) => low !== undefined) ? points.map(({ x }) => x).join() : "";
  const apart = (one: Series) => {
    const places = placesOf(one);
    const beside = places === "" ? [] : drawn.filter((other) => placesOf(other) === places);
    return beside.length < 2 ? 0 : (beside.length > 6 ? 2.5 : 5) * (beside.indexOf(one) - (beside.length - 1) / 2);
  };
  const xs = all.map(({ x }) => x);
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  // Room for bars beside each other, and for the threads.
  const room = drawn.some((one) => apart(one) !== 0) ? THREAD / 2 : 0;
  const start = log ? first * Math.exp(-room * Math.log(last / first || 1)) : first - room * (last - first);
  const end = log ? last * Math.exp(THREAD * Math.log(last / first || 1)) : last + THREAD * (last - first);
  const looks = looksOf(drawn);
  const ends = [
    ...drawn.map((one, i) => {
      const { x, estimate } = one.points[one.points.length - 1];
      return { text: one.name, estimate, x, look: looks[i], bold: one.rank === "subject" };
    }),
    ...levels.map(({ name, estimate }) => ({ text: name, estimate, x: end, look: LEVEL, bold: false })),
  ];
  const labels = spread(ends, ((y1 - y0) * LINE) / height, [y0, y1]);
  const right = { frameAnchor: "right" as const, y: "at" };
  // Who matters most is drawn last.
  const order = [...drawn.keys()].sort(
    (a, b) => Number(drawn[a].rank === "subject") - Number(drawn[b].rank === "subject"),
  );

  return draw({
    height: height + 2 * MARGIN,
    marginRight: 26 + 6.2 * Math.max(...ends.map(({ text }) => text.length)),
    x: {
      label: xLabel,
      labelAnchor: "center",
      domain: [start, end],
      ...(log && { type: "log" as const, ticks: [...log] }),
      // Thousands are k, and a tenth is not 100 m.
      tickFormat: last > 1 ? "~s" : "~g",
    },
    y: { label: null, grid: true, domain: [y0, y1] },
    marks: [
      Plot.ruleY(levels, { y: "estimate", stroke: GREY, strokeDasharray: "4 3" }),
      ...order.flatMap((i) => {
        const one = drawn[i];
        const { colour, dash, symbol, hollow } = looks[i];
        const width = one.rank === "subject" ? 2.2 : 1.3;
        const bounded = one.points.filter(({ low }) => low !== undefined);
        const dx = apart(one);
        const isBand = one.points.length > BARS;
        const stroke = { stroke: colour, strokeWidth: width };
        return [
          ...(isBand
            ? [Plot.areaY(bounded, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.15 })]
            : [Plot.ruleX(bounded, { x: "x", y1: "low", y2: "high", ...stroke, dx })]),
          Plot.line(one.points, { x: "x", y: "estimate", ...stroke, ...(dash && { strokeDasharray: dash }), dx }),
          Plot.dot(isBand ? one.points.filter((_, k) => k % 10 === 0) : one.points, {
            x: "x",
            y: "estimate",
            symbol,
            r: one.rank === "subject" ? 4 : 3,
            fill: hollow ? PAPER : colour,
            stroke: colour,
            dx,
          }),
        ];
      }),
      Plot.link(labels, {
        x1: "x",
        x2: () => end,
        y1: "estimate",
        y2: "at",
        stroke: GREY,
        strokeOpacity: 0.5,
        strokeWidth: 0.7,
      }),
      ...labels.flatMap((label) => [
        Plot.dot([label], {
          ...right,
          symbol: label.look.symbol,
          r: 3,
          fill: label.look.hollow ? PAPER : label.look.colour,
          stroke: label.look.colour,
          dx: 8,
        }),
      ]),
      Plot.text(
        labels.filter(({ bold }) => !bold),
        { ...right, text: "text", textAnchor: "start", dx: 16, fontSize: 10 },
      ),
      Plot.text(
        labels.filter(({ bold }) => bold),
        { ...right, text: "text", textAnchor: "start", dx: 16, fontSize: 10, fontWeight: "bold" },
      ),
      heading(title),
    ],
  });
}

interface Look {
  readonly colour: string;
  readonly dash: string;
  readonly symbol: (typeof SYMBOLS)[number] | "times";
  readonly hollow: boolean;
}

const COLOURS = [BLUE, GREEN, PURPLE, ORANGE, SKY, INK] as const;
const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "wye", "cross"] as const;
const DASHES = ["", "6 2", "2 2", "8 2 2 2", "1 2"] as const;
const LEVEL: Look = { colour: GREY, dash: "4 3", symbol: "times", hollow: false };

/** Colours, marks and dashes repeat after 6, 7 and 5, all together after 210. */
function looksOf(series: readonly Series[]): Look[] {
  let others = 0;
  let references = 0;
  return series.map(({ rank }): Look => {
    if (rank === "subject") return { colour: VERMILION, dash: "", symbol: "circle", hollow: false };
    if (rank === "reference") {
      return { colour: GREY, dash: "4 3", symbol: SYMBOLS[references++ % SYMBOLS.length], hollow: true };
    }
    const i = others++;
    return {
      colour: COLOURS[i % COLOURS.length],
      dash: DASHES[i % DASHES.length],
      symbol: SYMBOLS[(i + 1) % SYMBOLS.length],
      hollow: i % 14 >= 7,
    };
  });
}

/** A twentieth more on either side. */
function padded(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low) / 20 || Math.max(Math.abs(high), 1) / 20;
  return [low - room, high + room];
}
