import type { Diagnostic } from "../diagnostics/limits.ts";
import { pageFile } from "../explanation/page.ts";
import { themed } from "../svg.ts";
import { type Cell, formatCell, formatInterval } from "../terminal/table.ts";
import { type Block, type Claim, type Document, type Origin, originInWords, type Table } from "./document.ts";

/** The report as one document that needs nothing but itself: no network, no scripts. */
export function formatHtml(document: Document): string {
  const { title, summary, claims, diagnostics, sections } = document;
  const parts = [
    {
      id: "summary",
      title: "Summary",
      html: listHtml(summary),
    },
    ...(claims.length > 0 ? [{ id: "claims", title: "Against the paper", html: claimsTable(claims) }] : []),
    ...(diagnostics.length > 0
      ? [{ id: "diagnostics", title: "Diagnostics", html: diagnosticsTable(diagnostics) }]
      : []),
    ...sections.map(({ title: name, blocks }, i) => ({
      id: `section-${i + 1}`,
      title: name,
      html: blocksHtml(blocks),
    })),
  ];
  const contents = parts.map(({ id, title: name }) => `<li><a href="#${id}">${text(name)}</a></li>`).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${text(title)}</title>
<style>
${pageFile("report.css")}</style>
</head>
<body>
<header><h1>${text(title)}</h1></header>
<nav aria-label="Contents"><h2>Contents</h2><ol>
${contents}
</ol></nav>
<main>
${parts.map(({ id, title: name, html }) => `<section aria-labelledby="${id}"><h2 id="${id}">${text(name)}</h2>\n${html}\n</section>`).join("\n")}
</main>
</body>
</html>
`;
}

const listHtml = (items: readonly string[]): string =>
  `<ul>${items.map((item) => `<li>${text(item)}</li>`).join("\n")}</ul>`;

/** Scenes that follow each other stand side by side. */
function blocksHtml(blocks: readonly Block[]): string {
  const lines: string[] = [];
  let inScenes = false;
  for (const block of blocks) {
    if ((block.kind === "scene") !== inScenes) {
      inScenes = !inScenes;
      lines.push(inScenes ? '<h3>The most critical moments</h3>\n<div class="scenes">' : "</div>");
    }
    lines.push(blockHtml(block));
  }
  if (inScenes) lines.push("</div>");
  return lines.join("\n");
}

function blockHtml(block: Block): string {
  if (block.kind === "words") return block.paragraphs.map((words) => `<p>${text(words)}</p>`).join("\n");
  if (block.kind === "list") return listHtml(block.items);
  if (block.kind === "table") return tableHtml(block);
  if (block.kind === "picture") {
    return `<figure>${inline(block.svg, block.caption)}<figcaption>${text(block.caption)}${originHtml(block.origin)}</figcaption></figure>`;
  }
  const { picture, title, caption, header, body, origin } = block;
  const shown =
    picture.kind === "svg"
      ? `<img alt="The world before the decision" src="data:image/svg+xml;base64,${Buffer.from(picture.text).toString("base64")}">`
      : `<pre>${text(picture.text)}</pre>`;
  return `<figure class="scene"><h4>${text(title)}</h4>${shown}<p>${text(caption)}</p>${grid({ header, body })}<figcaption>${originHtml(origin)}</figcaption></figure>`;
}

const tableHtml = (table: Table): string =>
  `<figure><h3>${text(table.title)}</h3>${table.note ? `<p class="quiet">${text(table.note)}</p>` : ""}${grid(table)}<figcaption>${originHtml(table.origin)}</figcaption></figure>`;

function grid({ header, body, best = [] }: Pick<Table, "header" | "body" | "best">): string {
  const isBest = (row: number, column: number) => best.some(([r, c]) => r === row && c === column);
  const isWords = header.map((_, c) => body.some((row) => typeof row[c] === "string" && row[c] !== ""));
  const head = header
    .map((name, c) =>
      name === "" ? "<td></td>" : `<th scope="col"${isWords[c] ? "" : ' class="number"'}>${text(name)}</th>`,
    )
    .join("");
  const rows = body.map(
    (row, r) => `<tr>${row.map((cell, c) => cellHtml(cell, c, isWords[c], isBest(r, c))).join("")}</tr>`,
  );
  return `<div class="scroll" tabindex="0" role="group" aria-label="table"><table><thead><tr>${head}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table></div>`;
}

function cellHtml(cell: Cell, column: number, isWords: boolean, isBest: boolean): string {
  const words = text(formatCell(cell));
  const shown = isBest ? `<strong>${words}</strong>` : words;
  if (column === 0 && typeof cell === "string") return `<th scope="row">${shown}</th>`;
  return isWords ? `<td>${shown}</td>` : `<td class="number">${shown}</td>`;
}

/** A sign beside the word, so that colour alone tells nothing. */
const SIGNS = {
  reproduced: "✓",
  "not reproduced": "✗",
  "not comparable": "~",
  fine: "✓",
  warning: "!",
  unknown: "?",
} as const;

const badge = (word: keyof typeof SIGNS): string =>
  `<span class="badge ${word.replace(" ", "-")}"><span aria-hidden="true">${SIGNS[word]}</span> ${word}</span>`;

function claimsTable(claims: readonly Claim[]): string {
  const rows = claims.map(
    ({ source, where, figure, claim, measured, verdict, why }) =>
      `<tr><th scope="row">${text(source)}: ${text(where)}</th><td>${text(figure)}</td><td>${text(claim)}</td><td class="interval">${text(measured ? formatInterval(measured) : "n/a")}</td><td>${badge(verdict)}</td><td>${text(why)}</td></tr>`,
  );
  return plainTable(["where", "figure", "the paper", "measured", "verdict", "why"], rows);
}

/** What is wrong or unknown first; what is fine is there for those who ask. */
function diagnosticsTable(diagnostics: readonly Diagnostic[]): string {
  const order = { warning: 0, unknown: 1, fine: 2 };
  const tableOf = (some: readonly Diagnostic[]) =>
    plainTable(
      ["where", "figure", "value", "wrong where", "state", "what to do"],
      some.map(
        ({ where, what, value, limit, state, advice }) =>
          `<tr><th scope="row">${text(where)}</th><td>${text(what)}</td><td>${text(value)}</td><td>${text(limit)}</td><td>${badge(state)}</td><td>${text(advice)}</td></tr>`,
      ),
    );
  const told = diagnostics.filter(({ state }) => state !== "fine").sort((a, b) => order[a.state] - order[b.state]);
  const fine = diagnostics.filter(({ state }) => state === "fine");
  return [
    ...(told.length > 0 ? [tableOf(told)] : []),
    ...(fine.length > 0
      ? [`<details><summary>${fine.length} figures within their limits</summary>${tableOf(fine)}</details>`]
      : []),
  ].join("\n");
}

const plainTable = (header: readonly string[], rows: readonly string[]): string =>
  `<div class="scroll" tabindex="0" role="group" aria-label="table"><table class="words"><thead><tr>${header.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table></div>`;

const originHtml = (origin: Origin): string =>
  `<span class="origin">${text(originInWords(origin)).replace(/`([^`]*)`/g, "<code>$1</code>")}</span>`;

/** In the colours of the page; what it shows is said to those who cannot see it. */
const inline = (svg: string, caption: string): string =>
  // Labels of its parts are of no use within a picture.
  themed(svg.trim().replace(/ aria-(label|hidden|description)="[^"]*"/g, "")).replace(
    /^<svg /,
    `<svg role="img" aria-label="${text(caption)}" `,
  );

/** Minus signs as they are set; nothing is a mark. */
const text = (words: string): string =>
  words
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replace(/(^|[\s[(])-(?=\d)/g, "$1−");
