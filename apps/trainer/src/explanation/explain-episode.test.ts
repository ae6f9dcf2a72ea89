import { describe, expect, it } from "@jest/globals";
import type { Explainer } from "@magic-mask/core";
import { planted, plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { uniform } from "@magic-mask/masking";
import { formatExplanation } from "../terminal/report.ts";
import { explainEpisode } from "./explain-episode.ts";
import { formatMarkdown } from "./markdown.ts";
import { formatPage } from "./page.ts";
import type { Subject } from "./subject.ts";

const spec = planted();
/** Two agents with three locks each, whose keys the policy knows. */
const subjectWith = (explainer: Explainer, range = spec.returnRange): Subject => ({
  world: {
    make: () => ({ ...planted(), returnRange: range }),
    spec: { ...spec, returnRange: range },
    perturbations: spec.actionSpaces.map(uniform),
  },
  policies: [plantedOptimal(), plantedOptimal()],
  masks: [explainer, explainer].map((each) => ({ explainer: each, mask: (_, out) => void out.fill(0.5) })),
  critics: [1, 2].map((value) => ({ values: (_, count, out) => void out.fill(value, 0, count) })),
  discount: 1,
  source: { run: "by hand", environment: { id: spec.id, options: {} }, seed: 3, hash: null },
});
const options = {
  game: 1,
  moments: 5,
  rollouts: 8,
  by: "mask",
  command: "magic-mask explain by-hand --rollouts 8",
} as const;
const explain = (subject: Subject, asked: object = {}) => explainEpisode(subject, { ...options, ...asked }).explanation;

describe("explainEpisode, where the truth is known", () => {
  const explanation = explain(subjectWith(plantedCriticality()));

  it("measures the locks exactly, finds them significant and nothing else", () => {
    for (const agent of explanation.agents) {
      expect(agent.decisions).toHaveLength(24);
      expect(agent.moments.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5]);
      agent.moments.forEach(({ effect, significant, share, size }, i) => {
        // The right key pays 1, one of four at random ¼; luck is the same in all branches.
        expect(effect.estimate).toBeCloseTo(i < 3 ? 0.75 : 0, 5);
        expect(effect.high - effect.low).toBeCloseTo(0, 5);
        // All eight rollouts say the same: p is 2⁻⁷, and of 10 moments, 5 per agent, 6 have it: 2⁻⁷ · 10/6.
        expect(effect.rollouts).toBe(8);
        expect(effect.p).toBeCloseTo(i < 3 ? 2 ** -7 : 1, 5);
        expect(effect.adjusted).toBeCloseTo(i < 3 ? (2 ** -7 * 10) / 6 : 1, 5);
        expect(significant).toBe(i < 3);
        // Returns lie between −24 · ¼ and 6 + 24 · ¼: .75 is a share of .75 / 18.
        expect(share).toBeCloseTo(i < 3 ? 0.75 / 18 : 0, 5);
        expect(size).toBe(0);
      });
    }
  });

  it("says what the agent did, and what each action was worth", () => {
    for (const { moments, decisions } of explanation.agents) {
      const [{ alternatives, step }] = moments;
      const taken = alternatives.filter((each) => each.taken);
      expect(taken).toHaveLength(1);
      expect(taken[0].label).toBe(decisions[step].taken.label);
      expect(taken[0].probability).toBeCloseTo(1, 5);
      for (const each of alternatives) {
        expect(each.perturbation).toBeCloseTo(0.25, 5);
        expect(taken[0].estimate - each.estimate).toBeCloseTo(each.taken ? 0 : 1, 5);
      }
    }
  });

  it("shows what a list of decisions picked at random would have cost", () => {
    for (const { baseline } of explanation.agents) {
      const effects = baseline.moments.map(({ effect }) => effect.estimate);
      for (const effect of effects) expect(Math.min(Math.abs(effect), Math.abs(effect - 0.75))).toBeLessThan(1e-5);
      expect(baseline.effect?.estimate).toBeCloseTo(
        effects.reduce((sum, effect) => sum + effect / 5, 0),
        5,
      );
      for (const { significant, effect } of baseline.moments) {
        expect(significant).toBe(false);
        expect(effect.adjusted).toBeNull();
      }
    }
  });

  it("marks effects by their share in three classes", () => {
    // .75 of 5, 3 and 2 is .15, .25 and .375.
    const sizeIn = (high: number) => explain(subjectWith(plantedCriticality(), [0, high])).agents[0].moments[0].size;
    expect([5, 3, 2].map(sizeIn)).toEqual([1, 2, 3]);
  });

  it("holds effects against the gap to random play where the rules bound no return", () => {
    const { scale, agents } = explain(subjectWith(plantedCriticality(), null));
    expect(scale).toBe("gap to random play");
    // A player at random opens a quarter of its own 3 locks: 2.25 less, but for luck over 200 games.
    for (const { range } of agents) expect(Math.abs((range as number) - 2.25)).toBeLessThan(0.5);
  });

  it("is the same again, and a measured decision the same whatever else is listed", () => {
    expect(explain(subjectWith(plantedCriticality()))).toEqual(explanation);
    const one = explain(subjectWith(plantedCriticality()), { moments: 1, agent: "agent_1" });
    expect(one.agents[0].moments).toEqual([]);
    expect(one.agents[1].moments[0].alternatives).toEqual(explanation.agents[1].moments[0].alternatives);
  });

  it("is JSON: nothing of it is lost on the way", () => {
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  });

  it("has what the terminal and the report say", () => {
    expect(formatExplanation(explanation)).toContain("The most critical moment of held-out game 1: step");
    // The one with the highest estimate, which is called critical where it was found to be.
    const other = structuredClone(explanation);
    const [high] = other.agents[1].moments;
    Object.assign(high, { estimate: 9 });
    const headed = (words: string) => `${words} of held-out game 1: step ${high.step}, agent_1 to act`;
    expect(formatExplanation(other)).toContain(headed("The most critical moment"));
    Object.assign(high, { significant: false });
    expect(formatExplanation(other)).toContain(headed("The highest estimate"));
    Object.assign(high, { significant: true, effect: { ...high.effect, estimate: -0.5 } });
    expect(formatExplanation(other)).toContain(headed("The highest estimate"));
    const report = formatMarkdown(explanation);
    expect(report).toContain("| 1 | ");
    expect(report).toMatch(/```text\n[^`]+\n```/);
    expect(report).toMatch(
      /Randomising this step costs agent\\_0 0\.75 \\\[0\.75, 0\.75\\\] of return, 4\.2 % of the return range/,
    );
    expect(report.match(/significant \(p = 0\.013\)/g)?.length).toBeGreaterThanOrEqual(12);
  });

  it("says plainly that no step is significant, and what to run", () => {
    const indifferent: Explainer = {
      name: "indifferent",
      score({ observations }, criticality, spread) {
        // Decisions without a dial first: the entries between the wires and the clock.
        criticality[0] = observations.subarray(2, 6).includes(1) ? 0 : 1;
        spread[0] = Number.NaN;
      },
    };
    const empty = explain(subjectWith(indifferent));
    expect(empty.agents[0].decisions[0].spread).toBeNull();
    // Where there is no lock nothing is at stake, and no rollout says otherwise.
    const nothing = "No step mattered: at none of the 10 measured did any of 8 rollouts of any action end otherwise.";
    expect(formatExplanation(empty)).toContain(nothing);
    expect(formatExplanation(empty)).toContain("The highest estimate of held-out game 1: step");
    expect(formatExplanation(empty)).not.toMatch(/most critical|--rollouts/);
    expect(formatMarkdown(empty)).toContain(nothing);

    const doubtful = structuredClone(empty);
    Object.assign(doubtful.agents[0].moments[0].effect, { low: -0.5, high: 0.5 });
    const text = "No step is significant: of 10 measured, none can be told from no effect by 8 rollouts.";
    expect(formatExplanation(doubtful)).toContain(text);
    expect(formatExplanation(doubtful)).toContain("magic-mask explain by-hand --rollouts 264");
    expect(formatMarkdown(doubtful)).toContain(text);
  });

  it("goes by both unless it is told otherwise, and by a look ahead finds the locks whatever the mask says", () => {
    // A mask that holds locks least critical.
    const wrong: Explainer = {
      name: "wrong",
      score({ observations }, criticality, spread) {
        criticality[0] = -plantedScore(observations);
        spread[0] = Number.NaN;
      },
    };
    const plantedScore = (observations: Float32Array) => (observations.subarray(2, 6).includes(1) ? 1 : 0);
    const misled = explain(subjectWith(wrong));
    expect(misled.method.explainer).toBe("wrong");
    for (const { moments } of misled.agents) {
      expect(moments.slice(0, 3).some(({ effect }) => effect.estimate > 0.5)).toBe(false);
    }
    const seen = explain(subjectWith(wrong), { by: "lookahead" });
    expect(seen.method.explainer).toBe("lookahead");
    expect(seen.method.looked).toBeGreaterThan(0);
    // Both: what looking ahead says in the units of return, and as much of what the mask says. The locks are known to both here.
    const agreed = explain(subjectWith(plantedCriticality()), { by: undefined });
    expect(agreed.method.explainer).toBe(`${plantedCriticality().name}+lookahead`);
    for (const { moments } of agreed.agents) {
      for (const { estimate } of moments.slice(0, 3)) expect(estimate).toBeCloseTo(0.75, 1);
    }
    expect(formatExplanation(agreed)).toContain("The mask and a look ahead estimated 0.75");
    for (const { moments } of seen.agents) {
      moments.forEach(({ estimate, effect, spread }, i) => {
        // The right key pays ¾ more than one at random, whatever luck adds to all; what follows depends on nobody.
        expect(estimate).toBeCloseTo(i < 3 ? 0.75 : 0, 1);
        expect(effect.estimate).toBeCloseTo(i < 3 ? 0.75 : 0, 5);
        expect(spread).not.toBeNull();
      });
    }
    expect(formatExplanation(seen)).toContain("Looking ahead estimated 0.75");
    expect(formatMarkdown(seen)).toContain("Estimates by `lookahead`");
  });

  it.each([
    [{ by: "luck" }, 'by must be one of both, lookahead, mask, got "luck"'],
    [{ game: -1 }, "game"],
    [{ moments: 0 }, "moments"],
    [{ rollouts: 1 }, "rollouts"],
    [{ agent: "nobody" }, "it has agent_0, agent_1"],
  ])("refuses %j", (asked, message) => {
    expect(() => explain(subjectWith(plantedCriticality()), asked)).toThrow(message);
  });
});

describe("formatPage", () => {
  const explanation = explain(subjectWith(plantedCriticality()), { moments: 1 });
  const page = formatPage({ ...explanation, title: "a < b & </script> $& c" });
  const between = (start: string, end: string) => page.slice(page.indexOf(start) + start.length).split(end)[0];

  it("holds the whole explanation, safely", () => {
    expect(JSON.parse(between('id="data">', "</script>"))).toEqual({ ...explanation, title: "a < b & </script> $& c" });
    expect(page).toContain("<title>a &lt; b &amp; &lt;/script> $&amp; c</title>");
  });

  it("is one document that asks for nothing", () => {
    expect(page).not.toMatch(/(src|href)=["'](?!data:)/);
    expect(page).not.toMatch(/@import|url\(|https?:\/\/(?!www\.w3\.org)/);
    expect(page).not.toMatch(/@(title|style|data|script)\b/);
  });

  it("has scripts that parse as one, no two of which use one name", () => {
    // A module's body, but for imports, of which there are none.
    expect(() => new Function(`"use strict"; ${between('<script type="module">', "</script>")}`)).not.toThrow();
  });
});

it("shows what the mask says, and that nothing can be measured, where the world cannot be copied", () => {
  const subject = subjectWith(plantedCriticality());
  const { make, spec: about } = subject.world;
  const world = {
    ...subject.world,
    make: () => ({
      ...make(),
      snapshotBytes: 0,
      snapshot() {
        throw new TypeError("there is none");
      },
    }),
    spec: { ...about, snapshotBytes: 0 },
  };
  expect(() => explain({ ...subject, world }, { by: "lookahead" })).toThrow(
    "planted_v0 cannot be copied, so there is no looking ahead",
  );
  const explanation = explain({ ...subject, world }, { by: undefined });
  expect(explanation.method).toMatchObject({ measurable: false, simulated: 0 });
  for (const { decisions, moments, baseline } of explanation.agents) {
    expect([moments, baseline]).toEqual([[], { moments: [], effect: null }]);
    expect(decisions).toHaveLength(24);
  }
  // Three locks at .75 each, then nothing.
  const [highest] = explanation.agents[0].decisions.filter(({ estimate }) => estimate > 0.5);
  for (const text of [formatExplanation(explanation), formatMarkdown(explanation)]) {
    expect(text).toContain("cannot be copied");
    expect(text).not.toContain("measured cost");
    expect(text).toContain(`0.75 at step ${highest.step}`);
  }
  expect(formatPage(explanation)).toContain("cannot be copied");
});
