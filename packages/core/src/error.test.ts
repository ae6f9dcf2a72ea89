import { Worker } from "node:worker_threads";
import { describe, expect, it } from "@jest/globals";
import { byName, checkCount, checkRange, isMagicMaskError, MagicMaskError } from "./error.ts";

/** What `run` throws. */
function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}

describe("MagicMaskError", () => {
  it("says where, and keeps code, source and cause", () => {
    const cause = new Error("disk full");
    const error = new MagicMaskError("io", "trainer/checkpoint", "cannot write", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "MagicMaskError",
      code: "io",
      source: "trainer/checkpoint",
      message: "[trainer/checkpoint] cannot write",
      cause,
    });
    expect(`${error}`).toBe("MagicMaskError: [trainer/checkpoint] cannot write");
  });
});

describe("a number that is text", () => {
  it("is shown as text", () => {
    const six = "6" as never;
    expect(() => checkCount("core/error", "rows", six)).toThrow('rows must be a whole number ≥ 1, got "6"');
    expect(() => checkRange("core/error", "luck", six, 0, 1)).toThrow('luck must be in [0, 1], got "6"');
    expect(() => checkRange("core/error", "luck", Number.NaN, 0)).toThrow("luck must be ≥ 0, got NaN");
  });
});

describe("isMagicMaskError", () => {
  const error = new MagicMaskError("io", "core/error", "no");

  it("matches on name and code", () => {
    expect(isMagicMaskError(error)).toBe(true);
    expect(isMagicMaskError(error, "io")).toBe(true);
    expect(isMagicMaskError(error, "unsupported")).toBe(false);
  });

  it.each([[null], [undefined], ["MagicMaskError"], [{}], [new Error("io")], [{ code: "io" }]])(
    "refuses %p",
    (other) => {
      expect(isMagicMaskError(other)).toBe(false);
      expect(isMagicMaskError(other, "io")).toBe(false);
    },
  );

  it("holds without the prototype: posted as a plain object, or as JSON", () => {
    const posted = structuredClone({ ...error, message: error.message });
    expect(posted).not.toBeInstanceOf(MagicMaskError);
    expect(isMagicMaskError(posted, "io")).toBe(true);
    expect(posted).toMatchObject({ source: "core/error", message: "[core/error] no" });
    expect(isMagicMaskError(JSON.parse(JSON.stringify(error)), "io")).toBe(true);
  });

  it("holds for the error that ended a worker", async () => {
    // Written out, as a worker started from text cannot import the source.
    const worker = new Worker(
      `class MagicMaskError extends Error { name = "MagicMaskError"; code = "io"; source = "x" }; throw new MagicMaskError("[x] no")`,
      { eval: true },
    );
    const received = await new Promise((resolve) => worker.once("error", resolve));
    expect(received).not.toBeInstanceOf(MagicMaskError);
    expect(isMagicMaskError(received, "io")).toBe(true);
    expect(received).toMatchObject({ source: "x", message: "[x] no" });
  });
});

describe("checkRange", () => {
  it("returns what lies inside, bounds included", () => {
    expect([0, 0.5, 1].map((x) => checkRange("comm/lossy", "loss", x, 0, 1))).toEqual([0, 0.5, 1]);
    expect(checkRange("core/play", "episodes", 1e9, 1)).toBe(1e9);
  });

  it("names option, range and value", () => {
    const error = thrown(() => checkRange("comm/lossy", "loss", 1.5, 0, 1));
    expect(error).toMatchObject({ code: "invalid-option", message: "[comm/lossy] loss must be in [0, 1], got 1.5" });
    expect(() => checkRange("core/play", "episodes", 0, 1)).toThrow("[core/play] episodes must be ≥ 1, got 0");
  });

  it.each([-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY, "0.5", undefined, null])("refuses %p", (value) => {
    expect(
      isMagicMaskError(
        thrown(() => checkRange("a/b", "c", value as number, 0, 1)),
        "invalid-option",
      ),
    ).toBe(true);
  });
});

describe("byName", () => {
  const pieces = { uniform: 1, other: 2 };

  it("finds its own entries only", () => {
    expect(byName("masking/perturbations", "perturbation", pieces, "other")).toBe(2);
    for (const name of ["toString", "__proto__", "constructor", ""]) {
      expect(
        isMagicMaskError(
          thrown(() => byName("a/b", "piece", pieces, name)),
          "unknown-name",
        ),
      ).toBe(true);
    }
  });

  it("says what there is", () => {
    expect(() => byName("masking/perturbations", "perturbation", pieces, "unifrom")).toThrow(
      '[masking/perturbations] there is no perturbation "unifrom"; choose one of: uniform, other',
    );
  });
});
