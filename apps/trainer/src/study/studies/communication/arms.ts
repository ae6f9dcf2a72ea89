import { modes } from "@magic-mask/comm";

/** What agents send, and by which vectors states are told, their own included. */
interface Arm {
  /** Name of comm's mode that says what is sent. */
  readonly sends: string;
  /** Name of the mode whose vectors are used. */
  readonly vectors: string;
  /** The arm that it is held against: nothing is sent, and states are told by the same vectors. */
  readonly reference: string;
}

/** Each of comm's modes, and the two that show what signatures cost beside the features themselves. */
export const arms: Readonly<Record<string, Arm>> = {
  ...Object.fromEntries(
    Object.values(modes).map(({ name, features = false }): [string, Arm] => [
      name,
      { sends: name, vectors: name, reference: features ? "none_features" : "none" },
    ]),
  ),
  none_features: { sends: "none", vectors: "features", reference: "none_features" },
  all_features: { sends: "all", vectors: "features", reference: "none_features" },
};
