import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, it } from "@jest/globals";
import { replayFixture } from "../conformance.ts";

const path = fileURLToPath(new URL("../../fixtures/pendulum.json.gz", import.meta.url));
const file = JSON.parse(gunzipSync(readFileSync(path)).toString());
const replay = (episodes: unknown[]) => replayFixture({ ...file, episodes });

it("replays every recorded episode of Pendulum", () => {
  expect(replayFixture(file)).toEqual({ oracle: file.header.oracle, passed: 10, failed: 0, failures: [] });
});

it("notices a change in any column, in float32 and in float64, and the wrong one of these", () => {
  for (const episode of [file.episodes[0], file.episodes[1]]) {
    const T = episode.states.length;
    const other = { float32: "float64", float64: "float32" }[episode.actionDtype as "float32"];
    const last = T - 1;
    const changed = [
      { ...episode, actionDtype: other },
      { ...episode, init: [episode.init[0] + 1e-9, episode.init[1]] },
      ...[0, last].flatMap((t) => [
        { ...episode, actions: episode.actions.with(t, 0.125) },
        { ...episode, rewards: episode.rewards.with(t, episode.rewards[t] + 1e-9) },
        {
          ...episode,
          truncated: episode.truncated.slice(0, t) + "10"[t === 0 ? 0 : 1] + episode.truncated.slice(t + 1),
        },
        ...[0, 1].map((i) => ({
          ...episode,
          states: episode.states.with(t, episode.states[t].with(i, episode.states[t][i] + 1e-11)),
        })),
        ...[0, 1, 2].map((i) => ({
          ...episode,
          obs: episode.obs.with(t, episode.obs[t].with(i, episode.obs[t][i] * (1 + 4e-7))),
        })),
      ]),
    ];
    for (const one of changed) expect(replay([one])).toMatchObject({ passed: 0, failed: 1 });
  }
});

it("forgives a float32 square that is one off, as NumPy's now and then is, and not many of them", () => {
  const episode = file.episodes[1];
  const off = (steps: number[]) => ({
    ...episode,
    rewards: episode.rewards.map((reward: number, t: number) => reward + (steps.includes(t) ? 2e-10 : 0)),
  });
  expect(replay([off([5, 50, 150])]).failed).toBe(0);
  expect(replay([off([5, 50, 150, 151])]).failed).toBe(1);
});

it("fails what makes no sense", () => {
  const [episode] = file.episodes;
  const odd = [
    null,
    {},
    { ...episode, actions: [] },
    { ...episode, init: [1] },
    { ...episode, actionDtype: "float16" },
    { ...episode, obs: episode.obs.with(3, [1]) },
  ];
  expect(replay(odd)).toMatchObject({ passed: 0, failed: odd.length });
});
