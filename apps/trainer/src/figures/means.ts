export const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]) => sum(values) / values.length;
