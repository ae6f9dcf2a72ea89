import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { discrete, episodeReturn, type LearnerState, type Policy, play, stream } from "@magic-mask/core";
import { sampleDecisions } from "@magic-mask/core/testing";
import type { ShrunkState } from "@magic-mask/masking";
import { encodeWeights } from "@magic-mask/networks";
import { openOnnxModel } from "@magic-mask/onnx/node";
import { assembleTeam, assembleWorld } from "../src/assemble.ts";
import { resolveConfig } from "../src/config.ts";
import { evaluate } from "../src/evaluate.ts";
import { explainEpisode } from "../src/explanation/explain-episode.ts";
import { subjectOf } from "../src/explanation/subject.ts";
import { exportRun } from "../src/export.ts";
import { loadRun } from "../src/load-run.ts";
import { greedy, randomPlayer } from "../src/policies.ts";
import { runTraining } from "../src/training-run.ts";
import { magicMask, recordOf, runFolderIn, SMALL, temporaryFolder } from "./command-line.ts";

const flagsOf = (words: readonly string[]) => words.filter((word) => !word.startsWith("--"));
/** The small job as overrides alone. */
const OVERRIDES = ["environment.id=tictactoe_v0", "training.copies=16", "workers=0", ...flagsOf(SMALL)];
const configOf = (...overrides: string[]) => resolveConfig({ overrides: [...OVERRIDES, ...overrides] });

let own = "";
let model = "";
beforeAll(async () => {
  const config = configOf("training.totalSteps=6000");
  own = (await runTraining({ config, out: temporaryFolder() })).path;
  const { folder } = await exportRun(own, {});
  model = join(folder, "policy.onnx");
});

