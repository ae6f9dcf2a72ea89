/**
 * The one error this workspace throws on purpose.
 *
 * Match on `code`, never on the class: an error that ended a worker keeps its fields and loses its prototype. (One that is
 * posted in a message keeps its text alone, as structured cloning drops the fields: post `{ ...error, message }` instead.)
 * The message says where, what was wanted, what came and what to do: `[comm/lossy] loss must be in [0, 1], got 1.5`.
 */
export class MagicMaskError extends Error {
  override readonly name = "MagicMaskError";
  readonly code: ErrorCode;
  /** Where it was raised, as `package/piece`, e.g. `environments/connect-four`. */
  readonly source: string;

  constructor(code: ErrorCode, source: string, message: string, options?: { cause?: unknown }) {
    super(`[${source}] ${message}`, options);
    this.code = code;
    this.source = source;
  }
}

export type ErrorCode =
  /** An option is outside the range its docstring allows. */
  | "invalid-option"
  /** A configuration key does not exist. */
  | "unknown-key"
  /** A name (environment, explainer, backend, …) is not registered. */
  | "unknown-name"
  /** An array does not have the shape its docstring states. */
  | "shape-mismatch"
  /** A method was called in an order the interface forbids. */
  | "out-of-order"
  /** A NaN or infinity reached a place that must be finite. */
  | "not-finite"
  /** Training came to nothing: something in it is no longer finite, or a policy has collapsed. */
  | "diverged"
  /** An action that the rules do not allow at this moment. */
  | "illegal-action"
  /** An agent must act and its legal-action mask is all zero. */
  | "no-legal-action"
  /** A file (checkpoint, weights, configuration) is damaged, foreign or of another version. */
  | "corrupt-file"
  /** A message from another agent is damaged, truncated, foreign or of another version. */
  | "corrupt-message"
  /** The piece exists but cannot do this (a space, a backend, a snapshot). */
  | "unsupported"
  /** Something that the piece needs beside this workspace is not there: an interpreter, a package. */
  | "unavailable"
  /** Reading or writing failed (missing file, full disk, no permission). */
  | "io"
  /** A worker thread or process ended before it had answered, or hung. */
  | "worker-lost"
  /** An implementation breaks a law of its interface. */
  | "law-broken";

/** Whether `error` is ours, with this `code` if one is given; holds across worker boundaries. */
export function isMagicMaskError(error: unknown, code?: ErrorCode): error is MagicMaskError {
  const candidate = error as { name?: unknown; code?: unknown } | null;
  return candidate?.name === "MagicMaskError" && (code === undefined || candidate.code === code);
}

/**
 * Returns `value` if it lies in [low, high].
 *
 * @throws invalid-option, naming the option, the range and the value
 */
export function checkRange(
  source: string,
  option: string,
  value: number,
  low: number,
  high = Number.POSITIVE_INFINITY,
) {
  if (typeof value === "number" && value >= low && value <= high) return value;
  const wanted = high === Number.POSITIVE_INFINITY ? `≥ ${low}` : `in [${low}, ${high}]`;
  throw new MagicMaskError("invalid-option", source, `${option} must be ${wanted}, got ${shown(value)}`);
}

/**
 * Returns `value` if it is a whole number in [low, high].
 *
 * @throws invalid-option, naming the option, the range and the value
 */
export function checkCount(source: string, option: string, value: number, low = 1, high = Number.POSITIVE_INFINITY) {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  const wanted = high === Number.POSITIVE_INFINITY ? `≥ ${low}` : `in [${low}, ${high}]`;
  throw new MagicMaskError("invalid-option", source, `${option} must be a whole number ${wanted}, got ${shown(value)}`);
}

/** "6" in its quotes, so that it is told from 6; NaN as itself. */
const shown = (value: unknown) => (typeof value === "number" ? String(value) : String(JSON.stringify(value)));

/**
 * Returns the entry called `name`.
 *
 * @throws unknown-name, with the names there are
 */
export function byName<T>(source: string, kind: string, pieces: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(pieces, name)) return pieces[name];
  const known = Object.keys(pieces).join(", ");
  throw new MagicMaskError("unknown-name", source, `there is no ${kind} "${name}"; choose one of: ${known}`);
}
