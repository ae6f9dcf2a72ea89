import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import axe from "axe-core";
import { parseHTML } from "linkedom";
import { type Browser, chromium } from "playwright-core";
import { writeReport } from "../src/report/report.ts";
import { magicMask, runFolderIn, SMALL, temporaryFolder } from "./command-line.ts";

const CHROMIUM = [
  process.env.MAGIC_MASK_CHROMIUM ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find(existsSync);
const inBrowser = CHROMIUM ? describe : describe.skip;
const lack = CHROMIUM ? "" : " (skipped: no Chromium here; MAGIC_MASK_CHROMIUM may name one)";

/** A comparison that is kept with the program. */
const COMPARED = fileURLToPath(new URL("../../../results/compare/connect_four_v0", import.meta.url));

const interval = (estimate: number) => ({ estimate, low: estimate - 0.1, high: estimate + 0.1 });

/** The folder of a study that says little, with a mark of HTML in its words. */
function studyFolder(): string {
  const folder = temporaryFolder();
  const results = {
    format: 1,
    study: { id: "tiny", question: "Is a < b & c?", claim: "it is", version: 1 },
    size: "quick",
    command: 'magic-mask study tiny --axis x="1"',
    commit: "0123456789abcdef",
    machine: { cpu: "none", cpus: 1 },
    plan: { axes: { environment: ["w"], seed: [1, 2] }, worlds: [] },
    ledger: { training: 0, truth: 0, learning: 0, judging: 0 },
    report: {
      tables: [
        { title: "t", note: "", header: ["arm", "figure"], body: [["a", { estimate: null, low: null, high: null }]] },
      ],
      judgements: [
        { where: "w", claim: "twice", figure: "ratio", measured: interval(2), verdict: "reproduced", why: "so it is" },
        { where: "v", claim: "twice", figure: "ratio", measured: null, verdict: "not comparable", why: "failed" },
      ],
      sentences: ["It is <so>."],
      pictures: ["p.svg"],
    },
    failures: [{ what: "trials of v", tries: 2, error: "broken" }],
    digest: "d1g",
  };
  writeFileSync(join(folder, "study.json"), JSON.stringify(results));
  writeFileSync(
    join(folder, "p.svg"),
    '<svg style="background:white" viewBox="0 0 9 9"><path stroke="#0072b2" d="M0 0h9"/></svg>',
  );
  const moment = {
    ...{ environment: "w", policy: "policy 1", agent: "a", step: 3, perturbation: "uniform", picked: "at random" },
    effect: { ...interval(1), rollouts: 8 },
    alternatives: [{ label: "left", action: [0], ...interval(0), probability: 1, perturbation: 0.5, taken: true }],
    picture: { kind: "text", text: "a <board>" },
  };
  writeFileSync(join(folder, "moments.json"), JSON.stringify({ moments: [moment] }));
  return folder;
}

describe("magic-mask report", () => {
  const out = join(temporaryFolder(), "report");
  let run = "";
  let html = "";
  let text = "";
  let printed: Awaited<ReturnType<typeof writeReport>>;

  beforeAll(async () => {
    const runs = temporaryFolder();
    await magicMask("train", ...SMALL, "--total-timesteps=1000", `--out=${runs}`);
    run = runFolderIn(runs);
    const { stdout, stderr, code } = await magicMask("report", studyFolder(), COMPARED, run, `--out=${out}`, "--json");
    expect([code, stderr]).toEqual([0, ""]);
    printed = JSON.parse(stdout);
    html = readFileSync(printed.page, "utf8");
    text = readFileSync(printed.markdown, "utf8");
  }, 60_000);

  it("says what it is about, claim by claim, and where it lies", () => {
    expect(printed.sources.map(({ kind }) => kind)).toEqual(["study", "comparison", "run"]);
    expect(printed.summary[0]).toBe("3 comparisons with the paper: 2 reproduced, 0 not reproduced, 1 not comparable.");
    expect(printed.claims.map(({ source, verdict }) => [source, verdict])).toEqual([
      ["tiny", "reproduced"],
      ["tiny", "not comparable"],
      ["comparison connect_four_v0", "reproduced"],
    ]);
    expect(printed.diagnostics.some(({ what }) => what === "kl/update, largest")).toBe(true);
    expect(readdirSync(out).sort()).toEqual(["pictures", "report.html", "report.md"]);
  });

  it("is one page with a table of contents, and every figure with what made it", () => {
    const { document } = parseHTML(html);
    const anchors = [...document.querySelectorAll("nav a")].map((a) => a.getAttribute("href"));
    expect(anchors.length).toBeGreaterThanOrEqual(6);
    for (const anchor of anchors) expect(document.querySelector(anchor as string)?.tagName).toBe("H2");
    const figures = [...document.querySelectorAll("figure")];
    expect(figures.length).toBeGreaterThan(8);
    for (const figure of figures) {
      const origin = figure.querySelector(".origin")?.textContent ?? "";
      expect(origin).toMatch(/magic-mask .*; (seeds?|policies) .*; commit .*; digest \S+/);
    }
    expect(document.querySelectorAll("script, link, [src^=http]")).toHaveLength(0);
    expect(document.querySelector(".scene pre")?.textContent).toBe("a <board>");
    expect(html).toContain("It is &lt;so&gt;.");
  });

  it("sets in bold only what is surely best", () => {
    const { document } = parseHTML(html);
    // At 100,000 steps nobody is apart from everybody; random and its like are never bold.
    const bold = [...document.querySelectorAll("strong")].map(
      (cell) => cell.closest("tr")?.querySelector("th")?.textContent,
    );
    for (const name of bold) expect(["random", "gradient_policy", "gradient_value"]).not.toContain(name);
  });

  it("is a text, too, with its pictures beside it", () => {
    const pictures = [...text.matchAll(/!\[[^\]]*\]\(pictures\/([^)]+)\)/g)].map(([, name]) => name);
    expect(pictures.length).toBeGreaterThan(4);
    expect(readdirSync(join(out, "pictures")).sort()).toEqual([...new Set(pictures)].sort());
    expect(pictures).toHaveLength(new Set(pictures).size);
    expect(text).toContain("| arm | figure |\n| --- | --- |\n| a | n/a |");
    expect(text).toContain("Failed after 2 tries: trials of v: broken");
  });

  it("refuses what is no such folder, before it writes", async () => {
    const to = join(temporaryFolder(), "to");
    const empty = temporaryFolder();
    await expect(writeReport([empty], to)).rejects.toThrow("it holds none of them");
    await expect(writeReport([run, run], to)).rejects.toThrow("is named twice");
    mkdirSync(join(empty, "x"));
    writeFileSync(join(empty, "x", "compare.json"), "{");
    await expect(writeReport([join(empty, "x")], to)).rejects.toThrow("is not JSON");
    writeFileSync(join(empty, "x", "compare.json"), "{}");
    await expect(writeReport([join(empty, "x")], to)).rejects.toThrow('has no "plan"');
    expect(existsSync(to)).toBe(false);
  });

  inBrowser(`its page${lack}`, () => {
    let browser: Browser;
    let small = "";
    beforeAll(async () => {
      // Every kind of block in few: looking for barriers takes seconds where there is much of each.
      small = (await writeReport([studyFolder(), run], join(temporaryFolder(), "small"))).page;
      // As root there is no sandbox to be had.
      browser = await chromium.launch({ executablePath: CHROMIUM as string, args: ["--no-sandbox"] });
    });
    afterAll(() => browser?.close());

    it.each([
      ["light", 1100],
      ["dark", 375],
    ] as const)("has no serious barrier, and asks nothing of a network: %s, %d px", async (colorScheme, width) => {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("request", (request) => {
        if (!/^(file|data):/.test(request.url())) complaints.push(request.url());
      });
      await page.goto(pathToFileURL(small).href);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
      expect(await page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")).toBe(true);
      // Lines take the colours of the page.
      const stroke = await page.evaluate(
        "getComputedStyle(document.querySelector('figure > svg path[stroke]')).stroke",
      );
      expect(stroke).toBe(colorScheme === "dark" ? "rgb(90, 180, 234)" : "rgb(0, 114, 178)");
      await page.evaluate(axe.source);
      const { violations } = (await page.evaluate("axe.run()")) as {
        violations: { id: string; impact: string; nodes: { html: string }[] }[];
      };
      const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
      expect(serious.map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 200))])).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });
});
