import { describe, expect, it } from "@jest/globals";
import { ILLEGAL, maskedLogSoftmax } from "./distributions/categorical.ts";
import { isOver, type MakeEnvironment } from "./environment.ts";
import { type Episode, episodeReturn } from "./episode.ts";
import { play } from "./play.ts";
import type { Policy } from "./policy.ts";
import { gatherers } from "./testing/planted/gatherers.ts";
import { nim } from "./testing/planted/nim.ts";

/** Prefers higher actions by `lean` each; 0 is uniform. Three actions. */
const leaning = (lean: number): Policy => ({
  evaluate({ count, legal }, parameters, values) {
    for (let row = 0; row < count; row++) {
      for (let a = 0; a < 3; a++) parameters[3 * row + a] = lean * a;
      maskedLogSoftmax(parameters, 3 * row, legal, 3 * row, 3);
    }
    values.fill(0, 0, count);
  },
});

/** Takes the highest (or lowest) legal action for sure. */
const sure = (highest: boolean): Policy => ({
  evaluate({ count, legal }, parameters) {
    parameters.fill(ILLEGAL, 0, 3 * count);
    for (let row = 0; row < count; row++) {
      const mask = legal.subarray(3 * row, 3 * row + 3);
      parameters[3 * row + (highest ? mask.lastIndexOf(1) : mask.indexOf(1))] = 0;
    }
  },
});

/** Plays the recorded actions again. */
function replay(
  make: MakeEnvironment,
  episode: Episode,
): Pick<Episode, "acting" | "rewards" | "terminated" | "truncated"> {
  const world = make();
  world.reset(episode.seed);
  const acting: number[] = [];
  const rewards: number[] = [];
  const wide = episode.actions.length / episode.ticks;
  for (let t = 0; t < episode.ticks; t++) {
    acting.push(...world.acting);
    world.step(episode.actions.subarray(t * wide, (t + 1) * wide));
    rewards.push(...world.rewards);
  }
  expect(isOver(world)).toBe(true);
  const { terminated, truncated } = world;
  return { acting: Uint8Array.from(acting), rewards: Float64Array.from(rewards), terminated, truncated };
}

const worlds = Object.entries({ gatherers, nim });

describe.each(worlds)("play of %s", (_name, make) => {
  const options = { make, policies: [leaning(0), leaning(0.5)], episodes: 11, seed: 3 };
  const episodes = play(options);

  it.each([1, 2, 7, 11, 64])("gives the same episodes with %p copies", (copies) => {
    expect(play({ ...options, copies })).toEqual(episodes);
  });

  it("gives episodes that can be replayed from seed and actions", () => {
    for (const episode of episodes) expect(episode).toMatchObject(replay(make, episode));
  });

  it("names episodes by root seed and number alone: more episodes begin with the same ones", () => {
    expect(play({ ...options, episodes: 4 })).toEqual(episodes.slice(0, 4));
    expect(play({ ...options, seed: 4 })).not.toEqual(episodes);
    expect(new Set(episodes.map(({ seed }) => seed)).size).toBe(episodes.length);
  });

  it("records zeros for who does not act", () => {
    for (const { acting, actions } of episodes) {
      expect(actions).toHaveLength(acting.length);
      expect(actions.every((action, i) => acting[i] === 1 || action === 0)).toBe(true);
    }
  });
});

describe("play", () => {
  it("seats policy i at agent i", () => {
    // First takes one stone, second as many as it may.
    const episodes = play({ make: nim, policies: [sure(false), sure(true)], episodes: 40, seed: 1 });
    const bySize = new Map(episodes.map((episode) => [episode.seed % 3, episode]));
    // Seven stones: 1 3 1 2, and second has won. Actions are one less than stones; zeros where one waits.
    expect(bySize.get(0)).toMatchObject({
      ticks: 4,
      actions: Float32Array.of(0, 0, 0, 2, 0, 0, 0, 1),
      acting: Uint8Array.of(1, 0, 0, 1, 1, 0, 0, 1),
      rewards: Float64Array.of(0, 0, 0, 0, 0, 0, -1, 1),
      terminated: Uint8Array.of(1, 1),
      truncated: Uint8Array.of(0, 0),
    });
    // Nine stones: 1 3 1 3 1, and first has won.
    expect(bySize.get(2)).toMatchObject({ ticks: 5, rewards: Float64Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, -1) });
  });

  it("keeps what an episode held when its copy plays on", () => {
    const [first] = play({ make: gatherers, policies: [sure(false), sure(false)], episodes: 3, seed: 0, copies: 1 });
    // Nobody moves, so nobody eats: the clock ends it at tick 8.
    expect(first).toMatchObject({ ticks: 8, terminated: Uint8Array.of(0, 0), truncated: Uint8Array.of(1, 1) });
    expect(first.rewards).toEqual(new Float64Array(16));
  });

  it("draws with the policies' probabilities", () => {
    // At the start of nim all three moves are open to the first: one in three each. 3000 draws, five deviations of √(n/3·2/3).
    const episodes = play({ make: nim, policies: [leaning(0), leaning(0)], episodes: 3000, seed: 9 });
    for (const action of [0, 1, 2]) {
      const count = episodes.filter(({ actions }) => actions[0] === action).length;
      expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt((3000 / 3) * (2 / 3)));
    }
  });

  it("refuses to play no episodes, on no copies, or with a seat empty", () => {
    const options = { make: nim, policies: [leaning(0), leaning(0)], episodes: 1, seed: 0 };
    expect(() => play({ ...options, episodes: 0 })).toThrow("[core/play] episodes must be a whole number ≥ 1, got 0");
    expect(() => play({ ...options, copies: 0 })).toThrow("[core/vectorize] copies must be a whole number ≥ 1, got 0");
    expect(() => play({ ...options, policies: [leaning(0)] })).toThrow(
      "[core/play] needs one policy per agent, 2 of them; got 1",
    );
  });
});

describe("episodeReturn", () => {
  it("sums one agent's column", () => {
    const episode: Episode = {
      seed: 0,
      ticks: 3,
      acting: new Uint8Array(6),
      actions: new Float32Array(6),
      rewards: Float64Array.of(1, 10, 2, 20, 3, 30),
      terminated: new Uint8Array(2),
      truncated: new Uint8Array(2),
    };
    expect([episodeReturn(episode, 0), episodeReturn(episode, 1)]).toEqual([6, 60]);
    expect(episodeReturn({ ...episode, ticks: 2 }, 1)).toBe(30);
  });
});
