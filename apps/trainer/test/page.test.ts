import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import type { EpisodeExplanation } from "../src/explanation/explanation.ts";
import { formatPage } from "../src/explanation/page.ts";
import { magicMask, runFolderIn, SMALL, temporaryFolder } from "./command-line.ts";

const CHROMIUM = [
  process.env.MAGIC_MASK_CHROMIUM ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find(existsSync);

const inBrowser = CHROMIUM ? describe : describe.skip;
const lack = CHROMIUM ? "" : " (skipped: no Chromium here; MAGIC_MASK_CHROMIUM may name one)";

inBrowser(`the page of a real run${lack}`, () => {
  const out = temporaryFolder();
  const to = temporaryFolder();
  let browser: Browser;
  let explanation: EpisodeExplanation;
  const complaints: string[] = [];

  beforeAll(async () => {
    // As root there is no sandbox to be had.
    const launched = chromium.launch({ executablePath: CHROMIUM as string, args: ["--no-sandbox"] });
    await magicMask("train", ...SMALL, "--total-timesteps=1000", `--out=${out}`);
    const { stdout } = await magicMask(
      "explain",
      runFolderIn(out),
      ...["--moments=3", "--rollouts=8", `--out=${to}`, "--json"],
    );
    const { page, ...rest } = JSON.parse(stdout);
    expect(page).toBe(join(to, "game-0.html"));
    explanation = rest;
    browser = await launched;
  }, 120_000);

  afterAll(() => browser?.close());

  /** Opens the page. Whatever it says on its console, or asks of a network, is a complaint. */
  async function open(
    hash = "",
    options: Parameters<Browser["newPage"]>[0] = {},
    file = join(to, "game-0.html"),
  ): Promise<Page> {
    const page = await browser.newPage(options);
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(request.url());
    });
    await page.goto(pathToFileURL(file).href + hash);
    return page;
  }

  const hashOf = (page: Page) => page.evaluate("location.hash");
  const textOf = (page: Page, selector: string) => page.locator(selector).textContent();

  it("lies beside the same as JSON and as a report", () => {
    expect(readdirSync(to).sort()).toEqual(["game-0.html", "game-0.json", "game-0.md"]);
    expect(JSON.parse(readFileSync(join(to, "game-0.json"), "utf8"))).toEqual(explanation);
  });

  it("opens at the most critical moment and shows what is known of it", async () => {
    const page = await open();
    const all = explanation.agents.flatMap(({ moments }, agent) => moments.map((moment) => ({ agent, moment })));
    const [{ agent, moment }] = all.sort((a, b) => b.moment.estimate - a.moment.estimate);
    expect(await hashOf(page)).toBe(`#step=${moment.step}&agent=${agent + 1}`);
    const panel = await textOf(page, "#panel");
    expect(panel).toContain(`n = ${moment.effect.rollouts}`);
    expect(panel).toContain(explanation.agents[agent].name);
    for (const { label } of moment.alternatives) expect(panel).toContain(label);
    expect(panel).toContain("(taken)");
    // Tic-Tac-Toe has nine cells; those that are taken are no choices any more.
    expect(await page.locator("#panel tr.illegal").count()).toBe(9 - moment.alternatives.length);
    expect(await page.locator("#picture img").getAttribute("alt")).toBe(`The world at step ${moment.step}`);
    expect(await page.evaluate("document.querySelector('#picture img').naturalWidth > 0")).toBe(true);
    const footer = await textOf(page, "#footer");
    for (const fact of [explanation.source.run, explanation.source.command, explanation.source.hash]) {
      expect(footer).toContain(fact);
    }
  });

  it("moves by keys, and comes back to the same place when it is loaded again", async () => {
    const page = await open("#step=0&agent=1");
    const T = explanation.steps;
    const own = explanation.agents[0].moments.map(({ step }) => step).sort((a, b) => a - b);
    const after = async (key: string) => {
      await page.keyboard.press(key);
      return hashOf(page);
    };
    expect(await after("ArrowRight")).toBe("#step=1&agent=1");
    expect(await after("ArrowLeft")).toBe("#step=0&agent=1");
    expect(await after("End")).toBe(`#step=${T}&agent=1`);
    expect(await textOf(page, "#panel")).toBe("The episode is over.");
    expect(await after("Home")).toBe("#step=0&agent=1");
    expect(await after("n")).toBe(`#step=${own.find((step) => step > 0)}&agent=1`);
    expect(await after("g")).toBe(`#step=${explanation.agents[0].moments[0].step}&agent=1`);
    const place = await after("2");
    expect(place).toMatch(/&agent=2$/);
    const cursor = () => page.locator("#curve .cursor").getAttribute("x1");
    const before = [await textOf(page, "#panel"), await cursor()];
    await page.reload();
    expect(await hashOf(page)).toBe(place);
    expect([await textOf(page, "#panel"), await cursor()]).toEqual(before);
  });

  it("plays to the end, and pauses there", async () => {
    const page = await open("#step=0&agent=1");
    await page.locator("#speed").selectOption("30");
    await page.locator("h1").click();
    await page.keyboard.press("Space");
    expect(await textOf(page, "#play")).toBe("Pause");
    await page.locator("#play", { hasText: "Play" }).waitFor();
    expect(await hashOf(page)).toBe(`#step=${explanation.steps}&agent=1`);
  });

  it("goes where one clicks, in the list and in the strips, and shows under the pointer what a step costs", async () => {
    const page = await open("#step=0&agent=1");
    await page.locator("#moments button").last().click();
    const [last] = explanation.agents.slice(-1);
    const { step, effect } = last.moments[last.moments.length - 1];
    expect(await hashOf(page)).toBe(`#step=${step}&agent=2`);
    const strip = page.locator(".strip svg").first();
    const { width } = (await strip.boundingBox()) ?? { width: 0 };
    await strip.click({ position: { x: width - 20, y: 30 } });
    expect(await hashOf(page)).toMatch(/&agent=1$/);
    const cursor = Number(await page.locator(".strip svg .cursor").nth(2).getAttribute("x1"));
    expect(cursor).toBeGreaterThan(0);
    await page.locator("#moments button").last().click();
    const x = Number(await page.locator(".strip svg .cursor").nth(2).getAttribute("x1"));
    await page
      .locator(".strip svg")
      .nth(2)
      .hover({ position: { x, y: 30 } });
    expect(await textOf(page, "#tip")).toContain(`Step ${step}: Randomising this step costs`);
    expect(await textOf(page, "#tip")).toContain(`n = ${effect.rollouts}`);
  });

  it.each([
    ["light", 1100],
    ["dark", 375],
  ] as const)(
    "has no serious barrier for anybody, nor anything beside the screen: %s, %d px",
    async (colorScheme, width) => {
      const page = await open("", { colorScheme, viewport: { width, height: 800 } });
      await page.locator("#table summary").click();
      // It is written when it is opened, which the browser tells in its own time.
      await page.locator("#table tbody tr").first().waitFor();
      const decisions = explanation.agents.reduce((sum, agent) => sum + agent.decisions.length, 0);
      expect(await page.locator("#table tbody tr").count()).toBe(decisions);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
      await page.evaluate(axe.source);
      const { violations } = (await page.evaluate("axe.run()")) as {
        violations: { id: string; impact: string; nodes: { html: string }[] }[];
      };
      const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
      expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    },
  );

  it("shows text where nobody has drawn the world, numbers where actions are no choices, and says if nothing is significant", async () => {
    const agents = explanation.agents.map((agent) => ({
      ...agent,
      choices: null,
      decisions: agent.decisions.map((each) => ({
        ...each,
        taken: { label: "0.5", action: [0.5] },
        probabilities: [],
      })),
      moments: agent.moments.map((moment) => ({
        ...moment,
        significant: false,
        size: 0 as const,
        alternatives: [0.5, -1.25].map((x, i) => ({
          ...moment.alternatives[i],
          ...{ label: `${x}`, action: [x], probability: null, perturbation: null, taken: i === 0 },
        })),
      })),
    }));
    const pictures = { kind: "text", steps: [0], parts: ["one <b>\n", "two\n"], frames: [[0, 0, 0, 1]] } as const;
    const file = join(to, "numbers.html");
    writeFileSync(file, formatPage({ ...explanation, agents, pictures }));
    const { step } = agents[0].moments[0];
    const page = await open(`#step=${step}&agent=1`, {}, file);
    expect(await textOf(page, "#picture pre")).toBe("one <b>\ntwo\n");
    expect(await page.locator("#picture-note").isVisible()).toBe(step > 0);
    expect(await page.locator("#panel tbody tr").allTextContents()).toEqual([
      expect.stringMatching(/^0\.5 \(taken\).*\[.*\]$/),
      expect.stringMatching(/^-1\.25.*\[.*\]$/),
    ]);
    expect(await textOf(page, "#lack")).toContain("No step is significant.");
    expect(await textOf(page, "#lack")).toContain("--rollouts 264");
  });

  it("has said nothing on its console and asked nothing of a network, in all of that", () => {
    expect(complaints).toEqual([]);
  });
});
