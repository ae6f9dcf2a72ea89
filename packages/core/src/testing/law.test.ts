import { expect, it } from "@jest/globals";
import { MagicMaskError } from "../error.ts";
import { broken, law, throwsCode } from "./law.ts";

const even = law<number>("is even", (fail, n) => {
  if (Number.isNaN(n)) throw new TypeError("not a number");
  if (n % 2 !== 0) fail(`${n} is odd`);
});

it("passes what obeys, and names law and reason for what does not", () => {
  expect(even.name).toBe("is even");
  expect(even.run(2)).toBeUndefined();
  expect(() => even.run(3)).toThrow('[core/testing] law "is even": 3 is odd');
  expect(() => even.run(3)).toThrow(expect.objectContaining({ code: "law-broken" }));
});

it("takes any other error for a breach, and keeps it as the cause", () => {
  let caught: unknown;
  try {
    even.run(Number.NaN);
  } catch (error) {
    caught = error;
  }
  expect(caught).toMatchObject({
    code: "law-broken",
    message: '[core/testing] law "is even": the subject threw TypeError: not a number',
    cause: { message: "not a number" },
  });
});

it("tells one code from another", () => {
  const illegal = () => {
    throw new MagicMaskError("illegal-action", "core/law", "no");
  };
  expect(throwsCode(illegal, "illegal-action")).toBe(true);
  expect(throwsCode(illegal, "out-of-order")).toBe(false);
  expect(throwsCode(() => 0, "illegal-action")).toBe(false);
  expect(() => broken("a law", "why")).toThrow('law "a law": why');
});
