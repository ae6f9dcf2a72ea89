import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { describeConfig, parseConfig, resolveConfig } from "./config.ts";

const thrown = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("nothing was thrown");
};

describe("resolveConfig", () => {
  it("lets later sources win: defaults < preset < file < flags < overrides", () => {
    const file = join(mkdtempSync(join(tmpdir(), "config-")), "run.yaml");
    writeFileSync(file, "seed: 3\ntraining:\n  copies: 16\n  epochs: 3\n");
    const config = resolveConfig({
      file,
      flags: { training: { copies: 32, totalSteps: undefined } },
      overrides: ["training.rolloutTicks=8", "mask.threshold=.25"],
    });
    expect(config.seed).toBe(3);
    expect(config.training).toMatchObject({ copies: 32, epochs: 3, rolloutTicks: 8, totalSteps: 6_500_000 });
    expect(config.mask.threshold).toBe(0.25);
    expect(config.environment.options).toEqual({ observation: "threats" });
    expect(resolveConfig({ overrides: ["environment.options.observation=planes"] }).environment.options).toEqual({
      observation: "planes",
    });
    expect(resolveConfig({ flags: { environment: { id: "planted_v0" } } }).environment.options).toEqual({});
  });

  it("refuses a coin that never blinds, or always", () => {
    for (const probability of [0, 1]) {
      const { code, message } = thrown(() => resolveConfig({ overrides: [`posthoc.probability=${probability}`] }));
      expect([code, message]).toEqual(["invalid-option", expect.stringContaining("posthoc.probability")]);
    }
  });

  it("takes every key by itself", () => {
    for (const { key, default: value } of describeConfig()) {
      const config = resolveConfig({ overrides: [`${key}=${JSON.stringify(value)}`] });
      const found = key.split(".").reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], config);
      if (key !== "environment.options") expect([key, found]).toEqual([key, value]);
    }
    expect(resolveConfig({ overrides: ["training.learningRate.start=0.001"] }).training.learningRate).toEqual({
      start: 0.001,
      end: 0,
    });
  });

  it("gives the same value again when a resolved configuration is parsed", () => {
    const config = resolveConfig({ overrides: ["sharing.mode=all", "environment.options={observation: threats}"] });
    expect(parseConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it("takes faults of the channel one by one, and none for ideal", () => {
    const ideal = resolveConfig({}).sharing.channel;
    expect(ideal).toMatchObject({ loss: 0, delay: 0, bandwidth: null, partition: { start: 0, end: 0, groups: [] } });
    expect(resolveConfig({ overrides: ["sharing.channel=ideal"] }).sharing.channel).toEqual(ideal);
    const overrides = ["sharing.channel.loss=.5", "sharing.channel.partition.groups=[[0],[1]]"];
    expect(resolveConfig({ overrides }).sharing.channel).toEqual({
      ...ideal,
      loss: 0.5,
      partition: { ...ideal.partition, groups: [[0], [1]] },
    });
  });

  it.each([
    ["sharing.channel.los=.5", "unknown-key", "sharing.channel.loss"],
    ["sharing.loss=.5", "unknown-key", "sharing.channel.loss"],
    ["sharing.channel.loss=2", "invalid-option", "sharing.channel.loss"],
    ["sharing.channel.bandwidth=0", "invalid-option", "sharing.channel.bandwidth"],
    ["sharing.channel=lossy", "invalid-option", "sharing.channel"],
    ["mask.threshold=1.5", "invalid-option", "mask.threshold"],
    ["training.copies=0", "invalid-option", "training.copies"],
    ["training.epochs=2.5", "invalid-option", "training.epochs"],
    ["seed=abc", "invalid-option", "seed"],
    ["training=3", "invalid-option", "training"],
    ["environment.id=connect_five_v0", "unknown-name", "connect_four_v0"],
    ["mask.objective=magic", "unknown-name", "advantage"],
    ["training.epoch=2", "unknown-key", "training.epochs"],
    ["seeds=2", "unknown-key", "seed"],
    ["__proto__.x=1", "unknown-key", "__proto__"],
    ["environment.options.__proto__.x=1", "unknown-key", "__proto__"],
    ["=2", "invalid-option", "key.sub=value"],
    ["seed", "invalid-option", "key.sub=value"],
    ["seed={", "invalid-option", "YAML"],
  ])("refuses %s with %s", (override, code, hint) => {
    const error = thrown(() => resolveConfig({ overrides: [override] }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(hint);
  });

  it("says all that is wrong at once", () => {
    const error = thrown(() =>
      resolveConfig({
        overrides: ["training.copies=0", "training.epoch=2", "training.shard=2", "seeds=2", "seed=abc"],
      }),
    );
    const parts = ["training.copies: ", '"training.epoch"', '"training.shard"', '"seeds"', "seed: "];
    for (const part of parts) expect(error.message).toContain(part);
    expect(error.message.split("\n")).toHaveLength(5);
  });

  it("says why a file cannot be read", () => {
    const folder = mkdtempSync(join(tmpdir(), "config-"));
    expect(thrown(() => resolveConfig({ file: join(folder, "none.yaml") })).code).toBe("io");
    writeFileSync(join(folder, "bad.yaml"), "a: [1,\n");
    expect(thrown(() => resolveConfig({ file: join(folder, "bad.yaml") })).code).toBe("corrupt-file");
    writeFileSync(join(folder, "list.yaml"), "- 1\n");
    expect(thrown(() => resolveConfig({ file: join(folder, "list.yaml") })).code).toBe("corrupt-file");
    writeFileSync(join(folder, "empty.yaml"), "");
    expect(resolveConfig({ file: join(folder, "empty.yaml") }).seed).toBe(1);
  });
});

describe("describeConfig", () => {
  it("tells of every key with its default and a help text", () => {
    const rows = describeConfig();
    expect(rows.find(({ key }) => key === "mask.threshold")).toEqual({
      key: "mask.threshold",
      default: 0.5,
      help: "τ: the gate blinds where m ≤ τ",
    });
    expect(rows.filter(({ help }) => help === "")).toEqual([]);
  });
});
