import type { Diagnostic } from "../diagnostics/limits.ts";
import type { Judgement } from "../study/study.ts";
import type { Cell } from "../terminal/table.ts";

/** A report before it is a page or a text: plain data. */
export interface Document {
  readonly title: string;
  /** What it comes to, in plain words; one entry a sentence. */
  readonly summary: readonly string[];
  readonly claims: readonly Claim[];
  readonly diagnostics: readonly Diagnostic[];
  readonly sections: readonly Section[];
}

/** The paper's claim beside what was measured, and where that is from. */
export interface Claim extends Judgement {
  readonly source: string;
}

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export type Block = Words | List | Table | Picture | Scene;

interface Words {
  readonly kind: "words";
  /** A paragraph each. */
  readonly paragraphs: readonly string[];
}

interface List {
  readonly kind: "list";
  readonly items: readonly string[];
}

export interface Table {
  readonly kind: "table";
  readonly title: string;
  /** What one must know to read it; "" for nothing. */
  readonly note: string;
  readonly header: readonly string[];
  readonly body: readonly (readonly Cell[])[];
  /** Cells, by row and column, that are the best beyond doubt. */
  readonly best?: readonly (readonly [row: number, column: number])[];
  readonly origin: Origin;
}

interface Picture {
  readonly kind: "picture";
  /** Of its file. */
  readonly name: string;
  readonly svg: string;
  /** What it shows. */
  readonly caption: string;
  readonly origin: Origin;
}

/** A moment of a world, with what each action was worth. */
export interface Scene {
  readonly kind: "scene";
  readonly name: string;
  /** SVG, or text where nobody has drawn the world. */
  readonly picture: { readonly kind: "svg" | "text"; readonly text: string };
  readonly title: string;
  readonly caption: string;
  readonly header: readonly string[];
  readonly body: readonly (readonly Cell[])[];
  readonly origin: Origin;
}

/** What made a figure. */
export interface Origin {
  readonly command: string;
  readonly seeds: string;
  readonly commit: string | null;
  /** Of what it depends on. */
  readonly digest: string;
}

export const originInWords = ({ command, seeds, commit, digest }: Origin): string =>
  `\`${command}\`; ${seeds}; commit ${commit?.slice(0, 12) ?? "unknown"}; digest ${digest}`;
