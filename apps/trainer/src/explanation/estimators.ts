/** What says which decisions are worth measuring. */
export const ESTIMATORS = ["lookahead", "mask"] as const;
export type Estimator = (typeof ESTIMATORS)[number];
