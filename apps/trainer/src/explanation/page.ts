import { readFileSync } from "node:fs";
import type { EpisodeExplanation } from "./explanation.ts";

/** The page's own files: beside the source, and beside the build. */
const FILES = new URL(import.meta.url.endsWith(".ts") ? "../../page/" : "../page/", import.meta.url);

/** Its scripts, each before those that need it. */
const SCRIPTS = ["words", "scales", "pictures", "state", "dom", "strips", "curve", "panel", "lists", "main"];

/** One page that replays the episode: a document that needs nothing but itself. */
export function formatPage(explanation: EpisodeExplanation): string {
  const parts: Readonly<Record<string, string>> = {
    title: explanation.title.replaceAll("&", "&amp;").replaceAll("<", "&lt;"),
    style: pageFile("page.css"),
    // No "</script>" can end it early.
    data: JSON.stringify(explanation).replaceAll("<", "\\u003c"),
    script: script(),
  };
  // Comments and a string, so that the template is a document by itself.
  return pageFile("page.html").replace(/(?:\/\* |")?@(title|style|data|script)(?: \*\/|")?/g, (_, name) => parts[name]);
}

/** The scripts as one: modules that name all they share alike need no imports once they stand together. */
const script = (): string =>
  SCRIPTS.map((name) =>
    pageFile(`${name}.js`)
      .replace(/^import [^;]*;\n/gm, "")
      .replace(/^export /gm, ""),
  ).join("\n");

/** Text of a file of the pages. */
export const pageFile = (file: string): string => readFileSync(new URL(file, FILES), "utf8");
