export const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]) => sum(values) / values.length;

/** JSON has no NaN and no infinity: what is undefined is null. */
export const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
