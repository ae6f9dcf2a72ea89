import type { Command } from "commander";
import { examples } from "./help.ts";
import { print } from "./print.ts";

interface ReportFlags {
  readonly out: string;
  readonly json?: boolean;
}

const EXAMPLES = [
  "magic-mask report runs/tictactoe_v0__magic-mask__s1__20260101T000000Z-abc123",
  "magic-mask report studies/communication studies/scale results/compare/connect_four_v0 --out report --json",
];

export function addReport(program: Command): void {
  program
    .command("report <folder...>")
    .description(
      "one page and one text about runs, comparisons and studies, in any mix: claims, plots, tables, warnings",
    )
    .option("--out <folder>", "where report.html, report.md and pictures/ go", "report")
    .option("--json", "print one JSON object: claims, diagnostics and paths")
    .addHelpText("after", examples(EXAMPLES))
    .action(async (folders: string[], flags: ReportFlags) => {
      const { writeReport } = await import("../report/report.ts");
      const reported = await writeReport(folders, flags.out);
      print(flags, reported, () =>
        [...reported.summary, "", `page: ${reported.page}`, `text: ${reported.markdown}`].join("\n"),
      );
    });
}
