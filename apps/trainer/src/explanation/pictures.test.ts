import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { unpackPictures } from "../../page/pictures.js";
import { packPictures } from "./pictures.ts";

const none: ReadonlySet<number> = new Set();

describe("packPictures", () => {
  it("writes pieces once, and of a picture only what lies between the pieces of the one before", () => {
    const drawn = ["<svg><a/><b/></svg>", "<svg><a/><c/></svg>", "<svg><a/><c/></svg>"];
    expect(packPictures("svg", drawn, none)).toEqual({
      kind: "svg",
      steps: [0, 1, 2],
      parts: ["<svg>", "<a/>", "<b/>", "</svg>", "<c/>"],
      // The second keeps two pieces at its start and one at its end; the third all four.
      frames: [
        [0, 0, 0, 1, 2, 3],
        [2, 1, 4],
        [4, 0],
      ],
    });
  });

  it("takes text line by line", () => {
    expect(packPictures("text", ["a\nb\n", "a\nc\n"], none)).toMatchObject({
      parts: ["a\n", "b\n", "c\n"],
      frames: [
        [0, 0, 0, 1],
        [1, 0, 2],
      ],
    });
  });

  it("is undone by the page, whatever was drawn and left out", () => {
    const picture = fc.array(fc.constantFrom("<a/>", "<b/>", "<c>1</c>", "<d/>"), { maxLength: 6 });
    const drawn = fc.array(
      picture.map((parts) => `<svg>${parts.join("")}</svg>`),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(drawn, fc.constantFrom(1, 60, 2_000_000), (pictures, most) => {
        const packed = packPictures("svg", pictures, new Set([2]), most);
        const at = unpackPictures(packed);
        pictures.forEach((_, step) => {
          const shown = at(step);
          expect(shown.text).toBe(pictures[shown.step]);
          expect(shown.step).toBe(packed.steps.findLast((kept) => kept <= step));
        });
      }),
    );
  });

  it("leaves out every second picture, or more, where all would be too much, but never a moment's", () => {
    const drawn = Array.from({ length: 64 }, (_, k) => `<svg><x y="${"z".repeat(50)}${k}"/></svg>`);
    const packed = packPictures("svg", drawn, new Set([7]), 1500);
    // A picture takes some 70 characters: a quarter of them is 16, with the moment and the last 18.
    expect(packed.steps).toEqual([0, 4, 7, ...Array.from({ length: 14 }, (_, k) => 8 + 4 * k), 63]);
    expect(packPictures("svg", drawn, new Set([7]), 1).steps).toEqual([0, 7, 63]);
  });
});
