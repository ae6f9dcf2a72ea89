// Where one is in the episode, and how the address says so.

/** @typedef {{ readonly step: number, readonly agent: number }} Place */

/**
 * @param {Place} place
 * @returns {string} `#step=12&agent=2`, agents counting from 1 as the keys do
 */
export const hashOf = ({ step, agent }) => `#step=${step}&agent=${agent + 1}`;

/**
 * @param {string} hash
 * @param {Place} otherwise what holds where the address does not say or cannot be right
 * @param {number} steps T
 * @param {number} agents N
 * @returns {Place}
 */
export function placeOf(hash, otherwise, steps, agents) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  /** @param {string} name @param {number} low @param {number} high @param {number} fallback */
  const whole = (name, low, high, fallback) => {
    const text = given.get(name) ?? "";
    const value = Number(text);
    return /^\d+$/.test(text) && value >= low && value <= high ? value : fallback;
  };
  return {
    step: whole("step", 0, steps, otherwise.step),
    agent: whole("agent", 1, agents, otherwise.agent + 1) - 1,
  };
}

/**
 * The nearest of `steps` after `step`, or before it; from the last on to the first.
 *
 * @param {readonly number[]} steps
 * @param {number} step
 * @param {1 | -1} direction
 * @returns {number} `step` itself where there are none
 */
export function neighbour(steps, step, direction) {
  if (steps.length === 0) return step;
  const sorted = [...steps].sort((a, b) => a - b);
  if (direction === 1) return sorted.find((each) => each > step) ?? sorted[0];
  return sorted.findLast((each) => each < step) ?? sorted[sorted.length - 1];
}

/**
 * What a key asks for.
 *
 * @param {string} key as events name it
 * @param {Place} place
 * @param {readonly (readonly number[])[]} moments [N] steps of each agent's list, the most critical first
 * @param {number} steps T
 * @returns {Place | "play" | null}
 */
export function placeAfterKey(key, place, moments, steps) {
  const own = moments[place.agent];
  /** @param {number} step */
  const at = (step) => ({ ...place, step: Math.min(steps, Math.max(0, step)) });
  if (key === " ") return "play";
  if (key === "ArrowRight") return at(place.step + 1);
  if (key === "ArrowLeft") return at(place.step - 1);
  if (key === "Home") return at(0);
  if (key === "End") return at(steps);
  if (key === "n") return at(neighbour(own, place.step, 1));
  if (key === "p") return at(neighbour(own, place.step, -1));
  if (key === "g") return at(own[0] ?? place.step);
  const agent = Number(key) - 1;
  return /^[1-9]$/.test(key) && agent < moments.length ? { ...place, agent } : null;
}

/** Steps a second at which an episode of `steps` is played at first. @param {number} steps */
export const speedFor = (steps) => (steps <= 30 ? 1 : steps <= 120 ? 2 : steps <= 400 ? 5 : steps <= 1500 ? 15 : 30);
