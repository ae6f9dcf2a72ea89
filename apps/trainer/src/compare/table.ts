import type { Interval } from "@magic-mask/metrics";
import type { Cell } from "../terminal/table.ts";
import { headlineShare } from "./plan.ts";
import type { Figure, Row } from "./summary.ts";

/** The header and rows of one budget: what learns within it and what does not learn, best AUROC first. */
export function tableOf(rows: readonly Row[], budget: number): { header: string[]; body: Cell[][] } {
  const share = headlineShare(rows.flatMap(({ drops }) => drops.map((point) => point.share)).concat(0.1));
  const shown = rows
    .filter((row) => row.budget === budget || row.budget === 0)
    .sort((a, b) => estimate(b.auroc) - estimate(a.auroc));
  const withDrops = shown.some(({ budget: own, drops }) => own > 0 && drops.length > 0);
  const at = ({ drops }: Row, order: "top" | "bottom") =>
    drops.find((point) => point.order === order && point.share === share);
  const percent = `${Math.round(100 * share)} %`;
  const header = ["criticality by", "AUROC@10", "Spearman", "NDCG@10", "in 90 %"];
  if (withDrops)
    header.push(`drop at top ${percent}`, "blinded", `at lowest ${percent}`, "StateMask's score", "its floor");
  header.push("steps", "wall s");
  const body = shown.map((row) => {
    const [top, bottom] = [at(row, "top"), at(row, "bottom")];
    const cells: Cell[] = [
      row.explainer,
      inner(row.auroc),
      inner(row.spearman),
      inner(row.ndcg),
      mean(row.calibration),
    ];
    if (withDrops)
      cells.push(
        inner(top?.drop),
        mean(top?.budget),
        mean(bottom?.drop),
        mean(row.statemask?.window),
        mean(row.statemask?.floor),
      );
    cells.push(row.steps, row.wall.learning);
    return cells;
  });
  return { header, body };
}

const UNKNOWN: Interval = { estimate: Number.NaN, low: Number.NaN, high: Number.NaN };
const inner = (figure: Figure | undefined): Interval => figure?.interval ?? UNKNOWN;
const estimate = (figure: Figure) => figure.interval?.estimate ?? Number.NEGATIVE_INFINITY;
const mean = (figure: Figure | undefined): number => figure?.interval?.estimate ?? Number.NaN;
