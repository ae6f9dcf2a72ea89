import { type Explainer, stream } from "@magic-mask/core";

/** A control: scores drawn from a stream, whatever the decisions are. */
export function random({ seed }: { readonly seed: number }): Explainer {
  const draw = stream(seed, "random explainer");
  return {
    name: "random",
    score({ count }, criticality, spread) {
      for (let row = 0; row < count; row++) criticality[row] = draw.uniform();
      spread.fill(Number.NaN, 0, count);
    },
  };
}
