import { expect, it } from "@jest/globals";
import { flawOf } from "./well-formed.ts";

it.each([
  '<svg xmlns="http://www.w3.org/2000/svg"/>',
  `<?xml version="1.0"?>\n<svg a='1 > 0' b="x"><!-- <g> --><g><path d="M0 0"/></g><text>a &lt; b &#38; &#x26;</text></svg>\n`,
  "<svg><style><![CDATA[a > b & c </g>]]></style></svg>",
])("finds nothing wrong with %s", (text) => {
  expect(flawOf(text)).toBeUndefined();
});

it.each([
  ["<svg><g></svg>", "</svg> closes <g>"],
  ["<svg></g></svg>", "</g> closes <svg>"],
  ["<svg></svg></svg>", "</svg> closes nothing"],
  ["<svg><g>", "<g> is not closed"],
  ["<svg/><svg/>", "second element"],
  ["<svg/>more", "outside"],
  ["<svg a=1/>", "is no tag"],
  ['<svg a="1" b="2" a="3"/>', "attribute a twice"],
  ["<svg>a & b</svg>", "begins no entity"],
  ['<svg a="x & y"/>', "begins no entity"],
  ["<svg>1 < 2</svg>", "is no tag"],
])("says what is wrong with %s", (text, flaw) => {
  expect(flawOf(text)).toContain(flaw);
});
