/** As explanations hold numbers: six significant digits, null for one that is not known. */
export const figureOrNull = (value: number): number | null => (Number.isFinite(value) ? figure(value) : null);

/** Of a number that is known. */
export const figure = (value: number): number => Number(value.toPrecision(6));
