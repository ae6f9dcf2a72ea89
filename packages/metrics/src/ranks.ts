/** The indices of `values` in ascending order of value; equal values keep their order. */
export function ascending(values: ArrayLike<number>): Int32Array {
  return Int32Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i] - values[j] || i - j);
}

/** [n] ranks 1 … n in ascending order of value; equal values share the mean of their ranks (mid-ranks). */
export function midRanks(values: ArrayLike<number>): Float64Array {
  const order = ascending(values);
  const ranks = new Float64Array(order.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let k = from; k < to; k++) ranks[order[k]] = (from + 1 + to) / 2;
  }
  return ranks;
}
