import { formatCell, formatInterval, markdownTable } from "../terminal/table.ts";
import { type Block, type Document, originInWords, type Table } from "./document.ts";

/** Where pictures lie, from the text. */
const FOLDER = "pictures";

/** The pictures that the text shows, each a file. */
export function picturesOf({ sections }: Document): { readonly name: string; readonly text: string }[] {
  return sections.flatMap(({ blocks }) =>
    blocks.flatMap((block) => {
      if (block.kind === "picture") return [{ name: fileName(block.name), text: block.svg }];
      if (block.kind === "scene" && block.picture.kind === "svg") {
        return [{ name: fileName(`${block.name}.svg`), text: block.picture.text }];
      }
      return [];
    }),
  );
}

const fileName = (name: string) => name.replace(/[^\w.-]+/g, "_");

/** The report as GitHub shows it. */
export function formatMarkdown(document: Document): string {
  const { title, summary, claims, diagnostics, sections } = document;
  return `${[
    `# ${escaped(title)}`,
    listText(summary),
    ...(claims.length > 0
      ? [
          "## Against the paper",
          markdownTable(
            ["from", "where", "figure", "the paper", "measured", "verdict", "why"],
            claims.map(({ source, where, figure, claim, measured, verdict, why }) =>
              [source, where, figure, claim, measured ? formatInterval(measured) : "n/a", verdict, why].map(escaped),
            ),
          ).join("\n"),
        ]
      : []),
    ...(diagnostics.length > 0
      ? [
          "## Diagnostics",
          markdownTable(
            ["where", "figure", "value", "limit", "", "what to do"],
            diagnostics.map(({ where, what, value, limit, state, advice }) =>
              [where, what, value, limit, state, advice].map(escaped),
            ),
          ).join("\n"),
        ]
      : []),
    ...sections.flatMap(({ title: name, blocks }) => [`## ${escaped(name)}`, ...blocks.map(formatBlock)]),
  ].join("\n\n")}\n`;
}

const listText = (items: readonly string[]): string => items.map((item) => `- ${escaped(item)}`).join("\n");

function formatBlock(block: Block): string {
  if (block.kind === "words") return block.paragraphs.map(escaped).join("\n\n");
  if (block.kind === "list") return listText(block.items);
  const origin = `<sub>${originInWords(block.origin)}</sub>`;
  if (block.kind === "picture") {
    return [`![${block.name}](${FOLDER}/${fileName(block.name)})`, escaped(block.caption), origin].join("\n\n");
  }
  if (block.kind === "table") {
    return [`### ${escaped(block.title)}`, ...(block.note ? [escaped(block.note)] : []), tableText(block), origin].join(
      "\n\n",
    );
  }
  const { picture, name, title, caption, header, body } = block;
  return [
    `### ${escaped(title)}`,
    picture.kind === "svg"
      ? `![${title}](${FOLDER}/${fileName(`${name}.svg`)})`
      : `\`\`\`text\n${picture.text.trimEnd()}\n\`\`\``,
    escaped(caption),
    tableText({ header, body }),
    origin,
  ].join("\n\n");
}

function tableText({ header, body, best = [] }: Pick<Table, "header" | "body" | "best">): string {
  const isBest = (row: number, column: number) => best.some(([r, c]) => r === row && c === column);
  const cells = body.map((row, r) =>
    row.map((cell, c) => (isBest(r, c) ? `**${escaped(formatCell(cell))}**` : escaped(formatCell(cell)))),
  );
  return markdownTable(header.map(escaped), cells).join("\n");
}

/** Words that Markdown would take for marks. */
const escaped = (text: string) => text.replace(/[\\*_|<>]/g, "\\$&");
