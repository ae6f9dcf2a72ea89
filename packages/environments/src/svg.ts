/** Attributes of one element; numbers are written with at most two decimals. */
type Attributes = Readonly<Record<string, string | number>>;

/** Colours that are told apart in print, on a dark page and by the colour-blind (Okabe & Ito 2008), on a mid-grey ground. */
export const colours = {
  ground: "#f2f2ee",
  line: "#8a8a86",
  ink: "#1b1b1a",
  blue: "#0072b2",
  orange: "#e69f00",
  green: "#009e73",
  red: "#d55e00",
  purple: "#cc79a7",
  sky: "#56b4e9",
  yellow: "#f0e442",
} as const;

/** The colours that tell agents apart, in order; agent i has `agentColours[i % 7]`. */
export const agentColours = [
  colours.blue,
  colours.orange,
  colours.green,
  colours.red,
  colours.purple,
  colours.sky,
  colours.yellow,
] as const;

/** One document of `width` × `height` units on a plain ground, y downwards. */
export function svgDocument(width: number, height: number, elements: readonly string[]): string {
  const ground = shape("rect", { width, height, fill: colours.ground });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${number(width)} ${number(height)}">${ground}${elements.join("")}</svg>`;
}

/** A shape without content: `rect`, `circle`, `line`, `path`, `polygon`. */
export const shape = (name: "rect" | "circle" | "line" | "path" | "polygon", attributes: Attributes): string =>
  `<${name}${written(attributes)}/>`;

/** Words at (x, y), which is the start of their base line unless `text-anchor` says otherwise. */
export const words = (x: number, y: number, content: string, attributes: Attributes = {}): string =>
  `<text${written({ x, y, "font-family": "sans-serif", "font-size": 12, fill: colours.ink, ...attributes })}>${escaped(content)}</text>`;

const written = (attributes: Attributes) =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${typeof value === "number" ? number(value) : escaped(value)}"`)
    .join("");

const number = (value: number) => String(Math.round(value * 100) / 100);

const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
