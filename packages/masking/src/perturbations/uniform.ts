import { type ActionSpace, ILLEGAL, type Perturbation, requireChoices } from "@magic-mask/core";

/** ν = uniform over the legal actions. */
export function uniform(space: ActionSpace): Perturbation {
  const n = requireChoices("masking/uniform", space);
  return {
    name: "uniform",
    evaluate({ legal, count }, _policy, out) {
      for (let row = 0; row < count; row++) {
        let choices = 0;
        for (let a = 0; a < n; a++) choices += legal[row * n + a];
        const logProb = -Math.log(choices);
        for (let a = 0; a < n; a++) out[row * n + a] = legal[row * n + a] ? logProb : ILLEGAL;
      }
    },
  };
}
