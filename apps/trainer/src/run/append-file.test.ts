import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { openAppendFile } from "./append-file.ts";
import { createMetricsLog } from "./metrics-log.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "magic-mask-"));
  file = join(folder, "log");
});
afterEach(() => rmSync(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const content = () => readFileSync(file, "utf8");

describe("append file", () => {
  it("counts what is in the file, not what waits", () => {
    const log = openAppendFile(file);
    log.append(bytes("abc"));
    expect([log.offset, content()]).toEqual([0, ""]);
    log.flush();
    log.append(bytes("de"));
    expect([log.offset, content()]).toEqual([3, "abc"]);
    log.sync();
    expect([log.offset, content()]).toEqual([5, "abcde"]);
    log.append(bytes("f"));
    log.close();
    expect(content()).toBe("abcdef");
  });

  it("keeps the bytes before the offset and drops those behind it", () => {
    writeFileSync(file, "abcdef");
    const log = openAppendFile(file, 4);
    expect(content()).toBe("abcd");
    log.append(bytes("X"));
    log.close();
    expect(content()).toBe("abcdX");
    openAppendFile(file, 0).close();
    expect(content()).toBe("");
  });

  it("says what is wrong with a file that is missing, too short or no file", () => {
    expect(() => openAppendFile(file, 4)).toThrow(expect.objectContaining({ code: "io" }));
    writeFileSync(file, "abc");
    expect(() => openAppendFile(file, 4)).toThrow(
      expect.objectContaining({
        code: "corrupt-file",
        message: expect.stringMatching(/first 4 bytes of .*log, which has only 3/),
      }),
    );
    expect(content()).toBe("abc");
    expect(() => openAppendFile(folder)).toThrow(
      expect.objectContaining({ code: "io", message: expect.stringContaining("EISDIR") }),
    );
  });
});

describe("metrics log", () => {
  it("writes one JSON object a line and continues from an offset", () => {
    const log = createMetricsLog(file);
    log.append({ step: 1, "charts/SPS": 0.5, text: "a\nb" });
    log.append({ step: 2, "charts/SPS": Number.NaN });
    log.sync();
    const { offset } = log;
    log.append({ step: 3 });
    log.close();
    expect(content()).toBe('{"step":1,"charts/SPS":0.5,"text":"a\\nb"}\n{"step":2,"charts/SPS":null}\n{"step":3}\n');

    const again = createMetricsLog(file, offset);
    again.append({ step: 4 });
    again.close();
    expect(content().split("\n").slice(2)).toEqual(['{"step":4}', ""]);
  });
});
