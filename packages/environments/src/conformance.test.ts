import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { replayFixture } from "./conformance.ts";

interface Recording {
  header: { oracle: string };
  agents: string[];
  games: { kind: string; steps: unknown[][]; final: number[]; returns: number[] }[];
  positions?: Record<string, number>;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const connect4: Recording = JSON.parse(gunzipSync(readFileSync(here("../fixtures/connect4.json.gz"))).toString());
const cartpole = JSON.parse(gunzipSync(readFileSync(here("../fixtures/cartpole.json.gz"))).toString());
const tictactoe: Recording = JSON.parse(readFileSync(here("../fixtures/tictactoe.json"), "utf8"));

/** A recording with a few games of every kind. */
const few = (file: Recording): Recording => {
  const kinds = new Set(file.games.map(({ kind }) => kind));
  return structuredClone({
    ...file,
    games: [...kinds].flatMap((kind) => file.games.filter((game) => game.kind === kind).slice(0, 2)),
  });
};

describe("replayFixture", () => {
  it("replays every recorded game of Connect Four", () => {
    expect(replayFixture(connect4)).toEqual({ oracle: connect4.header.oracle, passed: 287, failed: 0, failures: [] });
  });

  it("replays every recorded game and position of Tic-Tac-Toe", () => {
    expect(replayFixture(tictactoe)).toEqual({
      oracle: tictactoe.header.oracle,
      passed: 170 + 5478,
      failed: 0,
      failures: [],
    });
  });

  it("replays every recorded episode of CartPole", () => {
    expect(replayFixture(cartpole)).toEqual({ oracle: cartpole.header.oracle, passed: 54, failed: 0, failures: [] });
  });

  it("notices a change in any column of CartPole, at the start and at the end", () => {
    const episodes = ["random", "balanced", "past-termination", "sutton_barto", "edge-x"].map((kind) =>
      cartpole.episodes.find((episode: { kind: string }) => episode.kind === kind),
    );
    const flipAt = (bits: string, t: number) => bits.slice(0, t) + (bits[t] === "1" ? 0 : 1) + bits.slice(t + 1);
    for (const episode of episodes) {
      expect(replayFixture({ ...cartpole, episodes: [episode] }).failed).toBe(0);
      const ends = [0, episode.terminated.includes("1") ? episode.terminated.indexOf("1") : episode.actions.length - 1];
      const changed = ends.flatMap((t) => [
        ...["actions", "terminated", "truncated"].map((column) => ({
          ...episode,
          [column]: flipAt(episode[column], t),
        })),
        { ...episode, rewards: episode.rewards.with(t, 0.5) },
        ...[0, 1, 2, 3].map((i) => ({
          ...episode,
          states: episode.states.with(t, episode.states[t].with(i, episode.states[t][i] + 1e-11)),
        })),
      ]);
      changed.push({ ...episode, init: episode.init.with(3, episode.init[3] + 1e-9) });
      for (const episodes of changed.map((each) => [each])) {
        expect(replayFixture({ ...cartpole, episodes })).toMatchObject({ passed: 0, failed: 1 });
      }
    }
    const odd = [null, {}, { ...episodes[0], actions: "0" }, { ...episodes[0], init: [1] }];
    expect(replayFixture({ ...cartpole, episodes: odd })).toMatchObject({ passed: 0, failed: 4 });
  });

  it("notices a change in any column of any step, and in what follows the steps", () => {
    const flip = (value: unknown): unknown => {
      if (typeof value === "string") return (value[0] === "1" ? "0" : "1") + value.slice(1);
      return Array.isArray(value) ? value.map((x) => Number(x) + 1) : 1 - Number(value);
    };
    for (const file of [few(connect4), few(tictactoe)]) {
      for (const [g, game] of file.games.entries()) {
        const failsWith = (change: (changed: Recording["games"][number]) => void) => {
          const changed = structuredClone(game);
          change(changed);
          const { failed, failures } = replayFixture({ ...file, games: [changed], positions: {} });
          expect([g, failed]).toEqual([g, 1]);
          return failures[0];
        };
        for (const t of [0, game.steps.length - 1]) {
          for (const column of [0, 1, 2, 3, 4, 6, 7, 8]) {
            const failure = failsWith(({ steps }) => {
              steps[t][column] = flip(steps[t][column]);
            });
            expect(failure).toContain(`step ${t}`);
          }
        }
        failsWith(({ final }) => final.splice(3, 1, 1 - final[3]));
        failsWith(({ returns }) => returns.reverse().push(0));
        failsWith(({ steps }) => steps.pop());
        failsWith(({ steps }) => {
          steps[0] = steps[0].slice(0, 8);
        });
      }
    }
  });

  it("notices wrong and unreachable positions, and foreign agents", () => {
    const table = (positions: Record<string, number>) => replayFixture({ ...tictactoe, games: [], positions });
    expect(table({ "000000000": -2, "121212100": 0 })).toMatchObject({ passed: 2, failed: 0 });
    expect(table({ "000000000": -1, "121212100": 1, "111000000": 0 })).toMatchObject({ passed: 0, failed: 3 });
    expect(replayFixture({ ...few(connect4), agents: ["a", "b"] }).passed).toBe(0);
  });

  it("takes games of kinds it has not heard of, and fails those that make no sense", () => {
    const file = few(connect4);
    const games = [
      { ...file.games[0], kind: "moonlit" },
      null,
      7,
      {},
      { kind: "empty", steps: [] },
      { kind: "odd", steps: [[2]] },
    ];
    const { passed, failed, failures } = replayFixture({ ...file, games });
    expect([passed, failed]).toEqual([1, 5]);
    expect(failures[4]).toContain("game 5 (odd): step 0 must have 9 columns");
  });

  it("skips what other oracles recorded", () => {
    const { passed, failed, skipped } = replayFixture({ header: { oracle: "a stranger" }, episodes: [] });
    expect([passed, failed, skipped]).toEqual([0, 0, "nothing here replays a stranger"]);
  });

  it.each([
    null,
    3,
    "text",
    [],
    {},
    { header: 1 },
    { header: {} },
    { ...connect4, games: 3 },
    { ...connect4, games: [] },
    { ...tictactoe, positions: 1 },
  ])("says that file %# is no recording", (file) => {
    expect(() => replayFixture(file)).toThrow(expect.objectContaining({ code: "corrupt-file" }));
  });
});

describe("the name of an oracle", () => {
  const met = (oracle: string) => replayFixture({ ...few(connect4), header: { oracle } });

  it("is found among versions, settings and whatever else a recording says", () => {
    for (const oracle of [
      "pettingzoo.classic.connect_four_v3",
      "pettingzoo.classic.connect_four_v3.raw_env(render_mode=None)",
      "pettingzoo 1.25.0: pettingzoo.classic.connect_four_v3.env(), by hand",
    ]) {
      expect(met(oracle)).toMatchObject({ oracle, passed: 12, failed: 0 });
    }
    const about = "gymnasium 1.2.0 (pip) CartPole-v1, TimeLimit 500";
    expect(replayFixture({ ...cartpole, header: { oracle: about } })).toMatchObject({ passed: 54, failed: 0 });
  });

  it("is not found in part of a word", () => {
    for (const oracle of [
      "pettingzoo.classic.connect_four_v31.env()",
      "my.pettingzoo.classic.connect_four_v3",
      "gymnasium CartPole-v1x",
    ]) {
      expect(met(oracle).skipped).toContain(oracle);
    }
  });
});

describe("npm run conform", () => {
  const conform = (...args: string[]) =>
    spawnSync(
      process.execPath,
      ["--import", "tsx", "--conditions=@magic-mask/source", here("../bin/conform.ts"), ...args],
      {
        encoding: "utf8",
        env: { ...process.env, NODE_OPTIONS: "" },
      },
    );

  it("replays the folder, counts, and exits 1 on damaged files", () => {
    const folder = mkdtempSync(join(tmpdir(), "conform-"));
    try {
      const good = JSON.stringify(few(connect4));
      writeFileSync(join(folder, "a.json"), good);
      writeFileSync(join(folder, "b.json.gz"), gzipSync(good));
      writeFileSync(join(folder, "c.json"), '{"header": {"oracle": "somebody"}}');
      writeFileSync(join(folder, "notes.txt"), "not a recording");
      const sound = conform(folder);
      expect([sound.stderr, sound.status]).toEqual(["", 0]);
      expect(sound.stdout.trim().split("\n")).toEqual([
        "a.json: 12 passed, 0 failed",
        "b.json.gz: 12 passed, 0 failed",
        "c.json: skipped, nothing here replays somebody",
        "total: 24 passed, 0 failed, 1 skipped",
      ]);

      writeFileSync(join(folder, "d.json"), good.slice(0, 5000));
      writeFileSync(join(folder, "e.json.gz"), gzipSync(good).subarray(0, 500));
      const damaged = conform(folder, "--json");
      expect(damaged.status).toBe(1);
      const report = JSON.parse(damaged.stdout);
      expect(report).toMatchObject({ passed: 24, failed: 2, skipped: 1 });
      expect(report.files.map(({ file }: { file: string }) => file)).toEqual([
        "a.json",
        "b.json.gz",
        "c.json",
        "d.json",
        "e.json.gz",
      ]);
      expect(report.files[3].failures[0]).toMatch(/^the file cannot be read: /);
      expect(report.files[4].failures[0]).toMatch(/^the file cannot be read: /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("exits 2 when there is nothing to try, and 0 when asked for help", () => {
    const wrong = conform("/nowhere/at/all");
    expect([wrong.status, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toContain("Usage: npm run conform");
    const help = conform("--help");
    expect([help.status, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toContain("FOLDER");
  });
});
