import {
  type ActionSpace,
  boxSize,
  contains,
  ILLEGAL,
  LOG_STD_BOUNDS,
  MagicMaskError,
  type Perturbation,
} from "@magic-mask/core";

export interface IdleOptions {
  /** Label or number of the action that does nothing; by default the one that the space labels noop, idle, none, no_action or stay. */
  readonly action?: string | number;
}

const SOURCE = "masking/idle";
const NAMES = ["noop", "idle", "none", "noaction", "stay"];

/**
 * ν = doing nothing: the one action that idles. Over a box, whose distributions are densities, 0 in every entry as nearly as there is
 * a density of it: σ = e⁻⁵.
 *
 * Never anything else in its place: where idling is illegal, `evaluate` says so. Candidates are another list each time and have no
 * lasting idle action. A pass at Doudizhu is one only for who follows, as who leads must play; "pass or else something" would be two
 * perturbations under one name.
 *
 * @throws unsupported where no action idles: no such label and none named, several parts, candidates, a box without 0;
 *   unknown-name, invalid-option for an `action` that is none; illegal-action, from `evaluate`, where idling is not legal
 */
export function idle(space: ActionSpace, { action }: IdleOptions = {}): Perturbation {
  if (space.kind === "box") return still(boxSize(space), contains(space, new Float32Array(boxSize(space))));
  if (space.kind !== "discrete") {
    const why = space.kind === "candidates" ? "candidates are another list each time" : "actions have several parts";
    throw new MagicMaskError("unsupported", SOURCE, `no action idles: ${why}; use another perturbation`);
  }
  const { n, labels = [] } = space;
  const chosen = find(n, labels, action);
  return {
    name: "idle",
    evaluate({ legal, count }, _policy, out) {
      for (let row = 0; row < count; row++) {
        const at = row * n;
        let choices = 0;
        for (let a = at; a < at + n; a++) choices += legal[a];
        // A forced move is no decision: nothing is withheld there.
        const taken = choices === 1 ? legal.indexOf(1, at) : at + chosen;
        if (!legal[taken]) {
          const what = `${labels[chosen] ?? "action"} (${chosen}) is illegal in a decision with ${choices} legal actions`;
          throw new MagicMaskError("illegal-action", SOURCE, `${what}, so it cannot idle; use another perturbation`);
        }
        out.fill(ILLEGAL, at, at + n);
        out[taken] = 0;
      }
    },
  };
}

function find(n: number, labels: readonly string[], action: string | number | undefined): number {
  const known = labels.length > 0 ? `labels: ${labels.join(", ")}` : "its actions have no labels";
  if (action === undefined) {
    const found = labels.findIndex((label) => NAMES.includes(label.toLowerCase().replace(/[^a-z]/g, "")));
    if (found >= 0) return found;
    const message = `no action is called ${NAMES.join(", ")} (${known}); name the one that idles, by label or number`;
    throw new MagicMaskError("unsupported", SOURCE, message);
  }
  if (typeof action === "string") {
    if (labels.includes(action)) return labels.indexOf(action);
    throw new MagicMaskError("unknown-name", SOURCE, `there is no action "${action}"; ${known}`);
  }
  if (Number.isInteger(action) && action >= 0 && action < n) return action;
  throw new MagicMaskError("invalid-option", SOURCE, `action must be a whole number in [0, ${n - 1}], got ${action}`);
}

function still(k: number, hasZero: boolean): Perturbation {
  if (!hasZero) {
    throw new MagicMaskError(
      "unsupported",
      SOURCE,
      "no action idles: 0 lies outside of the box; use another perturbation",
    );
  }
  return {
    name: "idle",
    evaluate({ count }, _policy, out) {
      for (let at = 0; at < 2 * k * count; at++) out[at] = at % (2 * k) < k ? 0 : LOG_STD_BOUNDS[0];
    },
  };
}