describe("policies trained elsewhere", () => {
  it("are explained as our own are: the same play, and the same masks of it, on any number of workers", async () => {
    const made = await Promise.all(
      [0, 2].map((workers) => {
        const config = configOf(`workers=${workers}`, `policies.all.file=${model}`);
        return runTraining({ config, out: temporaryFolder() });
      }),
    );
    expect(made[1].record.trajectoryHash).toBe(made[0].record.trajectoryHash);
    const [mine, given] = await Promise.all([loadRun(own), loadRun(made[0].path)]);
    // Chance is named by seed, role, copy and episode: equal policies play equal games.
    expect(given.postHocState.hash).toBe(mine.postHocState.hash);
    const asked = { game: 1, moments: 1, rollouts: 20, by: "mask", command: "" } as const;
    const [a, b] = [mine, given].map((run) => explainEpisode(subjectOf(run), asked).explanation.agents[0].moments[0]);
    expect(b.step).toBe(a.step);
    expect(b.estimate).toBeCloseTo(a.estimate, 3);
    expect(b.effect.estimate).toBeCloseTo(a.effect.estimate, 5);
    b.alternatives.forEach(({ probability }, i) => {
      expect(probability).toBeCloseTo(Number(a.alternatives[i].probability), 5);
    });
    // What a look ahead goes by is a policy's own V, or that of the critic where it is from elsewhere.
    const looks = [mine, given].map((run) => explainEpisode(subjectOf(run), { ...asked, by: "lookahead" }).explanation);
    for (const { method, agents } of looks) {
      expect(method.explainer).toBe("lookahead");
      expect(agents[0].moments).toHaveLength(1);
    }
    const evaluation = await evaluate(given);
    expect(evaluation.opponents[0].value).toEqual((await evaluate(mine)).opponents[0].value);
    expect(evaluation.kl.update.last).toBeNaN();
  });

  it("make an ordinary run folder, which keeps its models and can be moved", async () => {
    const out = temporaryFolder();
    const { code, stdout, stderr } = await magicMask(
      "explain",
      ...flagsOf(SMALL),
      "--env-id=tictactoe_v0",
      "--workers=0",
      "--num-envs=16",
      "--steps=2000",
      `--policy=player_1=${model}`,
      `--policy=player_2=${model}`,
      `--runs=${out}`,
      "--rollouts=20",
      "--json",
    );
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    const path = runFolderIn(out);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ run: path, policies: [{ exact: true }, { exact: true }] });
    expect(answer.policies[0].gives).toBe(
      'logits (output "logits"), told what is legal by "action_mask"; V from "value"',
    );
    expect(stderr).toContain("policy of player_2:");
    const record = recordOf(path);
    expect(record).toMatchObject({ state: "finished", steps: 0 });
    expect(record.config.policies.player_2).toEqual({
      file: "policies/player_2.onnx",
      sha256: expect.stringMatching(/^[\da-f]{64}$/),
    });
    expect(readFileSync(join(path, "policies/player_1.onnx"))).toEqual(readFileSync(model));

    const moved = join(temporaryFolder(), "moved");
    cpSync(path, moved, { recursive: true });
    const text = await magicMask("explain", moved, "--rollouts=20");
    expect(text.code).toBe(0);
    expect(text.stdout).toContain("policy of player_1:");
    const { networks, folder } = await exportRun(moved, {});
    expect(networks.map(({ kind, files }) => [kind, files.length])).toEqual([
      ["policy", 1],
      ["policy", 1],
      ["mask", 2],
      ["mask", 2],
    ]);
    expect(readFileSync(join(folder, "policy-player_1.onnx"))).toEqual(readFileSync(model));
    // Another model in its place is not what was explained.
    writeFileSync(join(moved, "policies/player_1.onnx"), readFileSync(join(own, "export/mask-player_1.onnx")));
    await expect(loadRun(moved)).rejects.toThrow(expect.objectContaining({ code: "corrupt-file" }));
  });

  it("are refused before anything is written, and it is said why", async () => {
    const out = temporaryFolder();
    const bad = join(temporaryFolder(), "bad.onnx");
    writeFileSync(bad, "no model");
    const mask = join(own, "export/mask-player_1.onnx");
    const refusals: readonly (readonly [string, string, RegExp])[] = [
      ["io", "policies.all.file=nowhere.onnx", /cannot read the model nowhere.onnx/],
      ["corrupt-file", `policies.all.file=${bad}`, /no ONNX model .*bad.onnx, for player_1/],
      ["shape-mismatch", `policies.all.file=${mask}`, /"x" takes rows of 49 numbers, but an observation is 18/],
      [
        "invalid-option",
        `policies.player_1.file=${model}`,
        /no policy for player_2; give one for each agent, or one for all/,
      ],
      ["unknown-name", `policies.player_3.file=${model}`, /no agent "player_3"/],
      [
        "unsupported",
        `policies.all={file: "${model}", output: value}`,
        /"value" is to be actions, but holds other numbers than 0 … 8/,
      ],
    ];
    for (const [code, override, message] of refusals) {
      const run = runTraining({ config: configOf(override), out });
      const error = await run.then(
        () => new Error("not refused"),
        (refused) => refused,
      );
      expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    }
    expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
    const { code, stderr } = await magicMask("explain");
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("--policy") });
  });
});

describe("policies of Stable-Baselines3", () => {
  const played = (id: string, file: string, options: object, episodes: number) => {
    const world = assembleWorld(resolveConfig({ flags: { environment: { id, options } } }));
    const policies = { all: { file: fileURLToPath(new URL(`../../../bench/black-box/${file}`, import.meta.url)) } };
    const config = resolveConfig({ flags: { environment: { id, options }, policies } });
    const { learners, players } = assembleTeam(config, world, () => {
      throw new TypeError("nothing is trained");
    });
    const own = players.map((k, agent) => greedy(learners[k].policy, world.spec.actionSpaces[agent]));
    return (others: readonly (Policy | undefined)[]) =>
      play({ make: world.make, policies: own.map((policy, i) => others[i] ?? policy), episodes, seed: 5 });
  };

  it("balance a pole here as they do in Gymnasium", () => {
    // In Python: 499.9 on average, over 100 greedy episodes.
    const returns = played("cartpole_v1", "cart_pole.onnx", {}, 20)([]).map((episode) => episodeReturn(episode, 0));
    expect(returns.reduce((a, b) => a + b) / 20).toBeGreaterThan(495);
  });

  it("win here as they do in PettingZoo, as the planes are the same", () => {
    const game = played("connect_four_v0", "connect_four.onnx", { observation: "planes" }, 100);
    const won = [0, 1].map((seat) => {
      const others = [undefined, undefined].map((_, i) => (i === seat ? undefined : randomPlayer(discrete(7))));
      return game(others).filter((episode) => episodeReturn(episode, seat) > 0).length / 100;
    });
    expect((won[0] + won[1]) / 2).toBeGreaterThan(0.8);
  });
});

