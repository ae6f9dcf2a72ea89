import { join } from "node:path";
import { byName } from "@magic-mask/core";
import type { Command } from "commander";
import { FORMATS, type Format } from "../export-formats.ts";
import { SOURCE } from "./flags.ts";
import { print } from "./print.ts";

interface ExportFlags {
  readonly format?: Format;
  readonly out?: string;
  readonly json?: boolean;
}

export function addExport(program: Command): void {
  program
    .command("export <run>")
    .description("write a finished run's policies and mask nets for other software, with a model card")
    .option("--format <name>", `${FORMATS.join(" or ")}; all by default`, formatOf)
    .option("--out <folder>", "where to; export/ in the run folder by default")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  magic-mask export runs/connect_four_v0__magic-mask__s1__20260101T000000Z-abc123 --format onnx --out model",
    )
    .action(async (path: string, flags: ExportFlags) => {
      const { exportRun } = await import("../export.ts");
      const exported = await exportRun(path, flags);
      const { folder, networks } = exported;
      const files = [...networks.flatMap(({ files }) => files), "run.json", "README.md"];
      print(flags, exported, () => files.map((file) => join(folder, file)).join("\n"));
    });
}

/** @throws unknown-name */
function formatOf(name: string): Format {
  return byName(SOURCE, "--format", Object.fromEntries(FORMATS.map((format) => [format, format])), name);
}
