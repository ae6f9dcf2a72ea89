import { type ActionSpace, type Box, boxSize, MagicMaskError, requireChoices } from "@magic-mask/core";

/** How one agent's actions are told in four bytes, and what a network is told of them. */
export interface ActionCode {
  /** Numbers that a network reads of one. */
  readonly width: number;
  /** The code of the action in the slot at `actions[at]`, a 32-bit whole number. */
  encode(actions: Float32Array, at: number): number;
  /** Whether there is such an action. */
  isValid(code: number): boolean;
  /** Writes what a network is told of it to `out[at …]`, `width` numbers. */
  describe(code: number, out: Float32Array, at: number): void;
}

const SOURCE = "comm/action-code";
/** Entries of a continuous action that four bytes hold, at four bits each. */
const MOST_ENTRIES = 8;

/**
 * | actions | code | a network is told |
 * | --- | --- | --- |
 * | choices | the index | one of n |
 * | candidates | the index | nothing: it says nothing of the candidate, and records do not hold its features |
 * | continuous | k entries of min(16, ⌊32/k⌋) bits, each from bound to bound; the first lowest | the entries, from bounds to [−1, 1] |
 *
 * @throws unsupported for actions in several parts, and for a box without bounds or with more than 8 entries
 */
export function actionCode(space: ActionSpace): ActionCode {
  if (space.kind === "box") return entriesCode(space);
  const n = requireChoices(SOURCE, space);
  const width = space.kind === "candidates" ? 0 : n;
  return {
    width,
    encode: (actions, at) => actions[at],
    isValid: (code) => Number.isInteger(code) && code >= 0 && code < n,
    describe(code, out, at) {
      out.fill(0, at, at + width);
      if (width > 0) out[at + code] = 1;
    },
  };
}

function entriesCode(space: Box): ActionCode {
  const k = boxSize(space);
  const bounds = Array.from({ length: k }, (_, i) =>
    [space.low, space.high].map((bound) => (typeof bound === "number" ? bound : bound[i])),
  );
  const open = bounds.find(([low, high]) => !(high - low > 0 && high - low < Number.POSITIVE_INFINITY));
  if (k > MOST_ENTRIES || open) {
    const came = open ? `an entry in [${open}]` : `${k} entries`;
    const message = `a record tells of up to ${MOST_ENTRIES} bounded entries of an action, got ${came}`;
    throw new MagicMaskError("unsupported", SOURCE, message);
  }
  const step = 1 << Math.min(16, Math.floor(32 / k));
  let codes = 1;
  for (let i = 0; i < k; i++) codes *= step;
  return {
    width: k,
    encode(actions, at) {
      let code = 0;
      for (let i = k - 1; i >= 0; i--) {
        const [low, high] = bounds[i];
        const share = Math.max(0, Math.min(1, (actions[at + i] - low) / (high - low)));
        code = code * step + Math.round(share * (step - 1));
      }
      return code;
    },
    isValid: (code) => Number.isInteger(code) && code >= 0 && code < codes,
    describe(code, out, at) {
      for (let i = 0, left = code; i < k; i++, left = Math.floor(left / step)) {
        out[at + i] = (2 * (left % step)) / (step - 1) - 1;
      }
    },
  };
}
