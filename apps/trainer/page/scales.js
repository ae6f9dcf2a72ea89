// Where things lie and how they are coloured.

/** matplotlib's cividis at 0, 0.1, …, 1: told apart by the colour-blind and in grey (Nuñez, Anderton & Renslow 2018). */
const CIVIDIS = "00224e 083370 35456c 4f576c 666970 7d7c78 948e77 aea371 c8b866 e5cf52 fee838".split(" ");

/**
 * @param {number} t in [0, 1]; what lies outside counts as the nearer end
 * @param {boolean} dark whether the ground is: what is high stands out from it
 */
export function criticalityColour(t, dark) {
  const clipped = Math.min(1, Math.max(0, t));
  const at = (dark ? clipped : 1 - clipped) * (CIVIDIS.length - 1);
  const k = Math.min(CIVIDIS.length - 2, Math.floor(at));
  const channels = [0, 2, 4].map((i) => {
    const [a, b] = [CIVIDIS[k], CIVIDIS[k + 1]].map((colour) => Number.parseInt(colour.slice(i, i + 2), 16));
    return Math.round(a + (b - a) * (at - k));
  });
  return `rgb(${channels.join(", ")})`;
}

/**
 * The linear map that takes [low, high] to [from, to]; everything to the middle where low is high.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} from
 * @param {number} to
 * @returns {(value: number) => number}
 */
export function linear(low, high, from, to) {
  if (low === high) return () => (from + to) / 2;
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/**
 * Round numbers within [low, high], `most` of them or fewer: multiples of 1, 2 or 5 times a power of ten.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} most
 */
export function ticks(low, high, most) {
  if (!(high > low)) return [low];
  let unit = 1;
  while (unit * most > high - low) unit /= 10;
  while (unit * 10 * most <= high - low) unit *= 10;
  const wanted = [1, 2, 5, 10]
    .map((k) => k * unit)
    .find((step) => Math.floor(high / step) - Math.ceil(low / step) < most);
  const step = wanted ?? 10 * unit;
  const found = [];
  // Multiples, so that no error adds up; twelve digits, so that none shows.
  for (let k = Math.ceil(low / step); k <= Math.floor(high / step); k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

/**
 * What there is room for: of the decisions that fall into one column, the most critical one.
 *
 * @template {{ readonly step: number, readonly estimate: number }} T
 * @param {readonly T[]} decisions by step
 * @param {number} steps T
 * @param {number} columns as many as there is room for
 * @returns {T[]}
 */
export function mostCriticalByColumn(decisions, steps, columns) {
  if (steps <= columns) return [...decisions];
  /** @type {Map<number, T>} */
  const best = new Map();
  for (const decision of decisions) {
    const column = Math.floor((decision.step * columns) / steps);
    const other = best.get(column);
    if (!other || decision.estimate > other.estimate) best.set(column, decision);
  }
  return [...best.values()];
}

/**
 * The least and the greatest number, 0 among them.
 *
 * @param {readonly number[]} values
 */
export function extentWithZero(values) {
  let [low, high] = [0, 0];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return /** @type {const} */ ([low, high]);
}
