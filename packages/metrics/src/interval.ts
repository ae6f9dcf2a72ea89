/** An estimate with the interval that holds it at the level asked for. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}
