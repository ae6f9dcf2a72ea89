import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { replayFixture } from "../conformance.ts";

const read = (name: string) =>
  JSON.parse(
    gunzipSync(readFileSync(fileURLToPath(new URL(`../../fixtures/${name}.json.gz`, import.meta.url)))).toString(),
  );

describe.each(["mpe_simple_spread", "mpe_simple_tag"])("%s", (name) => {
  const file = read(name);
  const replay = (episodes: unknown[]) => replayFixture({ ...file, episodes });
  const ofKind = (kind: string) => file.episodes.find((episode: { kind: string }) => episode.kind === kind);

  it("is replayed in every recorded episode", () => {
    expect(replayFixture(file)).toEqual({ oracle: file.header.oracle, passed: 40, failed: 0, failures: [] });
  });

  it("is not what it was with a change in any column, at the start and at the end", () => {
    for (const episode of [ofKind("random"), ofKind("clustered"), ofKind("cont")]) {
      const last = episode.steps.length - 1;
      const numbers: [string, number][] = [
        ["p", 1e-11],
        ["v", 1e-11],
        ["r", 1e-11],
        ["o", 1e-5],
      ];
      const changed = [0, last].flatMap((t) => {
        const step = episode.steps[t];
        const withStep = (changes: object) => ({ ...episode, steps: episode.steps.with(t, { ...step, ...changes }) });
        return [
          ...numbers.flatMap(([column, by]) =>
            [0, step[column].length - 1].map((i) =>
              withStep({
                [column]: step[column].with(i, step[column][i] + by * Math.max(1, Math.abs(step[column][i]))),
              }),
            ),
          ),
          ...["te", "tr"].map((column) =>
            withStep({ [column]: (step[column][0] === "1" ? "0" : "1") + step[column].slice(1) }),
          ),
          withStep({ te: `${step.te}0` }),
          withStep({
            a: Array.isArray(step.a[0]) ? step.a.with(0, [0, 0, 0.5, 0.25, 1]) : step.a.with(0, (step.a[0] + 1) % 5),
          }),
        ];
      });
      changed.push(
        { ...episode, agents: episode.agents.toReversed() },
        { ...episode, obsDims: episode.obsDims.with(0, 3) },
        { ...episode, o0: episode.o0.with(2, episode.o0[2] + 1e-5) },
        { ...episode, init: { ...episode.init, agents: episode.init.agents.with(0, [0.3, 0.3]) } },
        { ...episode, init: { ...episode.init, landmarks: [] } },
        { ...episode, init: { ...episode.init, vel: episode.init.agents } },
        { ...episode, kwargs: { ...episode.kwargs, max_cycles: 24 } },
        { ...episode, kwargs: { ...episode.kwargs, num_agent_neighbors: 1 } },
        { ...episode, kwargs: { ...episode.kwargs, moon: true } },
      );
      expect(replay([episode]).failed).toBe(0);
      changed.forEach((one, i) => {
        expect([i, replay([one]).failed]).toEqual([i, 1]);
      });
    }
  });

  it("takes options that only draw, and fails what makes no sense", () => {
    const episode = ofKind("random");
    expect(replay([{ ...episode, kwargs: { render_mode: null, dynamic_rescaling: false } }]).failed).toBe(0);
    const odd = [
      null,
      {},
      { ...episode, steps: [] },
      { ...episode, steps: [{ a: [0] }] },
      { ...episode, init: {} },
      { ...episode, o0: 3 },
    ];
    expect(replay(odd)).toMatchObject({ passed: 0, failed: odd.length });
  });
});

it("knows the curriculum's factor and the nearest k from the recorded options", () => {
  const tag = read("mpe_simple_tag");
  const curriculum = tag.episodes.find((episode: { kind: string }) => episode.kind === "curriculum0");
  expect(replayFixture({ ...tag, episodes: [{ ...curriculum, kwargs: {} }] }).failed).toBe(1);
  const spread = read("mpe_simple_spread");
  const partial = spread.episodes.find((episode: { kind: string }) => episode.kind === "partial-obs");
  expect(replayFixture({ ...spread, episodes: [{ ...partial, kwargs: { N: 4 } }] }).failed).toBe(1);
});
