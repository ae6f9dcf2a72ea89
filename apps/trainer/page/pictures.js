// Pictures, put together again.

/** @typedef {import("../src/explanation/explanation.ts").Pictures} Pictures */

/**
 * @param {Pictures} pictures
 * @returns {(step: number) => { readonly text: string, readonly step: number }} the picture of a step, or the last one before it
 */
export function unpackPictures({ steps, parts, frames }) {
  /** @type {number[]} */
  let before = [];
  const whole = frames.map(([start, end, ...between]) => {
    before = [...before.slice(0, start), ...between, ...before.slice(before.length - end)];
    return before;
  });
  return (step) => {
    let [low, high] = [0, steps.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (steps[middle] <= step) low = middle;
      else high = middle - 1;
    }
    return { text: whole[low].map((part) => parts[part]).join(""), step: steps[low] };
  };
}
