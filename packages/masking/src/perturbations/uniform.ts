import { type ActionSpace, type Box, boxSize, ILLEGAL, MagicMaskError, type Perturbation } from "@magic-mask/core";

/**
 * ν = uniform over the legal actions. Over a box, whose distributions are normal: in every entry the mean and variance of the uniform
 * one, the middle of the bounds and their distance/√12; what is drawn beyond a bound is played at it.
 *
 * @throws unsupported for a box without bounds
 */
export function uniform(space: ActionSpace): Perturbation {
  if (space.kind === "box") return spread(space);
  const parts = space.kind === "multi-discrete" ? space.nvec : [space.kind === "candidates" ? space.max : space.n];
  const width = parts.reduce((sum, n) => sum + n, 0);
  return {
    name: "uniform",
    evaluate({ legal, count }, _policy, out) {
      for (let row = 0; row < count; row++) {
        let at = row * width;
        for (const n of parts) {
          let choices = 0;
          for (let a = at; a < at + n; a++) choices += legal[a];
          const logProb = -Math.log(choices);
          for (let a = at; a < at + n; a++) out[a] = legal[a] ? logProb : ILLEGAL;
          at += n;
        }
      }
    },
  };
}

function spread(space: Box): Perturbation {
  const k = boxSize(space);
  const { low, high } = space;
  const rows = new Float32Array(2 * k);
  for (let i = 0; i < k; i++) {
    const lowest = typeof low === "number" ? low : low[i];
    const highest = typeof high === "number" ? high : high[i];
    if (!Number.isFinite(highest - lowest)) {
      const message = `needs bounded actions, but entry ${i} lies in [${lowest}, ${highest}]`;
      throw new MagicMaskError("unsupported", "masking/uniform", message);
    }
    rows[i] = (lowest + highest) / 2;
    rows[k + i] = Math.log((highest - lowest) / Math.sqrt(12));
  }
  return {
    name: "uniform",
    evaluate({ count }, _policy, out) {
      for (let row = 0; row < count; row++) out.set(rows, row * 2 * k);
    },
  };
}
