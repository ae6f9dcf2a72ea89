import { expect, it } from "@jest/globals";
import { imagesIn, parameterCount } from "@magic-mask/core";
import { describeSpec, layout } from "./layout.ts";
import { natureCnn } from "./nature-cnn.ts";

it("natureCnn is the net of Mnih et al. 2015", () => {
  const spec = natureCnn([84, 84, 4], [18]);
  expect(describeSpec(spec)).toBe("84×84×4-32@8/4-64@4/2-64@3/1-512-(18) relu");
  expect(imagesIn(spec).slice(1)).toEqual([
    [20, 20, 32],
    [9, 9, 64],
    [7, 7, 64],
  ]);
  // (8·8·4 + 1)·32 + (4·4·32 + 1)·64 + (3·3·64 + 1)·64 + (3136 + 1)·512 + 513·18
  expect(parameterCount(spec)).toBe(8_224 + 32_832 + 36_928 + 1_606_144 + 9_234);
});

it("natureCnn needs sides of 36", () => {
  expect(imagesIn(natureCnn([36, 40, 1], [1])).at(-1)).toEqual([1, 1, 64]);
  expect(() => layout(natureCnn([35, 40, 1], [1]))).toThrow(expect.objectContaining({ code: "invalid-option" }));
});
