/** What says which decisions are worth measuring: the mask, a look ahead, or both with the same say. */
export const ESTIMATORS = ["both", "lookahead", "mask"] as const;
export type Estimator = (typeof ESTIMATORS)[number];