describe("an export", () => {
  it("holds what the run's networks compute, and a card that says what they are", async () => {
    const folder = join(own, "export");
    expect(readdirSync(folder).sort()).toEqual([
      "README.md",
      "mask-player_1.onnx",
      "mask-player_1.safetensors",
      "mask-player_2.onnx",
      "mask-player_2.safetensors",
      "policy.onnx",
      "policy.safetensors",
      "run.json",
    ]);
    const { team, create, postHoc, postHocState } = await loadRun(own);
    const { learner } = team.learners[0];
    if (!learner) throw new TypeError("a trained policy has a network");
    expect(readFileSync(join(folder, "policy.safetensors"))).toEqual(
      Buffer.from(encodeWeights(learner.spec, learner.exportState())),
    );
    // The mask's net, asked as the card says: 18 + 9 + 9 + 1 + 1 + 9 + 1 + 1 = 49 numbers.
    const net = openOnnxModel(readFileSync(join(folder, "mask-player_1.onnx")));
    expect(net.inputs).toEqual([{ name: "x", width: 49, integer: false }]);
    const random = stream("mask");
    const rows = Float32Array.from({ length: 4 * 49 }, () => random.normal());
    const state = (postHocState.explanation.masks[0] as ShrunkState).part as { readonly learner: LearnerState };
    const spec = { kind: "mlp", inputs: 49, hidden: [64, 64], activation: "relu", outputs: [1, 1, 1] } as const;
    const mask = create(spec, stream(1));
    mask.restoreState(state.learner);
    const wanted = new Float32Array(4 * 3);
    mask.infer(rows, 4, wanted);
    const got = net.run([rows], 4)[0];
    got.forEach((x, i) => {
      expect(x).toBeCloseTo(wanted[i], 5);
    });
    const card = readFileSync(join(folder, "README.md"), "utf8");
    // And what the card says is made of it: (Σ_a (π − ν)(a)·Â(x, a) + .3·(slope · −H(π) + intercept)) / 1.3
    const [, slope, intercept] = /^\| player_1 \| (\S+) \| (\S+) \|$/m.exec(card)?.map(Number) ?? [];
    const decisions = sampleDecisions({ observation: 18, actions: 9 }, 1);
    const [criticality, spread] = [new Float32Array(decisions.count), new Float32Array(decisions.count)];
    postHoc.explanation.masks[0].explainer.score(decisions, criticality, spread);
    for (let b = 0; b < 3; b++) {
      const actions = Array.from({ length: 9 }, (_, a) => a).filter((a) => decisions.legal[b * 9 + a]);
      const logs = Array.from(decisions.policy.subarray(b * 9, b * 9 + 9), (x) => Math.max(x, -10));
      const pi = Array.from({ length: 9 }, (_, a) => (actions.includes(a) ? Math.exp(decisions.policy[b * 9 + a]) : 0));
      const entropy = actions.reduce((sum, a) => sum - (pi[a] > 0 ? pi[a] * Math.log(pi[a]) : 0), 0);
      const state = [...decisions.observations.subarray(b * 18, b * 18 + 18), ...pi, ...logs, entropy, Math.max(...pi)];
      let sum = 0;
      for (const a of actions) {
        const action = Array.from({ length: 9 }, (_, i) => (i === a ? 1 : 0));
        const scores = net.run([Float32Array.from([...state, ...action, logs[a], pi[a]])], 1)[0];
        sum += (pi[a] - Math.exp(decisions.perturbation[b * 9 + a])) * ((scores[0] + scores[1] + scores[2]) / 3);
      }
      expect(criticality[b]).toBeCloseTo((sum + 0.3 * (slope * -entropy + intercept)) / 1.3, 4);
    }
    net.close();
    expect(card).toMatch(/^---\nlicense: mit\n/);
    expect(card).toContain("38 … 46 the action, as one of n");
    expect(card).toContain("Not evaluated");
  });
});
